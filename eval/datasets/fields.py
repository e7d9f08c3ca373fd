"""What a column or field is about, whatever people call it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rag.errors import BadRequest

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "_id", "qid", "question_id", "query_id", "uid", "编号"),
    "question": ("question", "query", "question_text", "query_text", "user_input", "prompt", "问题", "問題"),
    "answer": (
        *("answer", "answers", "gold_answer", "expected_answer", "reference_answer", "ground_truth", "reference"),
        *("ideal", "答案", "参考答案"),
    ),
    "source": (
        *("source", "sources", "source_docs", "source_documents", "source_document", "source_doc", "source_file"),
        *(
            "document",
            "documents",
            "document_id",
            "doc_id",
            "doc_name",
            "doc",
            "docs",
            "file",
            "files",
            "file_name",
            "filename",
        ),
        *("来源", "文档", "文件"),
    ),
    "page": ("page", "pages", "page_number", "page_numbers", "page_no", "页", "页码"),
    "quote": ("quote", "quotes", "supporting_text", "evidence_text", "reference_contexts", "原文"),
    "box": ("box", "boxes", "bbox", "bboxes", "bounding_box", "bounding_boxes", "区域"),
    "evidence": ("evidence", "evidences", "retrieval", "citations"),
    "kind": ("kind", "type", "question_type", "category", "类型"),
    "language": ("language", "lang", "语言"),
    "turns": ("turns", "history", "chat_history", "conversation", "messages"),
    "image": ("image", "images", "question_image", "query_image", "图片"),
    "unanswerable": ("unanswerable", "is_impossible", "is_unanswerable"),
    "group": ("group",),
    "passage": (),
}
"""Ours and what else it is called, best first; capitals, spaces, hyphens and underscores make no difference. `passage` (a text
that becomes a document) has to be named: what is called “context” is a passage in one set and an earlier turn in the other."""


class Fields:
    """Finds our fields in their records. `named` are the names that a description gives."""

    def __init__(self, named: Mapping[str, str], file: Any = "dataset.toml") -> None:
        for ours in named:
            if ours not in SYNONYMS:
                raise BadRequest(f"{file}: there is no field {ours!r}.", f"There is: {', '.join(SYNONYMS)}.")
        self._named = named
        self._cache: dict[tuple[str, ...], dict[str, str]] = {}

    def names(self, record: Mapping[str, Any]) -> Mapping[str, str]:
        """Theirs by ours, for what is in this record."""
        keys = tuple(record)
        if keys not in self._cache:
            self._cache[keys] = self._find(record)
        return self._cache[keys]

    def read(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Values by our names, without empty ones."""
        found = {ours: _walk(record, theirs) for ours, theirs in self.names(record).items()}
        return {ours: value for ours, value in found.items() if not is_empty(value)}

    def rest(self, record: Mapping[str, Any]) -> dict[str, str]:
        """What is none of our fields, as text; nested values are left out."""
        used = set(self.names(record).values())
        return {
            name: str(value).strip()
            for name, value in record.items()
            if name not in used and isinstance(value, str | int | float) and not is_empty(value)
        }

    def _find(self, record: Mapping[str, Any]) -> dict[str, str]:
        plain = {_plain(name): name for name in reversed(list(record))}
        found = {ours: theirs for ours, theirs in self._named.items() if _walk(record, theirs, _NONE) is not _NONE}
        for ours, synonyms in SYNONYMS.items():
            name = next((plain[synonym] for synonym in synonyms if synonym in plain), None)
            if ours not in self._named and name is not None and name not in self._named.values():
                found[ours] = name
        return found


def is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


_NONE = object()


def _walk(record: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """`a.b` is the field `b` of the object in `a`, unless there is a field of that very name."""
    if name in record:
        return record[name]
    first, _, rest = name.partition(".")
    inner = record.get(first)
    return _walk(inner, rest, default) if rest and isinstance(inner, Mapping) else default


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", "_", name.strip()).casefold()
