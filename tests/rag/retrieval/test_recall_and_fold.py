import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Filter, Hit
from rag.documents import AnyChunk, Chunk, Document, DocumentRef, ImageChunk, ImageEntry
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.near_duplicates import signature
from rag.protocols import IndexKey
from rag.retrieval import recall as recall_module
from rag.retrieval.fold import _digits, fold
from rag.retrieval.recall import LexicalRetriever, Need, VectorRetriever
from rag.stores.exact import ExactVectorStore

ENCODER = HashingTextEncoder()
SPACE = ENCODER.space.id


def chunk(n: int, text: str, document: str = "d") -> Chunk:
    return Chunk(f"{document}.{n}", document, n, "text", text, language="en")


@pytest.fixture
def shelf() -> tuple[MemoryLibrary, ExactVectorStore]:
    library, store = MemoryLibrary(ENCODER), ExactVectorStore()
    for name, texts in (("d", ["red apples", "green pears", "blue plums"]), ("e", ["red apples too", "grey stones"])):
        chunks: list[AnyChunk] = [chunk(n, text, name) for n, text in enumerate(texts)]
        library.add(Document(name, "default", f"{name}.txt", "text/plain", "0", 1), chunks)
        store.upsert(IndexKey("default", SPACE, "text"), [c.id for c in chunks], ENCODER.encode_passages(texts))
    return library, store


def need(text: str, allowed: Filter | None = None, depth: int = 10) -> Need:
    return Need(text, "default", {SPACE: ENCODER.encode_queries([text])[0]}, allowed or Filter(), depth)


def test_the_nearest_text_is_first(shelf: tuple[MemoryLibrary, ExactVectorStore]) -> None:
    retriever = VectorRetriever("dense", "text", SPACE, shelf[1], shelf[0])
    assert retriever.recall(need("green pears"))[0][0] == "d.1"
    assert len(retriever.recall(need("green pears", depth=2))) == 2


def test_without_a_vector_of_its_space_a_retriever_finds_nothing(shelf: tuple[MemoryLibrary, ExactVectorStore]) -> None:
    retriever = VectorRetriever("pixels", "pixels", "other", shelf[1], shelf[0])
    assert retriever.recall(need("green pears")) == []


@pytest.mark.parametrize("limit", [0, 5_000])
def test_filters_hold_for_few_and_for_many(
    shelf: tuple[MemoryLibrary, ExactVectorStore], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(recall_module, "EXACT_LIMIT", limit)
    retriever = VectorRetriever("dense", "text", SPACE, shelf[1], shelf[0])
    found = retriever.recall(need("red apples", Filter(names=frozenset({"e.txt"}))))
    assert {id_ for id_, _ in found} == {"e.0", "e.1"}
    assert found[0][0] == "e.0"
    assert LexicalRetriever(shelf[0]).recall(need("red apples", Filter(names=frozenset({"e.txt"}))))[0][0] == "e.0"


def test_entries_of_one_picture_do_not_crowd_out_another() -> None:
    store, library = ExactVectorStore(), MemoryLibrary(ENCODER)
    key = IndexKey("default", SPACE, "entries")
    store.upsert(key, ["p#0", "p#1"], ENCODER.encode_passages(["red apples", "red apple"]))
    store.upsert(key, ["q#0"], ENCODER.encode_passages(["red stones"]))
    retriever = VectorRetriever("entries", "entries", SPACE, store, library)
    assert [id_ for id_, _ in retriever.recall(need("red apples", depth=2))] == ["p", "q"]


def test_repeats_within_a_document_are_folded_and_others_are_not() -> None:
    def ref(name: str) -> DocumentRef:
        return DocumentRef(name, name, "text/plain", "default")

    picture = ImageChunk("d.9", "d", 9, "hash", "image/png", 1, 1, (ImageEntry("label", "cat"),))
    chunks: list[AnyChunk] = [
        chunk(0, "same  text"), chunk(1, "same text"), chunk(2, "other"), chunk(0, "same text", "e"), picture, picture,
    ]  # fmt: skip
    hits = [Hit(c, ref(c.document_id), 1.0 - n / 10) for n, c in enumerate(chunks)]
    assert [hit.chunk.id for hit in fold(hits, "same")] == ["d.0", "d.2", "e.0", "d.9"]


WORD = st.sampled_from(
    "plant hall pump valve press line shift crew not no 5 17 3.5 1,200 ５ ² ① Ⅳ ﬁne 第 三 车间 不".split()
)
LIKE = st.lists(WORD, min_size=24, max_size=40).map(" ".join)


@given(LIKE, st.integers(0, 3), st.data())
def test_what_says_nearly_the_same_is_always_compared(text: str, changes: int, data: st.DataObject) -> None:
    """The digits by which texts are sorted apart never part two that a full comparison calls the same."""
    words = text.split()
    for _ in range(changes):
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(WORD)
    changed = " ".join(words)
    changed = data.draw(st.sampled_from([changed, changed.upper(), unicodedata.normalize("NFKC", changed)]))
    if signature(text).same(signature(changed)):
        assert _digits(text) == _digits(changed)


def test_unit_vectors_of_the_fake() -> None:
    assert np.linalg.norm(ENCODER.encode_passages(["red"])[0]) == pytest.approx(1.0)
