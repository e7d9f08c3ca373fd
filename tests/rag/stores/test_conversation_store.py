"""Conversations in the library: branches, and what stays of them when documents go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.documents import Chunk, Document
from rag.errors import BadRequest, NotFound
from rag.protocols import Space
from rag.stores.conversations import (
    Conversation,
    ConversationStore,
    KeptCitation,
    KeptPassage,
    StoredTurn,
    path,
    title_from,
)
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of

SPACE = Space("test", "0" * 64, 4, "none")
SECRET = "Ducks swim in the zanzibar pond"


def publish(library: SqliteLibrary, name: str, text: str = SECRET) -> Document:
    library.register(SPACE)
    sha256 = library.blobs.put_bytes(text.encode())
    document = Document(Document.make_id("c", name), "c", name, "text/plain", sha256, len(text))
    chunk = Chunk(f"{document.id}.{sha256[:8]}.0", document.id, 0, "text", text)
    library.store_vectors(SPACE, digests_of(chunk), np.ones((1, 4), np.float32))
    library.publish(Publication(document, "settings", [], [], [chunk]), SPACE.id)
    return document


def passage(document: Document, text: str = SECRET) -> KeptPassage:
    return KeptPassage(f"{document.id}.0", document.id, document.name, "text/plain", "text", None, (), (), text, 0.5)


def citation(document: Document, quote: str = SECRET) -> KeptCitation:
    return KeptCitation(1, f"{document.id}.0", document.id, document.name, "text/plain", 2, (), quote, True, 0.9)


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    return SqliteLibrary(tmp_path)


@pytest.fixture
def store(library: SqliteLibrary) -> ConversationStore:
    return ConversationStore(library.database)


@pytest.fixture
def talk(store: ConversationStore) -> Conversation:
    made = Conversation("c")
    store.create(made)
    return made


def test_a_turn_comes_back_as_it_was(library: SqliteLibrary, store: ConversationStore, talk: Conversation) -> None:
    document = publish(library, "ducks.txt")
    turn = StoredTurn(
        talk.id,
        None,
        "What do ducks do?",
        "What do ducks do?",
        "They swim [1].",
        citations=(replace(citation(document), boxes=((1.0, 2.0, 3.0, 4.0, 5.0),)),),
        context=(replace(passage(document), headings=("Birds",), sources=("lexical",)),),
        notes=("a note",),
        timings={"total": 5.0},
        generator="scripted",
        summary="before",
    )
    assert store.put(turn) == turn
    assert store.turns(talk.id) == [turn]
    assert store.get(talk.id).title == "What do ducks do?"
    assert store.get(talk.id).turns == 1


def test_an_edited_turn_stands_beside_the_old_one(store: ConversationStore, talk: Conversation) -> None:
    first = store.put(StoredTurn(talk.id, None, "one"))
    second = store.put(StoredTurn(talk.id, first.id, "two"))
    third = store.put(StoredTurn(talk.id, second.id, "three"))
    edited = store.put(StoredTurn(talk.id, first.id, "two, edited"))

    def shown() -> list[str]:
        return [turn.question for turn in path(store.turns(talk.id), store.get(talk.id).head)]

    assert shown() == ["one", "two, edited"]
    store.show_branch(talk.id, second.id)
    assert shown() == ["one", "two", "three"], "down to its newest turn"
    assert store.get(talk.id).head == third.id
    store.show_branch(talk.id, edited.id)
    assert shown() == ["one", "two, edited"]


def test_turns_of_other_conversations_are_refused(store: ConversationStore, talk: Conversation) -> None:
    other = Conversation("c")
    store.create(other)
    turn = store.put(StoredTurn(other.id, None, "one"))
    with pytest.raises(BadRequest):
        store.put(StoredTurn(talk.id, turn.id, "two"))
    with pytest.raises(NotFound):
        store.show_branch(talk.id, turn.id)
    with pytest.raises(NotFound):
        store.put(StoredTurn("nowhere", None, "one"))


def test_a_deleted_conversation_leaves_nothing(
    library: SqliteLibrary, store: ConversationStore, talk: Conversation
) -> None:
    document = publish(library, "ducks.txt")
    store.put(StoredTurn(talk.id, None, "one", citations=(citation(document),)))
    store.remove(talk.id)
    for table in ("conversations", "turns", "turn_documents"):
        assert library.database.reader.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    with pytest.raises(NotFound):
        store.remove(talk.id)


def _words(library: SqliteLibrary) -> str:
    rows = library.database.reader.execute("SELECT * FROM turns").fetchall()
    return repr(rows) + repr(library.database.reader.execute("SELECT * FROM turn_documents").fetchall())


@pytest.mark.parametrize("how", ["cited", "abstained", "broke off", "found only"])
def test_a_deleted_document_leaves_no_words_in_any_turn(
    library: SqliteLibrary, store: ConversationStore, talk: Conversation, how: str
) -> None:
    secret, other = publish(library, "secret.txt"), publish(library, "other.txt", "Geese fly")
    context = (passage(secret), passage(other, "Geese fly"))
    turn = StoredTurn(talk.id, None, "What swims?", "What swims?", f"{SECRET} [1].", context=context)
    turn = {
        "cited": replace(turn, citations=(citation(secret),)),
        "abstained": replace(turn, abstained=True, answer="Nearest: secret.txt"),
        "broke off": replace(turn, state="incomplete"),
        "found only": replace(turn, answer="Geese fly [2].", citations=(citation(other, "Geese fly"),)),
    }[how]
    first = store.put(turn)
    store.put(
        StoredTurn(
            talk.id,
            first.id,
            "And?",
            f"And? ({SECRET})",
            "Yes.",
            summary=SECRET,
            citations=(citation(other, "Geese fly"),),
        )
    )
    library.delete(secret.id)
    said = _words(library)
    assert "zanzibar" not in said
    left = store.turns(talk.id)[0]
    assert left.question == "What swims?"
    if how == "found only":
        assert (left.state, left.answer) == ("complete", "Geese fly [2].")
        assert [kept.document for kept in left.context] == ["other.txt"]
    else:
        assert (left.state, left.answer, left.citations, left.context) == ("removed", "", (), ())
    assert secret.id not in said


def test_a_new_version_of_a_document_leaves_turns_alone(
    library: SqliteLibrary, store: ConversationStore, talk: Conversation
) -> None:
    document = publish(library, "ducks.txt")
    turn = store.put(StoredTurn(talk.id, None, "one", answer="a", citations=(citation(document),)))
    publish(library, "ducks.txt", "Ducks fly")
    assert store.turns(talk.id) == [turn]


def test_a_document_that_went_while_the_answer_was_written_leaves_nothing(
    library: SqliteLibrary, store: ConversationStore, talk: Conversation
) -> None:
    document = publish(library, "ducks.txt")
    library.delete(document.id)
    kept = store.put(StoredTurn(talk.id, None, "one", answer=SECRET, citations=(citation(document),)))
    assert kept.state == "removed"
    assert "zanzibar" not in _words(library)


def test_a_title_is_one_short_line() -> None:
    assert title_from(" What\n is it? ") == "What is it?"
    assert len(title_from("word " * 50)) <= 60
