"""Reviewing a set: every decision in the file at once, nothing else touched, resumable; and sets from feedback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from eval.generate.from_feedback import from_feedback
from eval.review.screen import screen
from eval.review.session import Session
from rag.errors import BadRequest, NotFound
from rag.stores.question_sets import STATES, QuestionSet, decided, find_sets, state_of

LINES: list[dict[str, Any]] = [
    {"id": "1", "question": "How long?", "answer": "71 hours", "source": "a.pdf", "page": 2, "state": "proposed"},
    {"id": "2", "question": "茶园有多少户？", "answer": "47 户", "source": "茶.pdf", "state": "accepted"},
    {
        "id": "3",
        "question": "How long in 1999?",
        "answer": None,
        "source": None,
        "unanswerable": True,
        "state": "proposed",
    },
    {"id": "4", "question": "By hand?", "answer": "yes", "source": "b.md"},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "set" / "questions.jsonl"
    made.parent.mkdir()
    # Written by another program: other white space, an empty line, a line separator inside a text.
    texts = [json.dumps(line, ensure_ascii=False) for line in LINES]
    texts[1] = texts[1].replace(": ", ":").replace("47 户", "47\u2028户")
    made.write_text("\n".join([texts[0], texts[1], "", texts[2], texts[3]]) + "\n", encoding="utf-8")
    return made


def test_a_review_goes_through_what_is_open_and_goes_on_where_it_stopped(path: Path) -> None:
    session = Session(QuestionSet(path))
    assert session.current is not None
    assert session.current["id"] == "1"
    assert session.place == (1, 2)
    session.accept()
    assert json.loads(path.read_text(encoding="utf-8").split("\n")[0])["state"] == "accepted"
    # Somebody stops here; the next session knows.
    session = Session(QuestionSet(path.parent))
    assert session.current is not None
    assert session.current["id"] == "3"
    session.skip()
    assert session.current is None
    session.back()
    session.reject()
    assert session.current is None
    assert session.decided == {"questions": 4, "proposed": 0, "accepted": 3, "edited": 0, "rejected": 1}
    assert Session(QuestionSet(path), everything=True).place == (1, 4)


def test_the_way_back_decides_anew(path: Path) -> None:
    session = Session(QuestionSet(path))
    session.reject()
    session.back()
    session.edit("How long was it closed?", "71 h")
    record = QuestionSet(path).read()[0]
    assert (record["state"], record["question"], record["answer"]) == ("edited", "How long was it closed?", "71 h")
    session.back()
    session.accept()
    record = QuestionSet(path).read()[0]
    assert (record["state"], record["question"], record["answer"]) == ("accepted", "How long?", "71 hours")
    assert "original" not in record


def test_every_other_line_stays_byte_for_byte(path: Path) -> None:
    before = path.read_bytes().split(b"\n")
    QuestionSet(path).decide("3", "accepted")
    after = path.read_bytes().split(b"\n")
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, True, True, False, True, True]
    assert [entry.name for entry in path.parent.iterdir()] == ["questions.jsonl"]


def test_what_is_wrong_is_named(path: Path) -> None:
    with pytest.raises(NotFound, match="'9'"):
        QuestionSet(path).decide("9", "accepted")
    with pytest.raises(BadRequest, match="needs a text"):
        QuestionSet(path).decide("1", "edited", question=" ")
    path.write_text('{"id": "1", "question": "?"}\n{"id"\n', encoding="utf-8")
    with pytest.raises(BadRequest, match="line 2"):
        QuestionSet(path).read()
    with pytest.raises(BadRequest, match="cannot be read"):
        QuestionSet(path.parent / "none.jsonl").read()


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.text(min_size=1).filter(str.strip)), max_size=6),
    st.sampled_from(LINES),
)
def test_no_decision_loses_the_proposal(steps: list[tuple[Any, str]], line: dict[str, Any]) -> None:
    now = dict(line)
    for state, text in steps:
        now = decided(now, state, text, text)
        assert state_of(now) == state
    kept = now.get("original", now)
    assert (kept["question"], kept["answer"]) == (line["question"], line["answer"])


def test_sets_of_a_folder_by_name(path: Path) -> None:
    (path.parent.parent / "other.jsonl").write_text("", encoding="utf-8")
    (path.parent.parent / "notes.txt").write_text("", encoding="utf-8")
    assert list(find_sets(path.parent.parent)) == ["other", "set"]
    assert find_sets(path.parent / "nowhere") == {}


def test_the_screen_shows_question_answer_and_the_passage_around_its_quote() -> None:
    text = "\n".join(f"line {n}" for n in range(60))
    start = text.index("line 40")
    made = {"passage": text, "span": [start, start + 7], "source": "a.pdf", "page": 2, "written_by": "rules"}
    console = Console(width=80, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    console.print(screen(LINES[0] | {"provenance": made, "kind": "table"}, (3, 9)))
    shown = console.export_text()
    for wanted in ("3 of 9", "How long?", "71 hours", "a.pdf, page 2", "line 40", "…"):
        assert wanted in shown
    assert "line 3\n" not in shown
    console.print(
        screen(LINES[2] | {"provenance": {"altered": {"question": "How long?", "from": "2025", "to": "1999"}}}, (1, 1))
    )
    shown = console.export_text()
    assert "no document answers this" in shown
    assert "2025 → 1999" in shown


# --- from feedback ---------------------------------------------------------------------------------------------------


def said(
    question: str,
    rating: str,
    at: float = 0,
    *,
    target: str = "answer",
    cited: tuple[tuple[str, int | None], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    citations = [
        {
            "chunk_id": f"{name}.0",
            "document_id": name,
            "document": name,
            "page": page,
            "quote": f"words of {name}",
            "verified": True,
        }
        for name, page in cited
    ]
    base = {"id": f"{at}", "at": at, "target": target, "rating": rating, "question": question, "citations": citations}
    return base | {"answer": "47 户 [1]。", "abstained": False, "comment": "", "settings": "s"} | more


def test_a_good_answer_becomes_the_reference_with_the_pages_it_cites() -> None:
    lines, unusable = from_feedback(
        [said("茶园有多少户？", "up", cited=(("茶.pdf", 1), ("茶.pdf", 3)), comment="好")], "default"
    )
    assert unusable == 0
    (line,) = lines
    assert line["answer"] == "47 户。"
    assert line["source"] == "茶.pdf"
    assert line["page"] == [1, 3]
    assert line["language"] == "zh"
    assert line["provenance"]["comments"] == ["好"]


def test_a_citation_called_wrong_is_no_judgement_and_a_chosen_one_is() -> None:
    both = (("a.pdf", 1), ("b.md", None))
    items = [
        said("How long?", "up", 1, cited=both),
        said(" how  long?", "down", 2, target="citation", cited=both[:1]),
        said("Where?", "down", 3, cited=both),
        said("Where?", "up", 4, target="citation", cited=both[1:]),
    ]
    long, where = from_feedback(items, "default")[0]
    assert (long["source"], long["page"], long["answer"]) == ("b.md", None, "47 户。")
    assert (where["source"], where["answer"]) == ("b.md", None)


def test_several_documents_become_evidence() -> None:
    (line,) = from_feedback([said("How long?", "up", cited=(("a.pdf", 1), ("b.md", None)))], "default")[0]
    assert "source" not in line
    assert line["evidence"] == [
        {"source": "a.pdf", "quote": "words of a.pdf", "page": 1},
        {"source": "b.md", "quote": "words of b.md"},
    ]


def test_a_right_refusal_is_an_unanswerable_question_and_a_bare_thumb_down_is_none() -> None:
    lines, unusable = from_feedback(
        [said("Who won in 1954?", "up", 1, abstained=True), said("How long?", "down", 2, cited=(("a.pdf", 1),))],
        "default",
    )
    assert unusable == 1
    assert [(line["question"], line["unanswerable"], line["answer"]) for line in lines] == [
        ("Who won in 1954?", True, None)
    ]


def test_the_last_word_counts() -> None:
    cited = (("a.pdf", 1),)
    up, down = said("How long?", "up", 1, cited=cited), said("How long?", "down", 2, cited=cited)
    assert from_feedback([up, down], "d") == ([], 1)
    assert from_feedback([down | {"at": 0}, up], "d")[0][0]["answer"] == "47 户。"
    chosen = said("How long?", "up", 3, target="citation", cited=cited)
    (line,) = from_feedback([up, down, chosen], "d")[0]
    assert (line["answer"], line["source"]) == (None, "a.pdf")
