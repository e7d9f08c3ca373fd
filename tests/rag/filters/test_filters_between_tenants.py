"""No filter expression reaches another tenant's chunk, whatever is asked and however: through the whole engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.answers import Access, Answer, Citation, Filter, Query, SearchResult
from rag.engine import Engine
from rag.fake_generator import ScriptedGenerator
from rag.filters import Expression, parse
from rag.options import Options
from rag.retrieval.recall import LexicalRetriever, VectorRetriever
from tests.rag.filters.filter_shelf import ENCODER, METADATA, WORD, Shelf, expressions, make_shelf

SPACE = ENCODER.space.id
TENANTS = ("a", "b", "c")
OWN = {t: {f"d{n}" for n, metadata in enumerate(METADATA) if metadata.get("tenant") == t} for t in TENANTS}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = make_shelf(tmp_path_factory.mktemp("tenants"))
    yield made
    made.library.close()


def engine(shelf: Shelf, *, leaky: bool = False, **options: Any) -> Engine:
    lexical: Any = LexicalRetriever(shelf.lexical)
    writer = ScriptedGenerator(f"It is {WORD} [1]. And {WORD} [2].")
    return Engine(
        library=shelf.library,
        encoder=ENCODER,
        retrievers=[
            Leaky() if leaky else lexical,
            VectorRetriever("dense", "text", SPACE, shelf.store, shelf.library),
            VectorRetriever("entries", "entries", SPACE, shelf.store, shelf.library),
        ],
        generate=lambda: writer,
        options=Options(abstain=False, **options),
    )


class Leaky:
    """A retriever that forgets the filter."""

    name = "lexical"

    def recall(self, need: object) -> list[tuple[str, float]]:
        return [(f"d{n}.{m}", 1.0) for n in range(len(METADATA)) for m in range(4)]


def access(tenant: str) -> Access:
    return Access(Filter(where=parse(f"metadata.tenant = {tenant}")))


@given(expressions(), st.sampled_from(TENANTS), st.sampled_from(["convex", "rrf"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_filter_reaches_another_tenant(shelf: Shelf, expression: Expression, tenant: str, fusion: str) -> None:
    query = Query(WORD, filter=Filter(where=expression), access=access(tenant), top_k=20, explain=True)
    for event in engine(shelf, fusion=fusion).answer(query):
        if isinstance(event, SearchResult | Answer):
            hits = event.hits if isinstance(event, SearchResult) else event.context
            assert {hit.document.id for hit in hits} <= OWN[tenant]
            for stage in event.stages:
                assert {id_.partition(".")[0] for id_, _ in stage.ranking} <= OWN[tenant]
        if isinstance(event, Answer):
            assert {citation.document.id for citation in event.citations} <= OWN[tenant]
            said = " ".join(content for _, content in event.prompt)
            others = {f"{WORD} {n} " for n in range(len(METADATA)) if f"d{n}" not in OWN[tenant]}
            assert not [text for text in others if text in said]
        if isinstance(event, Citation):
            assert event.document.id in OWN[tenant]


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_without_a_filter_finds_all_of_theirs(shelf: Shelf, tenant: str) -> None:
    found = engine(shelf).search(Query(WORD, access=access(tenant), top_k=50))
    assert {hit.document.id for hit in found.hits} == OWN[tenant]


def test_what_a_retriever_lets_through_is_not_read(shelf: Shelf) -> None:
    found = engine(shelf, leaky=True).search(Query(WORD, access=access("c"), top_k=50))
    assert {hit.document.id for hit in found.hits} == OWN["c"]


def test_an_access_that_allows_nothing_finds_nothing(shelf: Shelf, tmp_path: Path) -> None:
    nothing = Access(Filter(where=parse("name in ()")))
    assert engine(shelf).search(Query(WORD, access=nothing)).hits == ()
