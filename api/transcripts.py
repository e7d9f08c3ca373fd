"""A conversation as it goes over HTTP and into files, each citation with where it stands now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from api.conversations import Conversations, scope_of
from rag.documents import AnyChunk, Chunk
from rag.errors import NotFound
from rag.retrieval.locate import lines_of
from rag.stores.conversations import Conversation, KeptCitation, KeptPassage, StoredTurn, path

REMOVED = "This answer was removed: a document that it was made from was deleted."
INCOMPLETE = "This answer broke off before it was complete; it was not checked."


def summary(conversation: Conversation) -> dict[str, Any]:
    """One line of the list."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "collection": conversation.collection,
        "filter": scope_of(conversation).model_dump(),
        "turns": conversation.turns,
        "created_at": conversation.created_at,
        "changed_at": conversation.changed_at,
    }


def whole(talks: Conversations, conversation: Conversation) -> dict[str, Any]:
    """With the turns of the branch that is shown, each with the ids of its versions: the turns that stand beside it."""
    turns = talks.store.turns(conversation.id)
    shown = path(turns, conversation.head)
    beside: dict[str | None, list[str]] = {}
    for turn in turns:
        beside.setdefault(turn.parent, []).append(turn.id)
    places = Places(talks)
    return summary(conversation) | {
        "turns": [as_turn(turn, places) | {"versions": beside[turn.parent]} for turn in shown],
        "gone": _gone(talks, conversation),
    }


def everything(talks: Conversations, conversation: Conversation) -> dict[str, Any]:
    """With all turns of all branches, oldest first, for an export."""
    places = Places(talks)
    turns = talks.store.turns(conversation.id)
    return summary(conversation) | {
        "head": conversation.head,
        "turns": [as_turn(turn, places) | {"parent": turn.parent} for turn in turns],
    }


def as_turn(turn: StoredTurn, places: Places) -> dict[str, Any]:
    """`state` is `complete`, `incomplete` or `removed`; an answer that was removed is empty."""
    return {
        "id": turn.id,
        "at": turn.at,
        "question": turn.question,
        "searched": turn.searched or turn.question,
        "answer": turn.answer,
        "state": turn.state,
        "error": turn.error,
        "abstained": turn.abstained,
        "citations": [_citation(item) | {"now": places.of(item)} for item in turn.citations],
        "context": [_passage(item) for item in turn.context],
        "notes": list(turn.notes),
        "timings": dict(turn.timings),
        "generator": turn.generator,
    }


class Places:
    """Where quotes stand now. Documents are read once."""

    def __init__(self, talks: Conversations) -> None:
        self._talks, self._service = talks, talks.service
        self._chunks: dict[str, list[AnyChunk] | None] = {}

    def of(self, cited: KeptCitation) -> dict[str, Any]:
        """`state`: `current`, where the quote stands where it was cited; `moved`, where a newer version of the document has it elsewhere;
        `changed`, where that has it no more; `gone` without the document, or for who may not read it any more. The place is null for the last two."""
        if not self._talks.reads(cited.document_id):
            return _place("gone", None, None, ())
        found = self._service.library.hydrate([cited.chunk_id]).get(cited.chunk_id)
        if found is not None and _solid(cited.quote) in _solid(found[0].text):
            chunk = found[0]
            return _place("current", chunk.id, cited.page, cited.boxes)
        chunks = self._of_document(cited.document_id)
        if chunks is None:
            return _place("gone", None, None, ())
        standing = _holding(cited.quote, chunks) if cited.quote else []
        if standing:
            whole = tuple(box for chunk in standing for box in chunk.boxes)
            lines = lines_of(cited.quote, whole, cited.document_id, self._service.library)
            # A quote over several passages names the first of them.
            same = cited.chunk_id in {chunk.id for chunk in standing}
            page = lines[0].page if lines else standing[0].page
            boxes = [tuple(box.as_list()) for box in lines or whole]
            return _place("current" if same else "moved", standing[0].id, page, boxes)
        return _place("changed", None, None, ())

    def _of_document(self, document_id: str) -> list[AnyChunk] | None:
        if document_id not in self._chunks:
            try:
                self._chunks[document_id] = self._service.chunks(document_id)
            except NotFound:
                self._chunks[document_id] = None
        return self._chunks[document_id]


