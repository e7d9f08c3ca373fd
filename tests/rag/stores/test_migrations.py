"""A library of an older schema opens as a current one, with everything in it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.documents import Chunk, Document
from rag.protocols import Space
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.schema import MIGRATIONS, migrate

SPACE = Space("test", "0" * 64, 4, "none")


def test_a_chunk_of_the_first_schema_has_no_window(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "library.sqlite3", isolation_level=None)
    old.executescript(f"BEGIN;\n{MIGRATIONS[0]}\nPRAGMA user_version = 1;\nCOMMIT;")
    old.execute(
        "INSERT INTO documents VALUES ('d', 'c', 'n', 'text/plain', 's', 'x', 1, 't', 'en', NULL, '{}', '', '[]', 0)"
    )
    old.execute(
        "INSERT INTO chunks (id, document_id, ordinal, kind, text, context, headings, boxes, tokens, language, digest)"
        " VALUES ('d.s.0', 'd', 0, 'text', 'Ducks swim.', 'Guide', '[]', '[]', 3, 'en', 'k')"
    )
    old.close()
    current = sqlite3.connect(tmp_path / "library.sqlite3", isolation_level=None)
    migrate(current)
    assert current.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert current.execute("SELECT text, window_first, window_last FROM chunks").fetchall() == [
        ("Ducks swim.", None, None)
    ]


def test_the_window_of_a_chunk_is_kept(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    sha256 = library.blobs.put_bytes(b"text")
    document = Document(Document.make_id("c", "n"), "c", "n", "text/plain", sha256, 4)
    alone = Chunk(f"{document.id}.x.0", document.id, 0, "text", "Ducks swim.")
    chunks = [alone, replace(alone, id=f"{document.id}.x.1", ordinal=1, window=(0, 1))]
    library.store_vectors(SPACE, digests_of(alone), np.ones((1, 4), np.float32))
    library.publish(Publication(document, "settings", [], [], chunks), SPACE.id)
    assert library.chunks(document.id) == chunks
    assert library.neighbours(chunks[1].id, 1, 0) == chunks


def test_a_chunk_is_in_its_own_window() -> None:
    with pytest.raises(ValueError, match="window"):
        Chunk("d.x.3", "d", 3, "text", "Ducks swim.", window=(4, 5))
