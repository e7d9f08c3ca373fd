"""Running headers, footers and page numbers: lines that stand at the same height of several pages.

Pages come in batches and memory is bounded, so a line is known as repeated from the batch in which it is seen often
enough; what was learned is kept for the rest of the document.
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
_DIGITS = re.compile(r"\d+")
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
            keys = {self._key(row, height) for row in page_rows if in_band(row, height)}
            if len(page_rows) > 2:
                # Where pages are cut at any height, the footer is the last line wherever that stands.
                keys |= {(self._key(page_rows[0], height)[0], FIRST), (self._key(page_rows[-1], height)[0], LAST)}
            self._seen.update(keys)

    def is_furniture(self, row: Row, height: float, *, end: int | None = None) -> bool:
        """Whether a row is a running header, a footer or a page number; `end` is FIRST or LAST for such a row."""
        if end is not None and self._seen[self._key(row, height)[0], end] >= self._enough and self._key(row, height)[0]:
            return True
        if not in_band(row, height):
            return False
        text, place = self._key(row, height)
        if text and any(self._seen[text, place + shift] >= self._enough for shift in (-1, 0, 1)):
            return True
        return bool(_NUMBER.match(row.text)) and (row.top > 0.93 * height or row.bottom < 0.07 * height)

    @staticmethod
    def _key(row: Row, height: float) -> tuple[str, int]:
        text = _DIGITS.sub("#", row.text.casefold())
        # A page number stands left of the line on even pages and right of it on odd ones.
        return ("" if _ROMAN.match(text) else text.strip("# |-–—·")), round(100 * row.top / height)


def in_band(row: Row, height: float) -> bool:
    return row.bottom < BAND * height or row.top > (1 - BAND) * height
