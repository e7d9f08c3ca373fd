"""The measure of tables against tables worked out by hand, and a few pages through the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.table_pages import Cell, Rows, draw_page
from benchmarks.table_score import Score, score, score_page, writings
from benchmarks.tables import cells, ours
from rag.documents import Element

TRUTH = [["Field", "2023", "2024"], ["North", "1", "2"], ["South", "3", ""]]
MERGED: Rows = [
    [Cell("Field", rows=2), Cell("Yield", columns=2), None],
    [None, Cell("2023"), Cell("2024")],
    [Cell("North"), Cell("1"), Cell("2")],
]


def test_a_cell_counts_in_its_row_and_column_only() -> None:
    assert score(TRUTH, TRUTH) == Score(8, 8, 8)
    without_a_row = [TRUTH[0], TRUTH[2]]
    assert score(TRUTH, without_a_row) == Score(5, 8, 5)
    swapped = [["Field", "2024", "2023"], ["North", "2", "1"], ["South", "", "3"]]
    assert score(TRUTH, swapped) == Score(6, 8, 8)  # the labels and one of the two columns
    glued = [["Field", "2023 2024"], ["North", "1 2"], ["South", "3"]]
    assert score(TRUTH, [[cell.replace(" ", "") for cell in row] for row in glued]) == Score(4, 8, 6)


def test_merged_headings_may_be_written_in_several_ways() -> None:
    ways = writings(MERGED, 2)
    assert [["Field", "Yield2023", "Yield2024"], ["North", "1", "2"]] in ways
    assert [["Field", "Yield", ""], ["", "2023", "2024"], ["North", "1", "2"]] in ways
    found = [["Field", "Yield 2023", "Yield 2024"], ["North", "1", "2"]]
    assert score_page([(MERGED, 2)], [found]).f1 == 1.0


def test_a_table_that_is_not_there_is_all_wrong_and_a_missing_one_is_missed() -> None:
    assert score_page([], [[["a", "b"]]]) == Score(0, 0, 2)
    assert score_page([(MERGED, 2)], []).recall == 0.0


def test_cells_of_markdown() -> None:
    text = "| a\\|b | c |\n| --- | --- |\n| d\\\\ |  |"
    assert cells(Element("table", text)) == [["a|b", "c"], ["d\\", ""]]


@pytest.mark.parametrize(
    "kind", ["ruled", "striped", "no vertical lines, cells of several lines", "no table on the page"]
)
def test_generated_pages_come_back(kind: str, tmp_path: Path) -> None:
    """Of a seed that nothing was tuned on and nothing is reported of."""
    page = draw_page(tmp_path / "page.pdf", kind, "99")
    (found,) = ours([page.path])
    scored = score_page(page.tables, found)
    assert scored.recall >= 0.95
    assert scored.precision >= 0.95
