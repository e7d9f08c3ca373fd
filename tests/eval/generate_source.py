"""A collection in memory to make questions from, and a generator that says what it is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.generate.candidate import SourcePassage
from eval.generate.source import SourceDocument
from rag.answers import Usage
from rag.protocols import GenerationRequest
from rag.words import content_words

TABLE = (
    "Spending\n\nTable 3. Spending in thousand yuan\n\n| Item | 2024 | 2025 |\n| --- | --- | --- |\n| Staff | 4,510 | 4,860 |\n"
    "| Maintenance | 1,220 | 1,370 |\n| Total | 5,730 | 6,230 |"
)
FAULTS = "| Cause | 2024 | 2025 |\n| --- | --- | --- |\n| Dome drive | 22 | 34 |\n| Camera cooling | 41 | 12 |"
DOME = (
    "2.2 If the slit does not close\n\nTurn the dome until the slit points away from the wind. Park the telescope and call the engineer.\n\n"
    "Figure 1. The telescope and its dome, seen from the east."
)
REGION = "Region\n\nA Region is a contiguous range of keys that is stored together. Every Region has three replicas by default."
ZH = "三种方式\n\n| 方式 | 说明 | 需要模型吗 |\n| --- | --- | --- |\n| 摘录 | 直接摘出最相关的原句 | 不需要 |\n| 生成 | 由模型撰写回答 | 需要 |"
ZH_REGION = "Region\n\nRegion 是一段连续的键，存放在同一个存储节点上。每个 Region 默认保存 96 MiB 数据。\n\n- Hash：按照键做哈希，选择对应的存储节点。"


def passage(text: str, document: str = "report.pdf", *, number: int = 0, **more: Any) -> SourcePassage:
    given: dict[str, Any] = {"called": "Annual report 2025", "kind": "text", "page": 1} | more
    return SourcePassage(id=f"{document}.{number}", document=document, text=text, **given)


@dataclass
class Collection:
    """Documents by name, each with its title and chunks `(kind, headings, text)`. Its search is one of words."""

    files: dict[str, tuple[str, list[tuple[str, tuple[str, ...], str]]]]
    searched: list[str] = field(default_factory=list)

    def documents(self) -> list[SourceDocument]:
        return [SourceDocument(name, name, title) for name, (title, _) in self.files.items()]

    def chunks(self, document_id: str) -> list[dict[str, Any]]:
        return [
            {
                "chunk_id": f"{document_id}.{n}",
                "kind": kind,
                "text": text,
                "headings": list(headings),
                "page": n + 1,
                "boxes": [[n + 1, 1, 2, 3, 4]],
            }
            for n, (kind, headings, text) in enumerate(self.files[document_id][1])
        ]

    def find(self, question: str, top_k: int) -> list[str]:
        self.searched.append(question)
        asked = set(content_words(question))
        texts = [text for _, chunks in self.files.values() for *_, text in chunks]
        return sorted(texts, key=lambda text: -len(asked & set(content_words(text))))[:top_k]

    def feedback(self) -> list[dict[str, Any]]:
        return []


def small() -> Collection:
    return Collection(
        {
            "report.pdf": (
                "Annual report 2025",
                [
                    ("table", ("Annual report 2025", "Spending"), TABLE),
                    ("table", ("Annual report 2025", "Technical faults"), FAULTS),
                ],
            ),
            "handbook.docx": (
                "Operations handbook",
                [("text", ("2 The dome", "2.2 If the slit does not close"), DOME)],
            ),
            "storage.md": ("Storage of data", [("text", ("Storage of data", "Region"), REGION)]),
            "快速入门.md": (
                "图文快速入门",
                [("table", ("图文快速入门", "三种方式"), ZH), ("text", ("图文快速入门", "Region"), ZH_REGION)],
            ),
        }
    )


@dataclass
class Scripted:
    """A Generator that gives its answers in turn and remembers what it was asked."""

    answers: Sequence[str]
    asked: list[GenerationRequest] = field(default_factory=list)
    name: str = "scripted"
    context_tokens: int = 4096

    def count_tokens(self, text: str) -> int:
        return len(text)

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        self.asked.append(request)
        yield self.answers[(len(self.asked) - 1) % len(self.answers)]
        yield Usage()

    def ready(self) -> None: ...

    def close(self) -> None: ...
