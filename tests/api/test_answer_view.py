from __future__ import annotations

import io
from typing import Any

import pytest

from api.answer_view import AnswerView


def answer(text: str, **more: Any) -> dict[str, Any]:
    return {
        "answer": text,
        "abstained": False,
        "citations": [],
        "notes": [],
        "timings": {"total": 1.0},
        "generator": "scripted",
        "support": None,
    } | more


def screen(*pieces: str, final: str, live: bool, width: int = 20, height: int = 10) -> str:
    stream = io.StringIO()
    with AnswerView(stream, live=live, width=width, height=height) as view:
        for piece in pieces:
            view.piece(piece)
        view.end(answer(final))
    return stream.getvalue()


def test_what_was_said_stays_where_it_is_the_answer() -> None:
    assert screen("Ducks ", "swim [1].", final="Ducks swim [1].", live=True) == "Ducks swim [1].\n\n"


def test_a_refusal_of_the_generators_own_gives_way_to_ours() -> None:
    """40 cells on a screen of 20 are two rows: one up, and all below it cleared."""
    said = "The passages do not say how much it was."
    assert len(said) == 40
    assert (
        screen(said, final="Not in these documents.", live=True) == f"{said}\r\x1b[1A\x1b[JNot in these documents.\n\n"
    )


def test_chinese_takes_two_cells_a_character() -> None:
    assert "\x1b[1A" in screen("片段中没有提到该项目的预算", final="没有答案。", live=True)
    assert "\x1b[1A" not in screen("片段中没有提到预算", final="没有答案。", live=True)


def test_what_has_left_the_screen_is_not_written_over() -> None:
    assert screen("a\n" * 12, final="b", live=True).endswith("\n\nb\n\n")


def test_a_pipe_gets_the_final_text_only() -> None:
    assert screen("Ducks swim [9].", final="Ducks swim [1].", live=False) == "Ducks swim [1].\n\n"


def test_documents_do_not_speak_to_the_terminal() -> None:
    assert "\x1b" not in screen("red \x1b[31m", final="red \x1b[31m", live=False)


@pytest.mark.parametrize("live", [True, False])
def test_an_answer_that_breaks_off_is_shown_as_far_as_it_came(live: bool) -> None:
    stream = io.StringIO()
    view = AnswerView(stream, live=live, width=80, height=10)
    with pytest.raises(KeyboardInterrupt):
        stopped(view)
    assert stream.getvalue() == "Ducks \n"


def stopped(view: AnswerView) -> None:
    with view:
        view.piece("Ducks ")
        raise KeyboardInterrupt
