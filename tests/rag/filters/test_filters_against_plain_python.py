"""Random filters: the same chunks by SQL, by the words, by the vectors, in memory, and by a plain reading of the documents."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rag.answers import Filter
from rag.documents import AnyChunk, Document
from rag.filters import And, Comparison, Expression, Not
from rag.retrieval import recall as recall_module
from rag.retrieval.recall import LexicalRetriever, Need, VectorRetriever
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.permitted import Permitted
from tests.rag.filters.filter_shelf import ENCODER, KEY, WORD, Shelf, expressions, make_shelf

_DATES = {"d0": date(2019, 3, 31), "d1": date(2020, 2, 29), "d2": date(2024, 1, 2), "d3": date(2024, 5, 1)}
"""Read off the metadata by hand."""
_NUMBERS = {"2019": 2019.0, "2020.5": 2020.5, "-3": -3.0, " 7 ": 7.0}
_FIRST = {"2019": date(2019, 1, 1), "2020-02": date(2020, 2, 1), "2024": date(2024, 1, 1), "1999": date(1999, 1, 1)}
_LAST = {
    "2019": date(2019, 12, 31),
    "2020-02": date(2020, 2, 29),
    "2024": date(2024, 12, 31),
    "1999": date(1999, 12, 31),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = make_shelf(tmp_path_factory.mktemp("library"))
    yield made
    made.library.close()


def plainly(expression: Expression, chunk: AnyChunk, document: Document) -> bool:
    if isinstance(expression, Not):
        return not plainly(expression.part, chunk, document)
    if not isinstance(expression, Comparison):
        verdicts = [plainly(part, chunk, document) for part in expression.parts]
        return all(verdicts) if isinstance(expression, And) else any(verdicts)
    have = _values(expression.field, chunk, document)
    if expression.operator == "!=":
        return not any(_holds("=", value, expression.values[0]) for value in have)
    if expression.operator == "in":
        return any(_holds("=", value, wanted) for value in have for wanted in expression.values)
    return any(_holds(expression.operator, value, expression.values[0]) for value in have)


def _values(field: str, chunk: AnyChunk, document: Document) -> list[Any]:
    if field.startswith("metadata."):
        found = [document.metadata.get(field[len("metadata.") :])]
    elif field == "heading":
        return list(chunk.headings)
    elif field in ("language", "kind", "page"):
        found = [getattr(chunk, field)]
    elif field == "date":
        found = [_DATES.get(document.id)]
    elif field == "added":
        found = [date.today()]
    else:
        found = [getattr(document, {"document": "id", "pages": "page_count"}.get(field, field))]
    return [value for value in found if value is not None]


def _holds(operator: str, value: Any, wanted: Any) -> bool:
    if operator == "contains":
        return str(wanted).lower() in value.lower()
    if operator == "starts_with":
        return bool(value.lower().startswith(wanted.lower()))
    low = high = wanted
    if isinstance(value, date):
        low = _FIRST[wanted] if wanted in _FIRST else date.fromisoformat(wanted)
        high = _LAST[wanted] if wanted in _LAST else date.fromisoformat(wanted)
    elif isinstance(value, str) and not isinstance(wanted, str):
        if value not in _NUMBERS:
            return False
        value = _NUMBERS[value]
    return {
        "=": lambda: low <= value <= high,
        "<": lambda: value < low,
        "<=": lambda: value <= high,
        ">": lambda: value > high,
        ">=": lambda: value >= low,
    }[operator]()


@given(expressions())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_filters_allow_what_a_plain_filter_allows(shelf: Shelf, expression: Expression) -> None:
    _compare(shelf, expression)


@pytest.mark.slow
@given(expressions())
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_thousand_filters_allow_what_a_plain_filter_allows(shelf: Shelf, expression: Expression) -> None:
    _compare(shelf, expression)


def _compare(shelf: Shelf, expression: Expression) -> None:
    allowed = Filter(where=expression)
    expected = {
        id_ for id_, chunk in shelf.chunks.items() if plainly(expression, chunk, shelf.documents[chunk.document_id])
    }
    ids = list(shelf.chunks)
    assert shelf.library.allows(ids, allowed) == expected
    assert shelf.memory.allows(ids, allowed) == expected
    assert {id_ for id_, _ in shelf.lexical.search("default", WORD, 100, allowed)} == expected
    texts = {id_ for id_ in expected if shelf.chunks[id_].kind != "image"}
    need = Need(WORD, "default", {KEY.space_id: ENCODER.encode_queries([WORD])[0]}, allowed, 100)
    for content, wanted in (("text", texts), ("entries", expected - texts)):
        found = VectorRetriever("dense", content, KEY.space_id, shelf.store, shelf.library).recall(need)
        assert {id_ for id_, _ in found} == wanted


@given(expressions())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_where_much_is_allowed_the_best_are_the_same(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, expression: Expression
) -> None:
    allowed = Filter(where=expression)
    need = Need(WORD, "default", {KEY.space_id: ENCODER.encode_queries([WORD])[0]}, allowed, 3)
    vectors = VectorRetriever("dense", "text", KEY.space_id, shelf.store, shelf.library)
    searched = SqliteLexicalIndex(shelf.library.database, Permitted(shelf.library.database, few=0))
    exactly = [vectors.recall(need), LexicalRetriever(shelf.lexical).recall(need)]
    with monkeypatch.context() as patch:
        patch.setattr(recall_module, "EXACT_LIMIT", 0)
        many = [vectors.recall(need), LexicalRetriever(searched).recall(need)]
    for one, other in zip(many, exactly, strict=True):
        # Which of equal ones come first is left open: sums of floats depend on their order.
        assert [score for _, score in one] == pytest.approx([score for _, score in other], rel=1e-5)
        assert shelf.library.allows([id_ for id_, _ in one], allowed) == {id_ for id_, _ in one}


def test_what_was_allowed_is_asked_again_after_a_change(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    allowed = Filter(names=frozenset({"six.html"}))
    assert shelf.lexical.search("default", WORD, 10, allowed)
    shelf.library.delete("d5")
    assert shelf.lexical.search("default", WORD, 10, allowed) == []
    shelf.library.close()


def test_a_long_list_is_no_long_statement(shelf: Shelf) -> None:
    many = Filter(document_ids=frozenset({"d1", *(f"x{n}" for n in range(4_900))}))
    began = time.perf_counter()
    assert {id_.partition(".")[0] for id_ in shelf.library.allows(list(shelf.chunks), many)} == {"d1"}
    assert time.perf_counter() - began < 5
