"""Divisions and samples: whole groups, the same every time, stable when questions come and go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets.corpus import TextCorpus
from eval.datasets.model import Dataset, Question
from eval.datasets.split import groups, sample, split
from rag.errors import BadRequest


def dataset(judged: dict[str, dict[str, int]], others: tuple[Question, ...] = ()) -> Dataset:
    documents = sorted({document for grades in judged.values() for document in grades})
    questions = tuple(Question(id_, "?", kind="ab"[number % 2]) for number, id_ in enumerate(judged))
    corpus = TextCorpus(Path("set"), dict.fromkeys(documents, "text"))
    return Dataset("set", (*questions, *others), judged, {}, corpus)


def ids(part: Dataset) -> set[str]:
    return {question.id for question in part.questions}


def test_questions_of_a_document_stay_together() -> None:
    judged = {f"q{n}": {f"d{n // 3}": 1, "everywhere": 0} for n in range(30)}
    first, second = split(dataset(judged), 0.5)
    assert len(first.questions) == 15
    assert ids(first).isdisjoint(ids(second))
    assert {judged[id_].popitem()[0] for id_ in ids(first)} == {"everywhere"}
    for n in range(10):
        assert len({f"q{n * 3 + k}" for k in range(3)} & ids(first)) in (0, 3)
    assert first.corpus is second.corpus


def test_ties_reach_over_documents_and_groups() -> None:
    unanswerable = (
        Question("u1", "?", answerable=False, group="d3"),
        Question("u2", "?", answerable=False, group="article"),
        Question("u3", "?", answerable=False, group="article"),
    )
    found = groups(dataset({"a": {"d1": 1, "d2": 1}, "b": {"d2": 2, "d3": 1}, "c": {"d4": 1}}, unanswerable))
    assert {frozenset(q.id for q in part) for part in found} == {
        frozenset({"a", "b", "u1"}),
        frozenset({"c"}),
        frozenset({"u2", "u3"}),
    }


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=4), st.sets(st.integers(0, 12), min_size=1, max_size=2), min_size=2
    ),
    st.floats(0.05, 0.95),
    st.integers(0, 3),
)
def test_every_division_is_whole(asked: dict[str, set[int]], share: float, seed: int) -> None:
    labelled = dataset({id_: {f"d{n}": 1 for n in documents} for id_, documents in asked.items()})
    if len(groups(labelled)) < 2:
        with pytest.raises(BadRequest, match="hang together"):
            split(labelled, share, seed)
        return
    first, second = split(labelled, share, seed)
    assert ids(first)
    assert ids(second)
    assert ids(first) | ids(second) == asked.keys()
    assert ids(first).isdisjoint(ids(second))
    documents = [{d for id_ in ids(part) for d in labelled.documents[id_]} for part in (first, second)]
    assert documents[0].isdisjoint(documents[1])
    # The order in which a file lists its questions makes no difference.
    turned = replace(labelled, questions=labelled.questions[::-1])
    assert ids(split(turned, share, seed)[0]) == ids(first)
    off = abs(len(first.questions) / len(asked) - share)
    assert bool(first.warnings) == (off > 0.1)


def test_another_seed_is_another_division() -> None:
    labelled = dataset({f"q{n}": {f"d{n}": 1} for n in range(40)})
    assert split(labelled, 0.5) == split(labelled, 0.5)
    assert ids(split(labelled, 0.5, 1)[0]) != ids(split(labelled, 0.5, 2)[0])


@pytest.mark.parametrize("share", [0, 1, -0.5, 2])
def test_share_between_nothing_and_all(share: float) -> None:
    with pytest.raises(BadRequest, match="share"):
        split(dataset({"a": {"d1": 1}, "b": {"d2": 1}}), share)


def test_samples_keep_kinds_and_are_part_of_larger_ones() -> None:
    labelled = dataset({f"q{n}": {f"d{n}": 1} for n in range(40)})
    small, large = sample(labelled, 8), sample(labelled, 20)
    assert [question.kind for question in small.questions].count("a") == 4
    assert ids(small) < ids(large)
    assert [q.id for q in large.questions] == [q.id for q in labelled.questions if q.id in ids(large)]
    assert ids(sample(labelled, 8, seed=1)) != ids(small)
    assert ids(sample(labelled, 99)) == ids(labelled)
    with pytest.raises(BadRequest, match="size"):
        sample(labelled, 0)
