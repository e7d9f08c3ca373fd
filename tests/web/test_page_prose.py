"""What the page makes of text: markers, paragraphs, tables, the place of a quote. Run by Node where it is installed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")
PROSE = Path(__file__).parents[2] / "api" / "web" / "prose.js"

pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node to run the page's script")


def run(expression: str, **values: Any) -> Any:
    """The value of an expression over the exports of prose.js, `p`, and the given values, `v`."""
    module = "data:text/javascript;base64," + base64.b64encode(PROSE.read_bytes()).decode()
    script = f"const p = await import({json.dumps(module)}); const v = {json.dumps(values)};"
    script += f"console.log(JSON.stringify({expression}))"
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", script], capture_output=True, text=True, timeout=30, check=True
    )
    return json.loads(done.stdout)


def test_markers_are_numbers_between_texts_and_links_are_none() -> None:
    text = "A is so [1][2]. B [3] 也是。See [4](x), [0, 1] and x[12]."
    assert run("p.markers(v.text)", text=text) == [
        "A is so", 1, 2, ". B", 3, " 也是。See [4](x), [0, 1] and x", 12, ".",
    ]  # fmt: skip


def test_each_marker_gets_its_own_citation_when_the_two_lists_agree() -> None:
    cited = [{"marker": 1, "quote": "a"}, {"marker": 2, "quote": "b"}, {"marker": 1, "quote": "c"}]
    found = run("p.assign(v.text, v.cited)", text="One [1]. Two [2]. Three [1].", cited=cited)
    assert [c["quote"] for c in found] == ["a", "b", "c"]


def test_otherwise_a_marker_takes_the_first_citation_of_its_number() -> None:
    cited = [{"marker": 2, "quote": "b"}, {"marker": 1, "quote": "a"}]
    found = run("p.assign(v.text, v.cited)", text="One [1]. Again [1]. Nothing [7].", cited=cited)
    assert [c and c["quote"] for c in found] == ["a", "a", None]


def test_the_same_quote_is_listed_once_and_a_different_verdict_is_another_citation() -> None:
    one = {"marker": 1, "quote": "a", "verified": True}
    cited = [{"marker": 2, "quote": "b", "verified": True}, one, one, {**one, "verified": False}]
    found = run("p.distinct(v.cited)", cited=cited)
    assert [(c["marker"], c["verified"]) for c in found] == [(1, True), (1, False), (2, True)]


def test_an_answer_has_paragraphs_and_lists() -> None:
    text = "First\nline.\n\n- one\n- two\n  more\n\n3. third\n4. fourth\n\nLast <b>words</b>."
    assert [(b["kind"], b["items"], b["start"]) for b in run("p.blocks(v.text)", text=text)] == [
        ("paragraph", ["First\nline."], 1),
        ("ul", ["one", "two more"], 1),
        ("ol", ["third", "fourth"], 3),
        ("paragraph", ["Last <b>words</b>."], 1),
    ]


def test_a_table_has_rows_of_cells_and_text_with_bars_is_none() -> None:
    table = "Caption\n| a | b |\n|---|:-:|\n| 1 | x \\| y |"
    assert run("p.table(v.t)", t=table) == {"before": "Caption", "rows": [["a", "b"], ["1", "x | y"]]}
    assert run("p.table(v.t)", t="either | or\nno table") is None
    assert run("p.plain(v.t)", t=table) == "Caption\na · b\n1 · x | y"


def test_a_quote_is_found_whatever_its_white_space() -> None:
    text = "Before.\n\nThe  sky gave us\n161 clear nights. After."
    start, end = run("p.place(v.text, v.quote)", text=text, quote="The sky gave us 161 clear nights.")
    assert text[start:end] == "The  sky gave us\n161 clear nights."
    assert run("p.place(v.text, v.quote)", text=text, quote="thirteen more") is None
    assert run("p.place(v.text, v.quote)", text=text, quote=" ") is None


def test_entries_of_a_picture_come_with_guesses_last() -> None:
    text = "name: valley\nlabel: shuttle\nlabel: lamp\nocr: first line\nsecond line\ncaption: Figure 1"
    assert [tuple(e.values()) for e in run("p.entries(v.text)", text=text)] == [
        ("caption", "Figure 1"),
        ("ocr", "first line second line"),
        ("name", "valley"),
        ("label", "shuttle; lamp"),
    ]
