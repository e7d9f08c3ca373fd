"""Running headers, footers and page numbers: lines that stand at the same height of several pages.

Pages come in batches and memory is bounded, so a line is known as repeated from the batch in which it is seen often
enough; what was learned is kept for the rest of the document. Of the numbers in such a line one counts on with the pages; rows of a
table that differ in several are not the same line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ingest.layout.runs import Row

BAND = 0.12
"""Part of the page's height, at its top and at its bottom, in which headers and footers stand."""
ENOUGH = 3
FIRST, LAST = -1000, 1000
_DIGITS = re.compile(r"\d[\d.,]*")
_ROMAN = re.compile(r"^[ivxlc]+$")
_NUMBER = re.compile(
    r"^(?:page|第|-|–|—|\|)?\s*(?:\d{1,4}|[ivxlc]{1,6})\s*(?:页|-|–|—|\||(?:of|/)\s*\d{1,4})?$", re.IGNORECASE
)


class Repeats:
    """Learns from batches of pages, then tells which rows are furniture."""

    def __init__(self, page_count: int) -> None:
        self._seen: Counter[tuple[str, int]] = Counter()
        self._enough = ENOUGH if page_count > 4 else 2

    def learn(self, pages: Iterable[tuple[Sequence[Row], float]]) -> None:
        """`pages`: rows and height of each."""
        for page_rows, height in pages:
            keys = {(text, _place(row, height)) for row in page_rows if in_band(row, height) for text in _texts(row)}
            if len(page_rows) > 2:
                # Where pages are cut at any height, the footer is the last line wherever that stands.
                ends = ((page_rows[0], FIRST), (page_rows[-1], LAST))
                keys |= {(text, end) for row, end in ends for text in _texts(row)}
            self._seen.update(keys)

    def is_furniture(self, row: Row, height: float, *, end: int | None = None) -> bool:
        """Whether a row is a running header, a footer or a page number; `end` is FIRST or LAST for such a row."""
        places = [end] if end is not None else []
        if in_band(row, height):
            places += [_place(row, height) + shift for shift in (-1, 0, 1)]
        if any(self._seen[text, place] >= self._enough for text in _texts(row) for place in places):
            return True
        if not in_band(row, height):
            return False
        return bool(_NUMBER.match(row.text)) and (row.top > 0.93 * height or row.bottom < 0.07 * height)


def _texts(row: Row) -> set[str]:
    """What stays of a line while pages are counted by its first number, or by its last; nothing of a lone number."""
    text = row.text.casefold()
    numbers = list(_DIGITS.finditer(text))
    counted = [text[: one.start()] + text[one.end() :] for one in (numbers[:1] + numbers[-1:])] or [text]
    # A page number stands left of the line on even pages and right of it on odd ones.
    stripped = {"" if _ROMAN.match(one) else one.strip("# |-–—·") for one in counted}
    return stripped - {""}


def _place(row: Row, height: float) -> int:
    return round(100 * row.top / height)


def in_band(row: Row, height: float) -> bool:
    return row.bottom < BAND * height or row.top > (1 - BAND) * height
