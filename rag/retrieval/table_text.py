"""A table of a passage read back from its text: cells, labels, and what its figures are counted in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.tables import row_texts

_RULE = re.compile(r"^\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")
_VALUE = re.compile(
    r"[-–—+(<>≥≤~约]*\s*(?:[$€£¥￥]|US\$|HK\$|RMB)?\s*[-(]?\d[\d.,，]*(?:\s?(?:%|％|‰|[A-Za-z]+|[万亿千百]{1,2}))?"
)
_COUNTED_IN = re.compile(
    r"\bin (?:US\$|HK\$|RMB|[$€£¥])?\s?(thousand|million|billion)s?\b"
    r"|(?:\bRMB|[$€£¥])\s?(thousand|million|billion|mn?|bn)s?\b|\((thousand|million|billion)s\)|[$€£(](000)s?\b"
    r"|单位[:：]?\s*(?:人民币|美元|港币)?(百万|千万|万|亿|千)",
    re.IGNORECASE,
)
_SCALES = {
    "thousand": 1e3, "000": 1e3, "million": 1e6, "m": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9,
    "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8,
}  # fmt: skip
LINES_ABOVE = 2
"""Lines of text above a table in which what it is counted in is looked for."""
MOST_ROWS = 400


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a Markdown table, rows of one width; the first `labels` columns name the rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int
    scale: float = 1.0
    """What its figures are counted in: 1,000 for `in thousands`."""

    @property
    def columns(self) -> range:
        """Those that hold values."""
        return range(self.labels, len(self.header))

    def label(self, row: int) -> str:
        return " ".join(self.rows[row][: self.labels])


def table_around(text: str, place: int, beside: str = "") -> Table | None:
    """The table that a place of a text stands in; None outside of one. `beside` is what else may say what its figures are counted in."""
    lines = text.split("\n")
    at = text.count("\n", 0, place)
    first = last = at
    while first > 0 and _is_row(lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and _is_row(lines[last + 1]):
        last += 1
    if not _is_row(lines[at]) or last - first < 2:
        return None
    table = _parsed("\n".join(line.strip() for line in lines[first : last + 1]))
    if table is None:
        return None
    above = "\n".join(lines[max(0, first - LINES_ABOVE) : first])
    return replace(table, scale=_scale(f"{above}\n{' '.join(table.header)}\n{beside}"))


def _scale(text: str) -> float:
    found = {_SCALES[next(filter(None, match.groups())).casefold()] for match in _COUNTED_IN.finditer(text)}
    return found.pop() if len(found) == 1 else 1.0


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


@lru_cache(maxsize=64)
def _parsed(block: str) -> Table | None:
    lines = block.split("\n")
    if not _RULE.match(lines[1]):
        return None
    header, *rows = (row_texts(line) for line in (lines[0], *lines[2 : MOST_ROWS + 2]))
    width = len(header)
    body = tuple((*row, *[""] * width)[:width] for row in rows if not _RULE.match("|" + "|".join(row) + "|"))
    if width < 2 or not body:
        return None
    labels = 1
    # A label over several columns: country and city, segment and product.
    while (
        labels < width - 1 and _repeats([row[:labels] for row in body]) and not _holds_values([r[labels] for r in body])
    ):
        labels += 1
    return Table(tuple(header), body, labels)


def _repeats(labels: Sequence[tuple[str, ...]]) -> bool:
    return len(set(labels)) < len(labels)


def _holds_values(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip("-–— ")]
    return bool(filled) and 2 * sum(1 for cell in filled if _VALUE.match(cell)) >= len(filled)
