"""Feedback in the library, and how an older library gets its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import NotFound
from rag.stores import schema
from rag.stores.database import Database
from rag.stores.feedback import CitedPlace, Feedback, FeedbackStore, forget_document

PLACE = CitedPlace("doc1.abc.0", "doc1", "reports/2024.pdf", 3, "158 hours in all", True)
GOOD = Feedback(
    "default",
    "answer",
    "up",
    "How many hours?",
    "158 hours [1].",
    citations=(PLACE,),
    context=("doc1.abc.0",),
    settings="f00",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "library.sqlite3")
    yield made
    made.close()


def test_what_is_put_comes_back_whole_and_in_order(database: Database) -> None:
    store = FeedbackStore(database)
    later = replace(GOOD, id="b", at=GOOD.at + 1, collection="other", rating="down", comment="按年份是错的")
    store.put(later)
    store.put(GOOD)
    assert store.all() == [GOOD, later]
    assert store.all("other") == [later]


def test_the_same_id_takes_the_earlier_ones_place(database: Database) -> None:
    store = FeedbackStore(database)
    store.put(GOOD)
    changed = replace(GOOD, rating="down", citations=())
    store.put(changed)
    assert store.all() == [changed]
    with database.transaction() as db:
        assert db.execute("SELECT count(*) FROM feedback_documents").fetchone() == (0,)


def test_it_goes_with_a_document_that_it_quotes(database: Database) -> None:
    store = FeedbackStore(database)
    other = replace(GOOD, id="b", citations=(replace(PLACE, document_id="doc2"),), context=())
    store.put(GOOD)
    store.put(other)
    with database.transaction() as db:
        forget_document(db, "doc1")
    assert store.all() == [other]
    with pytest.raises(NotFound):
        store.remove(GOOD.id)


def test_a_library_of_before_gets_the_tables_and_keeps_what_it_has(tmp_path: Path) -> None:
    before = schema.MIGRATIONS.index(schema._FEEDBACK)
    path = tmp_path / "library.sqlite3"
    old = sqlite3.connect(path, isolation_level=None)
    for step in schema.MIGRATIONS[:before]:
        old.executescript(step)
    old.execute(f"PRAGMA user_version = {before}")
    old.execute("INSERT INTO spaces VALUES ('s', 'm', 'w', 3, 'r')")
    old.close()
    database = Database(path)
    try:
        FeedbackStore(database).put(GOOD)
        assert FeedbackStore(database).all() == [GOOD]
        assert database.reader.execute("SELECT model FROM spaces").fetchall() == [("m",)]
        assert database.reader.execute("PRAGMA user_version").fetchone()[0] == len(schema.MIGRATIONS)
    finally:
        database.close()
