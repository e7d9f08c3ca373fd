"""One contract for every library that the question flow can read, and for its lexical index."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from rag.answers import Filter
from rag.documents import AnyChunk, Box, Chunk, Document, DocumentRef, Element, ImageChunk, ImageEntry, Line
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.protocols import IndexKey, LexicalIndex, Library
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of

ENCODER = HashingTextEncoder()
KEY = IndexKey("default", ENCODER.space.id, "text")
BRIDGE = ImageChunk(
    "p1.0", "p1", 0, "f" * 64, "image/png", 9, 9,
    (ImageEntry("caption", "Over the river"), ImageEntry("label", "bridge"), ImageEntry("ocr", "TOLL"), ImageEntry("nearby", "Built in 1889.")),
    language="en",
)  # fmt: skip

ELEMENTS = [
    Element("heading", "Animals", 1, (Box(1, 50, 20, 200, 34),), level=1),
    Element("paragraph", "Pandas eat.", 2, (Box(2, 1, 2, 3, 8),), lines=(Line(6, Box(2, 1, 2, 3, 4.5)), Line(11, Box(2, 1, 5, 3, 8)))),
    Element("table", "| a |", None),
]  # fmt: skip


@dataclass
class Shelf:
    library: Library
    lexical: LexicalIndex
    chunks: list[AnyChunk]
    ref: DocumentRef


@pytest.fixture(params=["memory", "sqlite"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    texts = [
        ("en", "Pandas eat bamboo all day"),
        ("zh", "熊猫整天吃竹子"),
        ("en", "Rockets burn kerosene"),
        ("en", "The end"),
    ]
    document = Document("d1", "default", "animals.txt", "text/plain", "0" * 64, 1)
    chunks: list[AnyChunk] = [
        Chunk(f"d1.{n}", "d1", n, "text", text, "Animals", language=language)
        for n, (language, text) in enumerate(texts)
    ]
    if request.param == "memory":
        memory = MemoryLibrary(ENCODER)
        memory.add(document, chunks, ELEMENTS)
        memory.add(Document("p1", "pictures", "bridge.png", "image/png", "f" * 64, 1), [BRIDGE])
        return Shelf(memory, memory, chunks, document.ref)
    library = SqliteLibrary(tmp_path)
    library.register(ENCODER.space)
    sha256 = library.blobs.put_bytes(b"animals")
    document = Document("d1", "default", "animals.txt", "text/plain", sha256, 1)
    library.store_vectors(
        ENCODER.space,
        [digests_of(chunk)[0] for chunk in chunks],
        ENCODER.encode_passages([chunk.embedded_text for chunk in chunks if isinstance(chunk, Chunk)]),
    )
    library.publish(Publication(document, "s", [], [(element, None) for element in ELEMENTS], chunks), ENCODER.space.id)
    texts_of = [entry.text for entry in BRIDGE.entries]
    library.store_vectors(ENCODER.space, digests_of(BRIDGE), ENCODER.encode_passages(texts_of))
    picture = Document("p1", "pictures", "bridge.png", "image/png", library.blobs.put_bytes(b"bridge"), 1)
    library.publish(Publication(picture, "s", [], [], [BRIDGE]), ENCODER.space.id)
    return Shelf(library, SqliteLexicalIndex(library.database), chunks, document.ref)


def test_hydrates_what_exists(shelf: Shelf) -> None:
    found = shelf.library.hydrate(["d1.2", "nothing", "d1.0"])
    assert found == {"d1.0": (shelf.chunks[0], shelf.ref), "d1.2": (shelf.chunks[2], shelf.ref)}
    assert shelf.library.hydrate([]) == {}


def test_elements_of_pages(shelf: Shelf) -> None:
    assert shelf.library.elements("d1", {1, 2}) == ELEMENTS[:2]
    assert shelf.library.elements("d1", {2}) == ELEMENTS[1:2]
    assert shelf.library.elements("d1", {9}) == []
    assert shelf.library.elements("nothing", {1}) == []


def test_neighbours(shelf: Shelf) -> None:
    assert [c.id for c in shelf.library.neighbours("d1.1", 1, 1)] == ["d1.0", "d1.1", "d1.2"]
    assert [c.id for c in shelf.library.neighbours("d1.3", 1, 5)] == ["d1.2", "d1.3"]
    assert shelf.library.neighbours("nothing", 1, 1) == []


def test_filters_by_language(shelf: Shelf) -> None:
    chinese = Filter(languages=frozenset({"zh"}))
    assert shelf.library.allows(["d1.0", "d1.1"], chinese) == {"d1.1"}
    found = shelf.library.allowed_vectors(KEY, chinese, 10)
    assert found is not None
    ids, vectors = found
    assert ids == ["d1.1"]
    assert vectors.shape == (1, ENCODER.space.dimension)
    assert shelf.library.allowed_vectors(KEY, Filter(languages=frozenset({"en"})), 2) is None


def test_tells_what_was_seen_on_a_picture_from_what_was_written_of_it(shelf: Shelf) -> None:
    assert shelf.library.seen_entries(["d1.0", "p1.0", "gone"]) == {"p1.0#1", "p1.0#2"}
    assert shelf.library.seen_entries([]) == set()


def test_finds_words_of_both_languages(shelf: Shelf) -> None:
    assert shelf.lexical.search("default", "what do pandas eat?", 5)[0][0] == "d1.0"
    assert shelf.lexical.search("default", "熊猫吃什么？", 5)[0][0] == "d1.1"


def test_scores_fall_and_the_number_is_bounded(shelf: Shelf) -> None:
    found = shelf.lexical.search("default", "animals pandas rockets", 3)
    assert len(found) == 3
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_finds_nothing_elsewhere_and_for_nothing(shelf: Shelf) -> None:
    assert shelf.lexical.search("other", "pandas", 5) == []
    assert shelf.lexical.search("default", " ?! ", 5) == []
    assert shelf.lexical.search("default", "pandas", 5, Filter(names=frozenset({"other.txt"}))) == []
