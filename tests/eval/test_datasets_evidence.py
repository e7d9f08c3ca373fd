"""Spans and quotes found again in passages, whatever a chunker made of the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets.carried import evidence_recall
from eval.datasets.corpus import FileCorpus, TextCorpus
from eval.datasets.evidence import Evidence, coverage, covers, evidence
from eval.datasets.model import Dataset, Question

TEXT = "In 1973 the price rose. By 1974 it was four times that of 1973, and in 1975 it fell."


def dataset(spans: dict[str, set[tuple[str, int, int]]], text: str = TEXT) -> Dataset:
    frozen = {id_: frozenset(of) for id_, of in spans.items()}
    questions = tuple(Question(id_, "?") for id_ in spans)
    return Dataset("set", questions, {}, {}, TextCorpus(Path("set"), {"d": text}), (), frozen)


def second_1973() -> Evidence:
    at = TEXT.rindex("1973")
    (found,) = evidence(dataset({"q": {("d", at, at + 4)}}), "q")
    return found


def test_span_knows_what_stands_around_it() -> None:
    found = second_1973()
    assert (found.document, found.text) == ("d", "1973")
    assert found.before.endswith("four times that of ")
    assert found.after.startswith(", and in 1975")


@pytest.mark.parametrize(
    ("passage", "carried"),
    [
        (TEXT, True),
        ("By 1974 it was four times that of 1973, and in 1975 it fell.", True),
        # unwrapped lines, another case, a table drawn around it
        ("| by 1974 it WAS four\n  times that\nof 1973 | and in 1975 it fell.", True),
        # the other 1973 of the same document
        ("In 1973 the price rose.", False),
        ("In 1973 the price rose. By 1974 it was", False),
        # cut before and within the span
        ("By 1974 it was four times that of", False),
        ("By 1974 it was four times that of 19", False),
        ("", False),
    ],
)
def test_the_passage_with_the_span_is_told_from_others_with_its_words(passage: str, carried: bool) -> None:
    assert covers(passage, second_1973()) is carried


@given(st.text("ab 中文1.\n", min_size=1, max_size=80), st.data())
def test_every_passage_around_a_span_carries_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    left, right = data.draw(st.integers(0, start)), data.draw(st.integers(end, len(text)))
    (found,) = evidence(dataset({"q": {("d", start, end)}}, text), "q")
    if any(character.isalnum() for character in text[start:end]):
        assert covers(text[left:right], found)
        assert coverage([text[left:right]], found) == 1


@pytest.mark.parametrize(
    ("quote", "passage", "carried"),
    [
        ("$150 per year.", "VPN: **$150** per\nyear", True),
        ("| CISO | #ciso |", "| Member | Channel |\n| --- | --- |\n| CISO | #ciso |\n| CFO | #finance |", True),
        ("![Office Supplies](/images/a.png)", "Office Supplies", True),
        ("ＡＢＣ株式会社", "abc株式会社は", True),
        ("二〇二五年", "在二〇二五年采摘", True),
        ("18", "In 2018 it rose", False),
        ("18", "It rose by 18 %", True),
        ("cat", "concatenate", False),
        ("four times … it fell", TEXT, True),
        ("it fell ... four times", TEXT, False),
        ("...", TEXT, False),
    ],
)
def test_quotes(quote: str, passage: str, carried: bool) -> None:
    assert covers(passage, Evidence("d", quote)) is carried


def test_a_long_quote_may_be_shortened_and_a_short_one_not() -> None:
    passage = "Co-working space is reimbursable for one-off days during travel. Ask first. Spaces must be managed by professionals."
    quote = "Co-working space is reimbursable for one-off days during travel. Spaces must be managed by professionals."
    assert covers(passage, Evidence("d", quote))
    assert not covers(passage.replace("managed by professionals", "clean"), Evidence("d", quote))
    assert not covers("Ask. Then first", Evidence("d", "Ask first"))


def test_coverage_of_pieces() -> None:
    quote = Evidence("d", "abcdefghijklmnopqrstuvwx")
    assert coverage(["abcdefghijkl", "mnopqrstuvwx"], quote) == 1
    assert coverage(["… abcdefghijkl"], quote) == 0.5
    assert coverage(["abcdefghijk"], quote) == 0
    assert coverage([], quote) == 0
    assert coverage(["x"], Evidence("d", "…")) == 0


def test_spans_of_real_files_are_left_to_quotes() -> None:
    corpus = FileCorpus(Path(), ("a.pdf",))
    quotes = {"q": frozenset({("a.pdf", "two"), ("a.pdf", "one")})}
    found = Dataset("set", (), {}, {}, corpus, (), {"q": frozenset({("a.pdf", 0, 3)})}, quotes)
    assert [one.text for one in evidence(found, "q")] == ["one", "two"]
    assert evidence(found, "other") == ()


def test_passages_that_carry_evidence_are_counted_in_their_document_only() -> None:
    wanted = [Evidence("d", "one"), Evidence("d", "two"), Evidence("e", "three"), Evidence("e", "four")]
    passages = [("x", "one two three"), ("d", "nothing"), ("d", "two and one"), ("e", "thirty-three"), ("e", "four")]
    assert [evidence_recall(passages, wanted, k) for k in (2, 3, 4, 5)] == [0, 0.5, 0.75, 1]
    assert evidence_recall(passages, [], 5) == 0
