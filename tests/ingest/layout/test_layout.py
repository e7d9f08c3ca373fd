from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.layout.aligned import aligned_tables, is_number
from ingest.layout.captions import is_figure_caption, is_table_caption, pair
from ingest.layout.drawings import drawings
from ingest.layout.ocr import lay_out_lines
from ingest.layout.order import reading_order
from ingest.layout.paragraphs import blocks_of
from ingest.layout.repeats import Repeats
from ingest.layout.runs import Rect, Run, rows
from ingest.layout.tables import Rule, fold_header, is_plausible, ruled_tables, to_markdown, with_signs
from ingest.layout.text import clean, join_lines
from rag.documents import Box
from rag.protocols import OcrLine


def run(
    text: str, left: float, top: float, *, size: float = 10.0, bold: bool = False, width: float | None = None
) -> Run:
    return Run(text, left, top, left + (width or 0.5 * size * len(text)), top + size, size, bold)


# --- text


def test_ligatures_and_odd_spaces_are_written_plainly() -> None:
    assert clean("e\ufb03cient\u00a0of\ufb01ce\u200b \x02now") == "efficient office now"


def test_dot_leaders_are_short() -> None:
    assert clean("Vision ......................... 5") == "Vision … 5"


def test_words_broken_at_line_ends_are_whole_again() -> None:
    assert join_lines(["an inter-", "national treaty"]) == "an international treaty"
    assert (
        join_lines(["the years 2018-", "2020 and the Anglo-", "Saxon kings"])
        == "the years 2018- 2020 and the Anglo- Saxon kings"
    )


def test_chinese_lines_meet_without_a_space() -> None:
    assert join_lines(["默认保存", "一段 data", "以后"]) == "默认保存一段 data 以后"


@given(st.lists(st.text(alphabet="abc xyz,.", max_size=12), max_size=8))
def test_joining_keeps_every_letter(lines: list[str]) -> None:
    joined = join_lines(lines)
    assert [c for c in joined if c != " "] == [c for line in lines for c in line if c != " "]


# --- rows and order


def test_a_superscript_belongs_to_its_line() -> None:
    found = rows([run("in 2010.", 50, 100), Run("8", 92, 98, 95, 104, 6.0), run("next line", 50, 113)])
    assert [row.text for row in found] == ["in 2010. 8", "next line"]
    assert found[0].size == 10


boxes = st.builds(
    lambda left, top, width, height: Rect(left, top, left + width, top + height),
    st.floats(0, 500),
    st.floats(0, 700),
    st.floats(1, 300),
    st.floats(1, 60),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes, max_size=40))
def test_reading_order_loses_and_doubles_nothing(items: list[Rect]) -> None:
    ordered = [item for column in reading_order(items, 800.0) for item in column]
    assert sorted(map(id, ordered)) == sorted(map(id, items))


def test_a_title_over_two_columns_comes_first_and_a_footer_last() -> None:
    title = [Rect(60, 40, 540, 60)]
    left = [Rect(60, 80 + 14 * i, 290, 91 + 14 * i) for i in range(8)]
    right = [Rect(310, 83 + 14 * i, 540, 94 + 14 * i) for i in range(8)]
    foot = [Rect(60, 300, 540, 310)]
    columns = reading_order([*right, *foot, *title, *left], 600.0)
    assert [item for column in columns for item in column] == [*title, *left, *right, *foot]


def test_labels_and_values_are_read_across() -> None:
    labels = [Rect(60, 80 + 14 * i, 110, 91 + 14 * i) for i in range(6)]
    values = [Rect(140, 80 + 14 * i, 200, 91 + 14 * i) for i in range(6)]
    assert len(reading_order([*values, *labels], 600.0)) == 1


# --- paragraphs


def _texts(*lines: tuple[str, float, float], size: float = 10.0) -> list[str]:
    made = rows(run(text, left, top, size=size) for text, left, top in lines)
    return [block.text for block in blocks_of(made, body_size=size)]


