"""Which questions hang together, whatever their order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eval.datasets.corpus import TextCorpus
from eval.datasets.groups import groups
from eval.datasets.model import Dataset, Question


def dataset(judged: dict[str, dict[str, int]], others: tuple[Question, ...] = ()) -> Dataset:
    documents = sorted({document for grades in judged.values() for document in grades})
    corpus = TextCorpus(Path("set"), dict.fromkeys(documents, "text"))
    return Dataset("set", (*(Question(id_, "?") for id_ in judged), *others), judged, {}, corpus)


def test_ties_reach_over_documents_and_groups() -> None:
    unanswerable = (
        Question("u1", "?", answerable=False, group="d3"),
        Question("u2", "?", answerable=False, group="article"),
        Question("u3", "?", answerable=False, group="article"),
    )
    judged = {"a": {"d1": 1, "d2": 1}, "b": {"d2": 2, "d3": 1}, "c": {"d4": 1, "d1": 0}}
    assert groups(dataset(judged, unanswerable)) == {"a": "a", "b": "a", "u1": "a", "c": "c", "u2": "u2", "u3": "u2"}


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=4), st.sets(st.integers(0, 12), min_size=1, max_size=2), min_size=1
    )
)
def test_no_document_answers_two_groups(asked: dict[str, set[int]]) -> None:
    labelled = dataset({id_: {f"d{n}": 1 for n in documents} for id_, documents in asked.items()})
    found = groups(labelled)
    assert found.keys() == asked.keys()
    answering = defaultdict(set)
    for id_, documents in asked.items():
        for document in documents:
            answering[document].add(found[id_])
    assert all(len(names) == 1 for names in answering.values())
    # The order in which a file lists its questions makes no difference.
    assert groups(replace(labelled, questions=labelled.questions[::-1])) == found
