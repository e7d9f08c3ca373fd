"""Where the cells of a table stand across the page, so that a figure in it can be shown, and not its row only."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ingest.layout.runs import Row
from rag.documents import Span
from rag.tables import row_cells


def cell_spans(markdown: str, placed: Sequence[Sequence[Row]]) -> tuple[tuple[Span | None, ...], ...]:
    """Left and right of each cell, a row of them for each row of the table, the rule aside; None for a cell without text.

    The runs of a line go to the cells of its row from left to right, each to the first one whose text has it and was not
    used up by a run before. A cell of which no run was found (a heading over several columns, of which each has the text) stands where
    its column does. `placed` are its `drawn_rows`; empty where those are.
    """
    texts = [row_cells(line) for n, line in enumerate(markdown.split("\n")) if n != 1] if placed else []
    if not texts or any(len(row) != len(texts[0]) for row in texts):
        return ()
    found = [_row(row, lines) for row, lines in zip(texts, placed, strict=True)]
    columns = [_usual([row[column] for row in found]) for column in range(len(texts[0]))]
    return tuple(
        tuple((span or column) if text else None for text, span, column in zip(row, spans, columns, strict=True))
        for row, spans in zip(texts, found, strict=True)
    )


def _row(texts: Sequence[str], lines: Sequence[Row]) -> list[Span | None]:
    left = [_solid(text) for text in texts]
    spans: list[Span | None] = [None] * len(texts)
    for line in lines:
        at = 0
        for run in sorted(line.runs, key=lambda run: run.left):
            said = _solid(run.text)
            column = next((n for n in range(at, len(left)) if said and said in left[n]), None)
            if column is None:
                continue
            left[column] = left[column].replace(said, "", 1)
            span = spans[column]
            spans[column] = (min(span[0], run.left), max(span[1], run.right)) if span else (run.left, run.right)
            at = column
    return [None if span is None else (round(span[0], 2), round(span[1], 2)) for span in spans]


def _usual(spans: Sequence[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    return (median(span[0] for span in known), median(span[1] for span in known)) if known else None


def _solid(text: str) -> str:
    return "".join(text.replace("\\|", "|").split())