def test_a_gap_or_a_list_mark_begins_a_block() -> None:
    long = "a line of text that fills the column nearly to its end"
    assert _texts((long, 50, 100), ("and ends.", 50, 112), (long, 50, 136)) == [f"{long} and ends.", long]
    assert _texts((long, 50, 100), ("• one", 60, 112), ("• two", 60, 124)) == [long, "- one", "- two"]


def test_larger_and_bold_lines_are_headings() -> None:
    lines = [
        run("Chapter", 50, 50, size=20),
        run("Section", 50, 90, size=14),
        run("Point", 50, 120, bold=True),
        run("This is the text below it, which is longer.", 50, 134),
    ]
    blocks = blocks_of(rows(lines), body_size=10)
    assert [(block.kind, block.level) for block in blocks] == [
        ("heading", 1),
        ("heading", 2),
        ("heading", 4),
        ("paragraph", None),
    ]


def test_lines_of_a_table_of_contents_are_no_headings() -> None:
    lines = [run("Contents", 50, 50, bold=True), run("1. Aims", 50, 80, bold=True), run("4", 500, 80, bold=True)]
    assert [block.kind for block in blocks_of(rows(lines), body_size=10)] == ["heading", "list"]


# --- captions


@pytest.mark.parametrize(
    "text", ["Figure 3: The sun", "Fig. 12 Map of the town", "图 3 系统架构", "图三：流程", "Chart 1"]
)
def test_captions_of_figures(text: str) -> None:
    assert is_figure_caption(text)


@pytest.mark.parametrize(
    "text", ["Figure 3 shows the sun.", "The figure 3", "Figures of speech", "图书馆", "表 3 用户", "Figuring 3"]
)
def test_what_is_no_caption_of_a_figure(text: str) -> None:
    assert not is_figure_caption(text)


def test_captions_of_tables() -> None:
    assert is_table_caption("Table 1. Prevalence")
    assert is_table_caption("表 2 参数说明")
    assert not is_table_caption("Table manners matter")


def test_each_figure_takes_the_nearest_caption() -> None:
    figures = [Rect(50, 100, 250, 200), Rect(50, 260, 250, 360), Rect(50, 600, 250, 700)]
    captions = [Rect(50, 205, 200, 215), Rect(50, 365, 200, 375)]
    assert pair(figures, captions) == {0: 0, 1: 1}


# --- tables

cell = st.text(alphabet="ab|\\ 1\n$", max_size=6)


@given(st.lists(st.lists(cell, min_size=1, max_size=4), min_size=1, max_size=5))
def test_markdown_always_has_equal_rows(grid: list[list[str]]) -> None:
    lines = to_markdown(grid).splitlines()
    widths = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines}
    assert len(widths) <= 1
    assert not lines or len(lines) >= 2


def test_currency_signs_join_their_figures() -> None:
    grid = [["", "", "2023", "", "2022"], ["Net", "$", "(26 )", "$", "7"], ["Other", "", "3", "", "8"]]
    assert to_markdown(with_signs(grid)).splitlines()[2] == "| Net | $(26) | $7 |"


def test_a_heading_over_two_columns_is_said_in_both() -> None:
    grid = [["", "2023", "", "2024"], ["", "Cost", "Gain", "Cost"], ["North", "1", "2", "3"]]
    starts = [[0, 1, 1, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert fold_header(grid, starts)[0] == ["", "2023 Cost", "2023 Gain", "2024 Cost"]


def _grid_rules(xs: list[float], ys: list[float]) -> list[Rule]:
    return [Rule(x, ys[0], x, ys[-1]) for x in xs] + [Rule(xs[0], y, xs[-1], y) for y in ys]


def test_ruled_cells_hold_their_lines_and_close_cells_are_parted() -> None:
    rules = _grid_rules([50, 150, 250], [100, 140, 160])
    runs = [run("two", 60, 104), run("lines", 60, 120), run("b", 160, 104), Run("2008 N/A", 120, 145, 180, 155, 10)]
    (table,) = ruled_tables(rules, runs)
    assert table.grid == [["two lines", "b"], ["2008", "N/A"]]
    assert table.runs == frozenset(range(4))


def test_the_grid_of_a_chart_is_no_table() -> None:
    rules = _grid_rules([50.0 + 40 * i for i in range(8)], [100.0 + 20 * i for i in range(8)])
    assert ruled_tables(rules, [run("8.4", 60, 104), run("7", 140, 130)]) == []


def test_columns_of_prose_are_no_table() -> None:
    prose = "the magnitude of the estimates would be larger"
    assert not is_plausible([[prose, prose], [prose, prose], [prose, prose]])
    assert is_plausible([["Year", "Tonnes"], ["2021", "17"], ["2022", "19"]])


@pytest.mark.parametrize(
    "text", ["12", "$ 1,234.5", "(265)", "-0.3%", "*-0.3", "**12,760", "(X)", "N/A", "—", "≥76.8", "¥300"]
)
def test_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "Net", "3 apples", "Level 1", "2023 was", "a12"])
def test_not_numbers(text: str) -> None:
    assert not is_number(text)


