"""A retriever that nobody but its author knows: it joins fusion, schemes and depths by being listed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from rag.answers import Filter, Query
from rag.documents import AnyChunk, Chunk, Document
from rag.engine import Engine
from rag.errors import BadSetting
from rag.fake_generator import ScriptedGenerator
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.options import Options
from rag.plug_in import load
from rag.protocols import IndexKey
from rag.retrieval.convex import convex_combination
from rag.retrieval.recall import LexicalRetriever, Need, Ranking, VectorRetriever
from rag.stores.exact import ExactVectorStore

ENCODER = HashingTextEncoder()
TEXTS = ("Bamboo feeds the panda.", "Granite is a rock.", "A comet has a tail.")


@dataclass
class Told:
    """Finds what it is told to, and remembers what it was asked."""

    found: Sequence[tuple[str, float]]
    name: str = "sparse"
    asked: Need | None = None

    def recall(self, need: Need) -> Ranking:
        self.asked = need
        return list(self.found)[: need.depth]


def engine(retriever: Told, **options: object) -> Engine:
    library, store = MemoryLibrary(ENCODER), ExactVectorStore()
    chunks: list[AnyChunk] = [Chunk(f"c{n}", "d", n, "text", text, "d") for n, text in enumerate(TEXTS)]
    library.add(Document("d", "default", "d", "text/plain", "0", 1), chunks)
    store.upsert(IndexKey("default", ENCODER.space.id, "text"), ["c0", "c1", "c2"], ENCODER.encode_passages(TEXTS))
    return Engine(
        library=library,
        encoder=ENCODER,
        retrievers=[
            VectorRetriever("dense", "text", ENCODER.space.id, store, library),
            LexicalRetriever(library),
            retriever,
        ],
        generate=lambda: ScriptedGenerator(""),
        options=Options(regularise=0.0, rocchio=0.0, **options),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("fusion", ["convex", "rrf"])
def test_what_it_finds_counts(fusion: str) -> None:
    without = engine(Told([]), fusion=fusion).search(Query("bamboo")).hits
    found = (
        engine(Told([("c2", 4.0), ("c1", 1.0)]), fusion=fusion, weights={"sparse": 5.0}).search(Query("bamboo")).hits
    )
    assert without[0].chunk.id == "c0"
    assert found[0].chunk.id == "c2"
    assert found[0].ranks["sparse"] == 1


def test_it_is_a_family_of_its_own_from_its_last_to_its_best() -> None:
    fused = convex_combination({"dense": [("a", 0.9), ("b", 0.7)], "sparse": [("b", 30.0), ("c", 20.0), ("d", 10.0)]})
    assert {f.chunk_id: f.score for f in fused} == {"b": 0.5, "a": 0.5, "c": 0.25, "d": 0.0}
    assert [f.chunk_id for f in convex_combination({"sparse": [("b", 2.0)]}, weights={"sparse": 0.0})] == []


def test_it_has_a_depth_of_its_own_and_sees_the_filter() -> None:
    told = Told([("c2", 4.0), ("c1", 1.0)])
    only = Filter(names=frozenset({"d"}))
    result = engine(told, depths={"sparse": 1}).search(Query("bamboo", filter=only, explain=True))
    assert told.asked is not None
    assert (told.asked.depth, told.asked.allowed.names) == (1, frozenset({"d"}))
    assert next(stage for stage in result.stages if stage.name == "sparse").ranking == (("c2", 4.0),)


def test_the_scheme_of_vectors_leaves_it_out() -> None:
    told = Told([("c2", 4.0)])
    engine(told).search(Query("bamboo", scheme="vector"))
    assert told.asked is None


def test_it_is_found_by_its_name() -> None:
    assert load("rag.fakes:HashingTextEncoder", "retrieval.further") is HashingTextEncoder
    for wrong in ("rag.fakes", "rag.fakes:Nobody", "nobody.here:x", ":x"):
        with pytest.raises(BadSetting, match=r"package\.module:object") as raised:
            load(wrong, "retrieval.further")
        assert "retrieval.further" in raised.value.remedy
