"""Conversations in the library: a tree of turns, each with what it was answered from.

A turn keeps its citations and its context as they were, so that an old answer can be checked when the document has a new version. A
document that is deleted leaves no trace: an answer made from it goes, its passages go from every context, and the question stays,
which is the user's own.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from rag.errors import BadRequest, NotFound
from rag.stores.database import Database

TurnState = Literal["complete", "incomplete", "removed"]


@dataclass(frozen=True, slots=True)
class KeptPassage:
    """A passage that was found for an answer, as it was; `boxes` as `[page, left, top, right, bottom]` in points."""

    chunk_id: str
    document_id: str
    document: str
    media_type: str
    kind: str
    page: int | None
    boxes: tuple[tuple[float, ...], ...]
    headings: tuple[str, ...]
    text: str
    score: float
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptCitation:
    """A citation as it was checked. `document` is the name."""

    marker: int
    chunk_id: str
    document_id: str
    document: str
    media_type: str
    page: int | None
    boxes: tuple[tuple[float, ...], ...]
    quote: str
    verified: bool
    score: float


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A question and its answer. `searched` is the question as it stands alone; `summary` is of what came before the last exchanges.

    `incomplete`: the answer broke off; `error` says why, where it is known. `removed`: a document that it was made from was deleted.
    """

    conversation_id: str
    parent: str | None
    question: str
    searched: str = ""
    answer: str = ""
    state: TurnState = "complete"
    abstained: bool = False
    citations: tuple[KeptCitation, ...] = ()
    context: tuple[KeptPassage, ...] = ()
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    generator: str = ""
    summary: str = ""
    error: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Conversation:
    """`scope` is a filter that every question of it has, as JSON text; `head` is the last turn of the branch that is shown."""

    collection: str
    title: str = ""
    scope: str = "{}"
    head: str | None = None
    turns: int = 0
    """Of all branches."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: float = field(default_factory=time.time)
    changed_at: float = field(default_factory=time.time)


_COLUMNS = "c.collection, c.title, c.scope, c.head, (SELECT count(*) FROM turns t WHERE t.conversation_id = c.id), c.id, c.created_at, c.changed_at"
_TURN = (
    "conversation_id, parent, question, searched, answer, state, abstained, citations, context, notes, timings, generator, summary, "
    "error, id, at"
)
_OF_OWNER = "EXISTS (SELECT 1 FROM conversations c WHERE c.id = turns.conversation_id AND c.owner = ?)"


class ConversationStore:
    """The conversations of one owner: no id reaches another's, which is answered as if it were not there. Safe to use from several threads."""

    def __init__(self, database: Database, owner: str = "") -> None:
        """`owner` is the name of a caller; empty for the owner of the data directory."""
        self._database, self._owner = database, owner

    def create(self, conversation: Conversation) -> None:
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO conversations (id, collection, title, scope, head, created_at, changed_at, owner)"
                " VALUES (?, ?, ?, ?, NULL, ?, ?, ?)",
                (
                    conversation.id,
                    conversation.collection,
                    conversation.title,
                    conversation.scope,
                    conversation.created_at,
                    conversation.changed_at,
                    self._owner,
                ),
            )

    def get(self, conversation_id: str) -> Conversation:
        """Raises NotFound."""
        row = self._database.reader.execute(
            f"SELECT {_COLUMNS} FROM conversations c WHERE c.id = ? AND c.owner = ?", (conversation_id, self._owner)
        ).fetchone()
        if row is None:
            raise _unknown(conversation_id)
        return Conversation(*row)

    def listed(self, collection: str | None = None, limit: int = 50, offset: int = 0) -> list[Conversation]:
        """The last used first."""
        rows = self._database.reader.execute(
            f"SELECT {_COLUMNS} FROM conversations c WHERE c.owner = ?4 AND (?1 IS NULL OR c.collection = ?1)"
            " ORDER BY c.changed_at DESC, c.id LIMIT ?2 OFFSET ?3",
            (collection, limit, offset, self._owner),
        )
        return [Conversation(*row) for row in rows]

    def change(self, conversation_id: str, *, title: str | None = None, scope: str | None = None) -> Conversation:
        """What is None stays. Raises NotFound."""
        with self._database.transaction() as db:
            done = db.execute(
                "UPDATE conversations SET title = coalesce(?, title), scope = coalesce(?, scope) WHERE id = ? AND owner = ?",
                (title, scope, conversation_id, self._owner),
            )
            if not done.rowcount:
                raise _unknown(conversation_id)
        return self.get(conversation_id)

    def remove(self, conversation_id: str) -> None:
        """With all its turns. Raises NotFound."""
        with self._database.transaction() as db:
            self._check(db, conversation_id)
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def show_branch(self, conversation_id: str, turn_id: str) -> None:
        """Shows the branch that goes through this turn, down to its newest turn. Raises NotFound."""
        with self._database.transaction() as db:
            self._check(db, conversation_id)
            found = db.execute("SELECT conversation_id FROM turns WHERE id = ?", (turn_id,)).fetchone()
            if found is None or found[0] != conversation_id:
                raise NotFound(
                    f"There is no turn {turn_id} in this conversation.", "Take the id of one of its turns or versions."
                )
            while below := db.execute(
                "SELECT id FROM turns WHERE parent = ? ORDER BY at DESC, id DESC LIMIT 1", (turn_id,)
            ).fetchone():
                turn_id = below[0]
            db.execute("UPDATE conversations SET head = ? WHERE id = ?", (turn_id, conversation_id))

    # --- turns -------------------------------------------------------------------------------------------------------

    def put(self, turn: StoredTurn) -> StoredTurn:
        """Adds a turn, which becomes the head; answers it as it was stored: `removed`, when a document that it was answered from was
        deleted meanwhile. The first one gives its question to a conversation without a title. Raises NotFound, when the
        conversation was deleted meanwhile, BadRequest for a parent of another one."""
        with self._database.transaction() as db:
            self._check(db, turn.conversation_id)
            if turn.parent is not None:
                found = db.execute("SELECT conversation_id FROM turns WHERE id = ?", (turn.parent,)).fetchone()
                if found is None or found[0] != turn.conversation_id:
                    raise BadRequest(f"There is no turn {turn.parent} in this conversation.", "Load it again.")
            documents = _documents(turn)
            gone = {id_ for id_ in documents if not _exists(db, id_)}
            turn = _without(turn, gone, [id_ for id_ in gone if documents[id_]])
            _insert(db, turn)
            db.executemany(
                "INSERT INTO turn_documents VALUES (?, ?, ?)",
                [(turn.id, id_, answered) for id_, answered in sorted(_documents(turn).items())],
            )
            db.execute(
                "UPDATE conversations SET head = ?, changed_at = ?, title = CASE title WHEN '' THEN ? ELSE title END"
                " WHERE id = ?",
                (turn.id, turn.at, title_from(turn.question), turn.conversation_id),
            )
        return turn

    def turn(self, turn_id: str) -> StoredTurn:
        """Raises NotFound."""
        row = self._database.reader.execute(
            f"SELECT {_TURN} FROM turns WHERE id = ? AND {_OF_OWNER}", (turn_id, self._owner)
        ).fetchone()
        if row is None:
            raise NotFound(f"There is no turn {turn_id}.", "Load the conversation again.")
        return _from_row(row)

    def turns(self, conversation_id: str) -> list[StoredTurn]:
        """Of all branches, oldest first."""
        rows = self._database.reader.execute(
            f"SELECT {_TURN} FROM turns WHERE conversation_id = ? AND {_OF_OWNER} ORDER BY at, rowid",
            (conversation_id, self._owner),
        )
        return [_from_row(row) for row in rows]

    def _check(self, db: sqlite3.Connection, conversation_id: str) -> None:
        """Inside the caller's transaction. Raises NotFound."""
        wanted = (conversation_id, self._owner)
        if db.execute("SELECT 1 FROM conversations WHERE id = ? AND owner = ?", wanted).fetchone() is None:
            raise _unknown(conversation_id)


