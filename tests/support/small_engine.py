"""An engine over a few one-passage documents, found by their words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.documents import Chunk, Document
from rag.engine import Engine
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.language import language_of
from rag.options import Options
from rag.protocols import Generator
from rag.retrieval.recall import LexicalRetriever


def small_engine(texts: Mapping[str, str], generator: Generator, options: Options, **parts: Any) -> Engine:
    """`texts` by document name; `parts` are further ones of the engine."""
    encoder = HashingTextEncoder()
    library = MemoryLibrary(encoder)
    for name, text in texts.items():
        library.add(
            Document(name, "default", name, "text/markdown", "0", 1),
            [Chunk(f"{name}.0", name, 0, "text", text, name, language=language_of(text))],
        )
    retrievers = [LexicalRetriever(library)]
    return Engine(library, encoder, retrievers, lambda: generator, options=options, **parts)