def test_a_statement_without_lines_is_one_table() -> None:
    runs = [run("Three Months", 212, 80), run("2023", 200, 94), run("2022", 260, 94)]
    for index, (label, first, second) in enumerate(
        [("Sales", "1,200", "900"), ("Cost of sales", "(700)", "(650)"), ("Net", "500", "250")]
    ):
        top = 110 + 14 * index
        runs += [run(label, 50, top), run("$", 190, top), run(first, 200, top), run(second, 262, top)]
    (table,) = aligned_tables(runs)
    assert table.grid[0] == ["", "Three Months 2023", "Three Months 2022"]
    assert table.grid[1:] == [["Sales", "$1,200", "900"], ["Cost of sales", "$(700)", "(650)"], ["Net", "$500", "250"]]


def test_prose_with_years_is_no_table() -> None:
    lines = [
        "In 2021 the river rose by 3 metres and in 2022",
        "by 4 metres, which nobody in the town of 1900",
        "had seen.",
    ]
    assert aligned_tables([run(text, 50, 100 + 12 * i) for i, text in enumerate(lines)]) == []


# --- furniture, drawings, OCR


def test_a_line_at_the_same_height_of_three_pages_is_furniture() -> None:
    repeats = Repeats(10)
    pages = [
        rows([run(f"Yearbook {n}", 50, 30), run(f"Text {n} of the page", 50, 300), run("more", 50, 320)])
        for n in range(3)
    ]
    repeats.learn((page, 800.0) for page in pages)
    assert repeats.is_furniture(pages[0][0], 800.0)
    assert not repeats.is_furniture(pages[0][1], 800.0)


def test_one_page_has_no_running_header() -> None:
    repeats = Repeats(10)
    page = rows([run("A title at the top", 50, 30), run("Text", 50, 300), run("more", 50, 320)])
    repeats.learn([(page, 800.0)])
    assert not repeats.is_furniture(page[0], 800.0)


def test_bars_are_a_drawing_and_a_frame_around_text_is_none() -> None:
    bars = [Rect(100 + 20 * i, 300 - 10 * i, 118 + 20 * i, 400) for i in range(9)]
    labels = [run(f"Q{i}", 102 + 20 * i, 404, size=8) for i in range(9)]
    (region,) = drawings(bars, labels, [], 600, 800)
    assert region.left <= 100
    assert region.bottom >= 411
    frame = [Rect(50, 100, 550, 300)] * 9
    prose = [run("a sentence that is long enough to be running text here", 60, 110 + 14 * i) for i in range(12)]
    assert drawings(frame, prose, [], 600, 800) == []
    assert drawings(bars, labels, [Rect(90, 200, 300, 410)], 600, 800) == []


def test_ocr_lines_become_paragraphs_in_order() -> None:
    lines = [
        OcrLine("second line of it.", Box(1, 100, 140, 500, 168), 0.9),
        OcrLine("This is the first and", Box(1, 100, 100, 520, 130), 0.95),
        OcrLine("unsure", Box(1, 100, 170, 300, 200), 0.2),
    ]
    (block,) = lay_out_lines(lines, 800, 1000)
    assert block.text == "This is the first and second line of it."
    assert lay_out_lines([], 800, 1000) == []