def path(turns: Iterable[StoredTurn], head: str | None) -> list[StoredTurn]:
    """The branch that ends with `head`, oldest first."""
    by_id = {turn.id: turn for turn in turns}
    found: list[StoredTurn] = []
    while head is not None and head in by_id:
        found.append(by_id[head])
        head = by_id[head].parent
    return found[::-1]


def title_from(question: str, length: int = 60) -> str:
    flat = " ".join(question.split())
    return flat if len(flat) <= length else flat[: length - 1].rstrip() + "…"


def forget_document(db: sqlite3.Connection, document_id: str) -> None:
    """Removes the words of a document from every turn; inside the caller's transaction."""
    rows = db.execute(
        f"SELECT answered, {_TURN} FROM turn_documents JOIN turns ON id = turn_id WHERE document_id = ?", (document_id,)
    ).fetchall()
    for answered, *row in rows:
        turn = _without(_from_row(row), {document_id}, [document_id] if answered else [])
        db.execute(
            "UPDATE turns SET answer = ?, state = ?, citations = ?, context = ?, notes = ? WHERE id = ?",
            (turn.answer, turn.state, _json(turn.citations), _json(turn.context), json.dumps(turn.notes), turn.id),
        )
        # A later question may have been made to stand alone by words of the answer, and a summary may hold them.
        db.execute("UPDATE turns SET searched = '', summary = '' WHERE conversation_id = ?", (turn.conversation_id,))
    db.execute("DELETE FROM turn_documents WHERE document_id = ?", (document_id,))


