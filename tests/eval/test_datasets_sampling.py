"""Samples: in proportion, the same every time, stable when questions come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.datasets.corpus import TextCorpus
from eval.datasets.model import Dataset, Question
from eval.datasets.sampling import sample
from rag.errors import BadRequest


def ids(part: Dataset) -> set[str]:
    return {question.id for question in part.questions}


def test_samples_keep_kinds_and_are_part_of_larger_ones() -> None:
    questions = tuple(Question(f"q{n}", "?", kind="ab"[n % 2]) for n in range(40))
    labelled = Dataset("set", questions, {}, {}, TextCorpus(Path("set"), {}))
    small, large = sample(labelled, 8), sample(labelled, 20)
    assert [question.kind for question in small.questions].count("a") == 4
    assert ids(small) < ids(large)
    assert [q.id for q in large.questions] == [q.id for q in labelled.questions if q.id in ids(large)]
    assert ids(sample(labelled, 8, seed=1)) != ids(small)
    assert ids(sample(labelled, 99)) == ids(labelled)
    with pytest.raises(BadRequest, match="size"):
        sample(labelled, 0)
