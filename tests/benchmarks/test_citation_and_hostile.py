"""The arithmetic of the two benchmarks of trust, and that their claims are what they are called."""

from __future__ import annotations

import random

import pytest

from benchmarks import citation_check as cc
from benchmarks import hostile_documents as hd


def test_wilsons_interval_by_hand() -> None:
    low, high = hd.wilson(0, 40)
    assert low == 0.0
    assert high == pytest.approx(3.8416 / 43.8416, abs=1e-4)
    assert hd.wilson(20, 40)[0] == pytest.approx(1 - hd.wilson(20, 40)[1])


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_an_attack_is_planted_without_changing_the_words(place: str) -> None:
    text = hd.planted("one two three four", "ATTACK", place)
    assert [w for w in text.split() if w != "ATTACK"] == ["one", "two", "three", "four"]
    assert "ATTACK" in text.splitlines()


def test_kinds_weigh_alike() -> None:
    count = {"a": [True] * 9 + [False], "b": [True], "x": [True, False, False, False], "y": [False] * 50}
    precision, recall = cc.precision_recall(count, ("a", "b"), ("x", "y"))
    assert recall == pytest.approx(0.95)
    assert precision == pytest.approx(1.9 / (1.9 + 0.25))


def test_changed_claims_differ_in_one_fact() -> None:
    text = "In 1952 Li Ming founded the garden. In 1987 Wang Qiang made it larger."
    sentence = text[:35]
    draw = random.Random(0)
    assert cc._number(sentence, text, draw, inside=True) == "In 1987 Li Ming founded the garden."
    outside = cc._number(sentence, text, draw, inside=False)
    assert outside != sentence
    assert "1987" not in outside
    assert cc._negated("The garden was founded.") == "The garden was not founded."
    assert cc._negated("It was not founded.") == "It was founded."
    assert cc._directed("It is larger, more than 30.") == "It is larger, less than 30."
    assert cc._reordered("One, two, three.") == "three, One, two."


def test_a_document_is_in_one_half_only() -> None:
    passages = [cc.Labelled(f"t{n}", "x", ()) for n in range(40)]
    tune, told = cc.half(passages, "tune"), cc.half(passages, "report")
    assert len(tune) + len(told) == 40
    assert not {p.title for p in tune} & {p.title for p in told}