def _documents(turn: StoredTurn) -> dict[str, bool]:
    """The documents whose words are in a turn, and whether they are in its answer: a citation quotes one, an abstention names the
    nearest, and what broke off was not attributed yet."""
    everything = turn.abstained or not turn.citations
    found = {passage.document_id: bool(turn.answer) and everything for passage in turn.context}
    return found | {citation.document_id: True for citation in turn.citations}


def _without(turn: StoredTurn, gone: Iterable[str], answered_from: Sequence[str]) -> StoredTurn:
    gone = set(gone)
    if answered_from:
        return replace(
            turn,
            state="removed",
            answer="",
            searched="",
            abstained=False,
            citations=(),
            context=(),
            notes=(),
            summary="",
        )
    return replace(turn, context=tuple(passage for passage in turn.context if passage.document_id not in gone))


def _exists(db: sqlite3.Connection, document_id: str) -> bool:
    return db.execute("SELECT 1 FROM documents WHERE id = ?", (document_id,)).fetchone() is not None


def _unknown(conversation_id: str) -> NotFound:
    return NotFound(f"There is no conversation {conversation_id}.", "GET /v1/conversations lists those there are.")


def _json(items: Sequence[KeptPassage] | Sequence[KeptCitation]) -> str:
    return json.dumps([asdict(item) for item in items], ensure_ascii=False)


def _insert(db: sqlite3.Connection, turn: StoredTurn) -> None:
    values = (
        turn.conversation_id,
        turn.parent,
        turn.question,
        turn.searched,
        turn.answer,
        turn.state,
        turn.abstained,
        _json(turn.citations),
        _json(turn.context),
        json.dumps(turn.notes, ensure_ascii=False),
        json.dumps(dict(turn.timings)),
        turn.generator,
        turn.summary,
        turn.error,
        turn.id,
        turn.at,
    )
    db.execute(f"INSERT INTO turns ({_TURN}) VALUES ({', '.join('?' * len(values))})", values)


def _from_row(row: Sequence[Any]) -> StoredTurn:
    fields = list(row)
    fields[6] = bool(fields[6])
    fields[7] = tuple(KeptCitation(**_places(item)) for item in json.loads(fields[7]))
    fields[8] = tuple(
        KeptPassage(**_places(item) | {name: tuple(item[name]) for name in ("headings", "sources")})
        for item in json.loads(fields[8])
    )
    fields[9] = tuple(json.loads(fields[9]))
    fields[10] = json.loads(fields[10])
    return StoredTurn(*fields)


def _places(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"boxes": tuple(tuple(box) for box in item["boxes"])}
