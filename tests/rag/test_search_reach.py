"""How many passages a search reads: what is asked for and a few more, and more only where repeats took the places."""

from collections.abc import Sequence

import pytest

from rag.answers import Query
from rag.documents import AnyChunk, Chunk, Document, DocumentRef
from rag.fake_generator import ScriptedGenerator
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.options import Options
from rag.retrieval.recall import LexicalRetriever
from rag.searcher import Searcher

ENCODER = HashingTextEncoder()
RULE = "Every visitor of the plant wears a helmet, glasses and closed shoes, and is led by somebody who works there on that day."


class CountingLibrary(MemoryLibrary):
    """Keeps how many chunks each reading asked for."""

    def __init__(self) -> None:
        super().__init__(ENCODER)
        self.read: list[int] = []

    def hydrate(self, chunk_ids: Sequence[str]) -> dict[str, tuple[AnyChunk, DocumentRef]]:
        self.read.append(len(chunk_ids))
        return super().hydrate(chunk_ids)

    def languages(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(chunk_ids, "en")


def searcher(texts: Sequence[str], **options: object) -> tuple[Searcher, CountingLibrary]:
    library = CountingLibrary()
    for n, text in enumerate(texts):
        name = f"{n:03}"
        chunk = Chunk(f"{name}.0", name, 0, "text", text, language="en")
        library.add(Document(name, "default", f"{name}.txt", "text/plain", "0", 1), [chunk])
    made = Searcher(
        library,
        ENCODER,
        [LexicalRetriever(library)],
        lambda: ScriptedGenerator(""),
        options=Options(rocchio=0.0, regularise=0.0, **options),  # type: ignore[arg-type]
    )
    return made, library


DIFFERENT = [f"The plant has hall {n}, with machine {n * 7} for part {n * n}." for n in range(150)]


def test_a_little_more_is_read_than_is_shown() -> None:
    made, library = searcher(DIFFERENT, depth=150)
    assert len(made.search(Query("plant hall machine", top_k=50)).hits) == 50
    assert library.read == [70]


def test_where_repeats_take_the_places_more_is_read() -> None:
    made, library = searcher([RULE] * 40 + DIFFERENT, depth=150)
    found = made.search(Query("visitor plant helmet glasses shoes", top_k=10)).hits
    assert len(found) == 10
    assert found[0].chunk.text == RULE
    assert len(found[0].places) == 39
    assert library.read == [30, 50]


@pytest.mark.parametrize(("options", "read"), [({"diversity": 0.1}, 50), ({"fold": "off"}, 30), ({}, 30)])
def test_diversity_chooses_among_more_than_it_leaves(options: dict[str, object], read: int) -> None:
    made, library = searcher(DIFFERENT, depth=150, **options)
    assert len(made.search(Query("plant hall machine", top_k=10)).hits) == 10
    assert library.read[0] == read