def markdown(talks: Conversations, conversation: Conversation) -> str:
    """The branch that is shown, for reading. What stands in it is text: no link, picture or markup of a document becomes one."""
    places = Places(talks)
    title = _inert(conversation.title or "Conversation")
    about = f"Collection {_inert(conversation.collection)}, {_day(conversation.created_at)}"
    parts = [f"# {title}", about]
    for turn in talks.branch(conversation):
        parts += [f"## {_inert(turn.question)}", *_answer(turn, places)]
    return "\n\n".join(parts) + "\n"


def _answer(turn: StoredTurn, places: Places) -> Iterable[str]:
    if turn.state == "removed":
        yield f"*{REMOVED}*"
        return
    if turn.answer:
        yield _inert(turn.answer)
    if turn.state == "incomplete":
        yield f"*{INCOMPLETE}{' ' + _inert(turn.error) if turn.error else ''}*"
    lines = []
    for item in _distinct(turn.citations):
        page = f", page {item.page}" if item.page else ""
        checked = "verified" if item.verified else "not verified"
        now = _NOW[places.of(item)["state"]]
        quote = _inert(" ".join(item.quote.split()))
        lines.append(f"- \\[{item.marker}\\] {_inert(item.document)}{page} ({checked}{now}): “{quote}”")
    if lines:
        yield "\n".join(lines)


_NOW = {
    "current": "",
    "moved": "; it stands elsewhere in the present version",
    "changed": "; the present version does not have it",
    "gone": "; the document is gone",
}


def _distinct(citations: Sequence[KeptCitation]) -> list[KeptCitation]:
    """Two sentences may cite the same words."""
    return list({(item.marker, item.quote): item for item in reversed(citations)}.values())[::-1]


def _gone(talks: Conversations, conversation: Conversation) -> list[str]:
    """Documents of the scope that are not there any more, or not for who holds the conversation."""
    return [id_ for id_ in scope_of(conversation).document_id if not talks.reads(id_)]


def _document(item: KeptCitation | KeptPassage) -> dict[str, Any]:
    return {"id": item.document_id, "name": item.document, "media_type": item.media_type}


def _citation(item: KeptCitation) -> dict[str, Any]:
    return {
        "marker": item.marker,
        "document": _document(item),
        "chunk_id": item.chunk_id,
        "page": item.page,
        "boxes": [list(box) for box in item.boxes],
        "quote": item.quote,
        "verified": item.verified,
        "score": item.score,
    }


def _passage(item: KeptPassage) -> dict[str, Any]:
    return {
        "chunk_id": item.chunk_id,
        "kind": item.kind,
        "score": item.score,
        "text": item.text,
        "document": _document(item),
        "headings": list(item.headings),
        "page": item.page,
        "boxes": [list(box) for box in item.boxes],
        "sources": list(item.sources),
    }


def _place(state: str, chunk_id: str | None, page: int | None, boxes: Iterable[Sequence[float]]) -> dict[str, Any]:
    return {"state": state, "chunk_id": chunk_id, "page": page, "boxes": [list(box) for box in boxes]}


def _holding(quote: str, chunks: Sequence[AnyChunk]) -> list[AnyChunk]:
    """The passage whose text holds the quote, white space aside, or the neighbours that hold it together."""
    wanted = _solid(quote)
    texts = [_solid(chunk.text) for chunk in chunks]
    for chunk, text in zip(chunks, texts, strict=True):
        if wanted in text:
            return [chunk]
    joined = "".join(text for chunk, text in zip(chunks, texts, strict=True) if isinstance(chunk, Chunk))
    start = joined.find(wanted)
    if start < 0:
        return []
    found: list[AnyChunk] = []
    position = 0
    for chunk, text in zip(chunks, texts, strict=True):
        if not isinstance(chunk, Chunk):
            continue
        if position < start + len(wanted) and position + len(text) > start:
            found.append(chunk)
        position += len(text)
    return found


def _solid(text: str) -> str:
    return "".join(text.split())


_MARKUP = re.compile(r"([\\`*_{}<>#|~$]|\]\(|!\[|^[-+>]|^\d+(?=[.)]))", re.MULTILINE)
_ADDRESS = re.compile(r"\b(https?|ftp|mailto|www)([:.])", re.IGNORECASE)


def _inert(text: str) -> str:
    r"""Text that Markdown shows as it stands: `![x](y)` becomes `\!\[x]\(y)`, and an address no link."""

    def escape(match: re.Match[str]) -> str:
        found = match[0]
        return f"{found}\\" if found.isdigit() else "".join(f"\\{character}" for character in found)

    return _ADDRESS.sub(r"\1\\\2", _MARKUP.sub(escape, text))


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
