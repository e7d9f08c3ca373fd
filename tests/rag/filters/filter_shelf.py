"""Documents with everything that a filter can ask for, in a real library, in the one in memory, and as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from rag.documents import AnyChunk, Chunk, Document, ImageChunk, ImageEntry
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.filters import And, Comparison, Expression, Not, Or
from rag.protocols import IndexKey
from rag.stores.exact import ExactVectorStore
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of

ENCODER = HashingTextEncoder(32)
KEY = IndexKey("default", ENCODER.space.id, "text")

METADATA: list[dict[str, str]] = [
    {"tenant": "a", "author": "Li Hua", "year": "2019", "date": "2019-03-31"},
    {"tenant": "b", "author": "O'Brien", "year": "2020.5", "created": "D:20200229101010+01'00'"},
    {"tenant": "a", "author": "李华", "year": "abc", "date": "Tue, 02 Jan 2024 10:00:00 +0000"},
    {"tenant": "b", "modified": "2024-05-01T08:00:00", "created": "2001-01-01"},
    {"tenant": "c", "year": "-3", "odd key": 'a "quoted" % _ value'},
    {"tenant": "a", "year": " 7 ", "date": "last week"},
    {},
]
NAMES = ["reports/one.pdf", "reports/Two.pdf", "草稿/三.md", "four_%.txt", "reports/five.md", "six.html", "七.txt"]
TYPES = ["application/pdf", "text/markdown", "text/html"]
TITLES = ["Annual Report", "年度报告", ""]
HEADINGS: list[tuple[str, ...]] = [
    (),
    ("Introduction",),
    ("Introduction", "Scope"),
    ("安装", "INSTALL"),
    ("50% _off_",),
]
WORD = "granite"


@dataclass
class Shelf:
    library: SqliteLibrary
    memory: MemoryLibrary
    store: ExactVectorStore
    lexical: SqliteLexicalIndex
    documents: dict[str, Document]
    chunks: dict[str, AnyChunk]


def make_shelf(folder: Path) -> Shelf:
    library, memory, store = SqliteLibrary(folder), MemoryLibrary(ENCODER), ExactVectorStore()
    library.register(ENCODER.space)
    documents, chunks = {}, {}
    for number, (name, metadata) in enumerate(zip(NAMES, METADATA, strict=True)):
        made = _chunks(f"d{number}", number)
        document = Document(
            f"d{number}", "default", name, TYPES[number % 3], library.blobs.put_bytes(name.encode()), 100 * number,
            TITLES[number % 3], "en", None if number % 3 == 2 else number, metadata,
        )  # fmt: skip
        for chunk in made:
            texts = [e.text for e in chunk.entries] if isinstance(chunk, ImageChunk) else [chunk.embedded_text]
            vectors = ENCODER.encode_passages(texts)
            library.store_vectors(ENCODER.space, digests_of(chunk), vectors)
            pictured = isinstance(chunk, ImageChunk)
            key = IndexKey("default", ENCODER.space.id, "entries" if pictured else "text")
            store.upsert(key, [f"{chunk.id}#{n}" for n in range(len(texts))] if pictured else [chunk.id], vectors)
        library.publish(Publication(document, "s", [], [], made), ENCODER.space.id)
        memory.add(document, made)
        documents[document.id] = document
        chunks |= {chunk.id: chunk for chunk in made}
    return Shelf(library, memory, store, SqliteLexicalIndex(library.database, library.permitted), documents, chunks)


def _chunks(document: str, number: int) -> list[AnyChunk]:
    texts: list[AnyChunk] = [
        Chunk(
            f"{document}.{n}", document, n, "table" if n == 2 else "text", f"{WORD} {number} {n}",
            headings=HEADINGS[(number + n) % len(HEADINGS)], page=None if number % 3 == 2 else n + 1,
            language="zh" if (number + n) % 3 == 0 else "en",
        )
        for n in range(4)
    ]  # fmt: skip
    entries = (ImageEntry("label", f"{WORD} picture {number}"), ImageEntry("name", NAMES[number]))
    return [*texts, ImageChunk(f"{document}.p", document, 4, "0" * 64, "image/png", 9, 9, entries, language="en")]


_LITERALS: dict[str, list[str | float | int]] = {
    "collection": ["default", "other"],
    "document": ["d0", "d3", "d9", "' OR 1=1 --"],
    "name": [*NAMES, "reports/", "PDF", "%", "_"],
    "title": [*TITLES, "report", "年"],
    "media_type": [*TYPES, "text/"],
    "size": [0, 100, 299.5, 600],
    "pages": [0, 1, 3, 4],
    "date": ["2019", "2020-02", "2020-02-29", "2024-05-01", "2024"],
    "added": ["1999", "2999-01-01"],
    "language": ["en", "zh", "EN"],
    "kind": ["text", "table", "image"],
    "page": [1, 2, 3, 2.5],
    "heading": ["Introduction", "安装", "install", "50%", ""],
    "metadata.tenant": ["a", "b", "c"],
    "metadata.author": ["Li Hua", "O'Brien", "o'", "李"],
    "metadata.year": [2019, 2020.5, "2019", "abc", -3, 7, 0],
    "metadata.odd key": ['a "quoted" % _ value', '"'],
    "metadata.nothing": ["a", 1],
}
_OPERATORS = {
    "text": ["=", "!=", "in", "contains", "starts_with"],
    "number": ["=", "!=", "in", "<", "<=", ">", ">="],
    "mixed": ["=", "!=", "in", "<", "<=", ">", ">="],
}
_ORDERED = ("size", "pages", "date", "added", "page", "metadata.year", "metadata.nothing")


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    field = draw(st.sampled_from(sorted(_LITERALS)))
    values = _LITERALS[field]
    operator = draw(st.sampled_from(_OPERATORS["number" if field in _ORDERED else "text"]))
    if operator == "in":
        return Comparison(field, operator, tuple(draw(st.lists(st.sampled_from(values), max_size=3))))
    return Comparison(field, operator, (draw(st.sampled_from(values)),))


def expressions() -> st.SearchStrategy[Expression]:
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=5,
    )
