"""The labels are right: every source exists, and holds on its page what a right answer has to contain."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from example_sources import CORPUS, holds, pages_of

from rag.language import language_of

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (CORPUS.parent / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
KINDS = {"text", "table", "figure", "scan", "image", "cross-language", "follow-up", "unanswerable"}
FIELDS = {"id", "question", "language", "answer", "source", "page", "kind", "answer_must_contain"}
ANSWERABLE = [question for question in QUESTIONS if question["kind"] != "unanswerable"]


def _name(question: dict[str, Any]) -> str:
    return str(question["id"])


def test_ids_are_unique_and_every_kind_occurs() -> None:
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    kinds = Counter(question["kind"] for question in QUESTIONS)
    assert set(kinds) == KINDS
    assert kinds["unanswerable"] >= 6
    assert kinds["cross-language"] >= 6


@pytest.mark.parametrize("question", QUESTIONS, ids=_name)
def test_the_shape_is_the_documented_one(question: dict[str, Any]) -> None:
    extra = {"turns"} if question["kind"] == "follow-up" else set()
    # Some have the place on the page, too.
    assert set(question) - {"box"} == FIELDS | extra
    assert "box" not in question or question["box"][0] == question["page"]
    assert question["language"] == language_of(question["question"])
    assert (question["answer"] is None) == (question["source"] is None) == (question["kind"] == "unanswerable")


@pytest.mark.parametrize("question", ANSWERABLE, ids=_name)
def test_the_page_holds_the_answer(question: dict[str, Any]) -> None:
    pages = pages_of(question["source"])
    assert question["page"] in pages
    for needed in question["answer_must_contain"]:
        assert holds(pages[question["page"]], needed), needed


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q["kind"] == "cross-language"], ids=_name)
def test_cross_language_means_another_language_than_the_source(question: dict[str, Any]) -> None:
    assert language_of(pages_of(question["source"])[question["page"]]) != question["language"]


def test_every_file_of_the_corpus_is_asked_about() -> None:
    files = {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file()}
    assert files == {question["source"] for question in ANSWERABLE}


def test_pictures_without_words_are_asked_for_by_what_they_show() -> None:
    empty = [question for question in ANSWERABLE if not question["answer_must_contain"]]
    assert [Path(question["source"]).name for question in empty] == ["valley-at-night.png"]


@pytest.mark.parametrize(
    ("text", "needed", "there"),
    [
        ("a total of 1,182 nights", "18", False),
        ("18 litres", "18", True),
        ("春茶于 3 月\n18 日开采", "3 月 18 日", True),
        ("61.8 618.0", "61.8", True),
        ("161.8", "61.8", False),
        ("ＲＲＦ", "rrf", True),
    ],
)
def test_what_counts_as_holding(text: str, needed: str, there: bool) -> None:
    assert holds(text, needed) == there
