from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from ingest.layout.pixel_lines import drawn_lines
from ingest.parsers.picture_tables import picture_tables
from rag.documents import Box
from rag.protocols import OcrLine

CELLS = [["Name", "Town"], ["Ann", "Leith"], ["Bob", "Perth"], ["Eve", "Wick"]]


def ruled() -> Image.Image:
    """A grid of four rows and two columns, 300 by 40 pixels each cell, on grey paper."""
    picture = Image.new("L", (700, 260), 225)
    draw = ImageDraw.Draw(picture)
    for row in range(5):
        draw.line((40, 40 + 40 * row, 640, 40 + 40 * row), fill=60, width=2)
    for column in range(3):
        draw.line((40 + 300 * column, 40, 40 + 300 * column, 200), fill=60, width=2)
    draw.rectangle((660, 40, 690, 240), fill=40)
    return picture


def read() -> list[OcrLine]:
    return [
        OcrLine(text, Box(1, 52 + 300 * c, 50 + 40 * r, 52 + 300 * c + 14 * len(text), 74 + 40 * r), 0.95)
        for r, row in enumerate(CELLS)
        for c, text in enumerate(row)
    ]


def test_lines_are_found_with_their_places_and_bars_are_none() -> None:
    found = drawn_lines(ruled(), 0.5)
    level = [line for line in found if line.horizontal]
    upright = [line for line in found if not line.horizontal]
    assert [round(line.top) for line in sorted(level, key=lambda line: line.top)] == [20, 40, 60, 80, 100]
    assert [round(line.left) for line in sorted(upright, key=lambda line: line.left)] == [20, 170, 320]
    assert all(line.left == pytest.approx(20, abs=2) and line.right == pytest.approx(320, abs=2) for line in level)


def test_a_broken_line_is_one_and_an_empty_picture_has_none() -> None:
    picture = Image.new("RGB", (400, 100), "white")
    draw = ImageDraw.Draw(picture)
    for x in range(20, 380, 60):
        draw.line((x, 50, x + 57, 50), fill="black", width=2)
    assert len(drawn_lines(picture, 0.5)) == 1
    assert drawn_lines(Image.new("L", (50, 40), 255), 1.0) == []


def test_a_table_in_a_picture_keeps_its_cells_and_its_place_in_pixels() -> None:
    lines = [*read(), OcrLine("A line of text below the table", Box(1, 40, 215, 500, 240), 0.9)]
    (table,), rest = picture_tables(lines, ruled(), 700, 260)
    assert table.text.split("\n") == [
        "| Name | Town |",
        "| --- | --- |",
        "| Ann | Leith |",
        "| Bob | Perth |",
        "| Eve | Wick |",
    ]
    assert (table.left, table.right) == (pytest.approx(40, abs=3), pytest.approx(640, abs=3))
    assert [line.text for line in rest] == ["A line of text below the table"]


def test_a_few_words_are_no_table() -> None:
    assert picture_tables(read()[:4], ruled(), 700, 260) == ([], read()[:4])
