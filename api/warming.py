"""What a server reads into memory at its start: the first question would wait for the disk, and for all that is read once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rag.answers import Query
from rag.engine import Engine
from rag.protocols import IndexKey
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.read_ahead import read_ahead

COLLECTIONS = 4
"""The largest, that are prepared for."""


def warm_up(engine: Engine, library: SqliteLibrary, lexical: SqliteLexicalIndex, index_files: Iterable[Path]) -> None:
    """The library's file and the vector index's, the vectors of candidates, the commonest words; then a question to each collection."""
    read_ahead([library.database.path, *index_files])
    largest = sorted(library.collections().items(), key=lambda pair: -pair[1])[:COLLECTIONS]
    for collection, _ in largest:
        library.keep(IndexKey(collection, engine.encoder.space.id, "text"))
    lexical.warm_up()
    # Without what asks a generator, or computes for seconds.
    asking = replace(engine, options=replace(engine.options, variants=()), reranker=None)
    for collection, _ in largest:
        asking.search(Query("Where to begin?", collection))
