"""What questions are made from, seen from outside: the passages of a collection, its search, and a generator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from eval.generate.candidate import SourcePassage
from eval.generate.wording import HAN
from rag.language import language_of


@dataclass(frozen=True, slots=True)
class SourceDocument:
    id: str
    name: str
    title: str


class Source(Protocol):
    """Raises TuwenError where the system does."""

    def documents(self) -> list[SourceDocument]:
        """The published documents, by name."""
        ...

    def chunks(self, document_id: str) -> list[dict[str, Any]]:
        """`{"chunk_id", "kind", "text", "headings", "page", "boxes"}`, in the order of the document."""
        ...

    def find(self, question: str, top_k: int) -> list[str]:
        """The texts of what the served search finds, best first."""
        ...

    def feedback(self) -> list[dict[str, Any]]:
        """What users said about answers (docs/http.md, `GET /v1/feedback`)."""
        ...


def passages(source: Source, names: Sequence[str] = ()) -> list[SourcePassage]:
    """The passages of all documents, or of those named."""
    documents = source.documents()
    called = _called(documents)
    found: list[SourcePassage] = []
    for document in documents:
        if names and document.name not in names:
            continue
        for chunk in source.chunks(document.id):
            text = str(chunk["text"])
            found.append(
                SourcePassage(
                    id=chunk["chunk_id"],
                    document=document.name,
                    called=called[document.id],
                    kind=chunk["kind"],
                    text=text,
                    headings=tuple(chunk["headings"]),
                    page=chunk["page"],
                    boxes=tuple(tuple(box) for box in chunk["boxes"]),
                    language=language_of(_prose(text)),
                )
            )
    return found


def _prose(text: str) -> str:
    """A table of figures is in the language of its words; the pipes and the kinds of a picture's entries are nobody's."""
    return re.sub(r"^(?:caption|nearby|ocr|label|name|description): ", "", text, flags=re.MULTILINE)


def _called(documents: Sequence[SourceDocument]) -> dict[str, str]:
    """What a question calls each document: its title, unless another has the same or it says too little; else its file's name."""
    titles = Counter(" ".join(document.title.split()).casefold() for document in documents)
    called: dict[str, str] = {}
    for document in documents:
        title = " ".join(document.title.split())
        telling = len(title.split()) >= 2 or len(HAN.findall(title)) >= 4
        if telling and len(title) <= 80 and titles[title.casefold()] == 1:
            called[document.id] = title
        else:
            stem = PurePosixPath(document.name).stem
            called[document.id] = re.sub(r"[_\s]+|-(?=\D)|(?<=\D)-(?=\w)", " ", stem).strip() or stem
    return called
