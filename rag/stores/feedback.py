"""What users said about answers: thumbs, a comment, the citation that they chose. Kept in the library, for labelled sets.

An answer quotes documents: feedback goes when one of the documents that it was made from is deleted. A new version of a document
leaves it alone: what was asked and answered stays true of its time.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Literal

from rag.errors import NotFound
from rag.stores.database import Database

_COLUMNS = "id, at, collection, target, rating, comment, question, answer, abstained, citations, context, settings, generator, owner"


@dataclass(frozen=True, slots=True)
class CitedPlace:
    """A citation as it was when it was judged. `document` is the name, which is stable over a new ingest."""

    chunk_id: str
    document_id: str
    document: str
    page: int | None
    quote: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Feedback:
    """`citations` are all of the answer's, or the one that was judged; `settings` is a fingerprint of those in force."""

    collection: str
    target: Literal["answer", "citation"]
    rating: Literal["up", "down"]
    question: str
    answer: str
    comment: str = ""
    abstained: bool = False
    citations: tuple[CitedPlace, ...] = ()
    context: tuple[str, ...] = ()
    """Ids of the chunks that were found for the answer, best first."""
    settings: str = ""
    generator: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: float = field(default_factory=time.time)
    owner: str = ""
    """The name of the caller who gave it; empty for the owner of the data directory."""


class FeedbackStore:
    """The library's feedback, or one caller's: no id reaches another's, which is answered as if it were not there. Safe to use from
    several threads."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        """`owner` is the name of a caller; None for whoever may see all of it."""
        self._database, self._owner = database, owner

    def put(self, item: Feedback) -> None:
        """Adds it; with the id of an earlier one, it takes that one's place. Raises NotFound where that is another's."""
        documents = {place.document_id for place in item.citations}
        with self._database.transaction() as db:
            for chunk_id in item.context:
                row = db.execute("SELECT document_id FROM chunks WHERE id = ?", (chunk_id,)).fetchone()
                documents |= {row[0]} if row else set()
            there = db.execute("SELECT owner FROM feedback WHERE id = ?", (item.id,)).fetchone()
            if there is not None and self._owner not in (None, there[0]):
                raise _unknown(item.id)
            db.execute("DELETE FROM feedback WHERE id = ?", (item.id,))
            db.execute(
                f"INSERT INTO feedback ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    item.id,
                    item.at,
                    item.collection,
                    item.target,
                    item.rating,
                    item.comment,
                    item.question,
                    item.answer,
                    item.abstained,
                    json.dumps([asdict(place) for place in item.citations], ensure_ascii=False),
                    json.dumps(item.context),
                    item.settings,
                    item.generator,
                    item.owner,
                ),
            )
            db.executemany(
                "INSERT INTO feedback_documents VALUES (?, ?)", [(item.id, document) for document in sorted(documents)]
            )

    def all(self, collection: str | None = None) -> list[Feedback]:
        """Oldest first."""
        rows = self._database.reader.execute(
            f"SELECT {_COLUMNS} FROM feedback WHERE (?1 IS NULL OR collection = ?1) AND (?2 IS NULL OR owner = ?2)"
            " ORDER BY at, id",
            (collection, self._owner),
        )
        return [_from_row(row) for row in rows]

    def remove(self, feedback_id: str) -> None:
        """Raises NotFound."""
        with self._database.transaction() as db:
            statement = "DELETE FROM feedback WHERE id = ?1 AND (?2 IS NULL OR owner = ?2)"
            if not db.execute(statement, (feedback_id, self._owner)).rowcount:
                raise _unknown(feedback_id)


def _unknown(feedback_id: str) -> NotFound:
    return NotFound(f"There is no feedback {feedback_id}.", "GET /v1/feedback lists what there is.")


def forget_document(db: sqlite3.Connection, document_id: str) -> None:
    """Removes the feedback that holds words of a document; inside the caller's transaction."""
    db.execute(
        "DELETE FROM feedback WHERE id IN (SELECT feedback_id FROM feedback_documents WHERE document_id = ?)",
        (document_id,),
    )


def _from_row(row: tuple[object, ...]) -> Feedback:
    (
        id_,
        at,
        collection,
        target,
        rating,
        comment,
        question,
        answer,
        abstained,
        citations,
        context,
        settings,
        generator,
        owner,
    ) = row
    return Feedback(
        collection=str(collection),
        target="citation" if target == "citation" else "answer",
        rating="up" if rating == "up" else "down",
        question=str(question),
        answer=str(answer),
        comment=str(comment),
        abstained=bool(abstained),
        citations=tuple(CitedPlace(**place) for place in json.loads(str(citations))),
        context=tuple(json.loads(str(context))),
        settings=str(settings),
        generator=str(generator),
        id=str(id_),
        at=float(str(at)),
        owner=str(owner),
    )
