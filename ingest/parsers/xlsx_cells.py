"""Cells of Excel sheets as people see them (ECMA-376 part 1, SpreadsheetML): dates, percentages, merged ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_PERCENT = re.compile(r"0(?:\.(0+))?%")
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_MERGE = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})["']""")
_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 34, 35, 36, *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 47), "hh:mm:ss"),
    22: "yyyy-mm-dd hh:mm",
    46: "[h]:mm:ss",
}
MAX_MERGES = 50_000
MAX_MERGE_COLUMNS = 64
"""A wider merge is a title, whose text is said once."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a number format makes of a number: a date, a time of day, a duration, a percentage with decimals, or itself."""

    date: bool = False
    time: bool = False
    duration: bool = False
    percent: int | None = None

    @classmethod
    def of(cls, code: str) -> Format:
        if code.lower() == "general":
            return cls()
        if match := _PERCENT.search(code):
            return cls(percent=len(match.group(1) or ""))
        plain = _LITERAL.sub("", code.split(";")[0]).lower()
        if re.search(r"\[[hms]+\]", plain):
            return cls(duration=True)
        time = bool(re.search(r"[hs]", plain))
        return cls(date=bool(re.search(r"[yd]", plain)) or ("m" in plain and not time), time=time)

    def show(self, number: float, base_1904: bool) -> str:
        """The number as text; dates as ISO 8601."""
        if self.percent is not None:
            return f"{100 * number:.{self.percent}f}%"
        if self.duration:
            minutes, seconds = divmod(round(number * 86_400), 60)
            return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
        if (self.date or self.time) and 0 <= number < 2_958_466:
            moment = _moment(number, base_1904)
            clock = moment.strftime("%H:%M:%S").removesuffix(":00")
            if not self.date or (number < 1 and self.time):
                return clock
            with_clock = self.time and clock != "00:00"
            return f"{moment:%Y-%m-%d} {clock}" if with_clock else f"{moment:%Y-%m-%d}"
        return f"{int(number)}" if number == int(number) and abs(number) < 1e15 else f"{number:.15g}"


def _moment(number: float, base_1904: bool) -> datetime:
    """Serial days; the 1900 system counts a 29 February 1900 that never was."""
    epoch = datetime(1904, 1, 1) if base_1904 else datetime(1899, 12, 31 if number < 60 else 30)
    return epoch + timedelta(seconds=round(number * 86_400))


def formats(styles: Any) -> list[Format]:
    """The formats of the cell styles, by their number, from the tree of styles.xml."""
    codes = dict(_BUILT_IN)
    for node in styles.iter("{*}numFmt"):
        if (node.get("numFmtId") or "").isdecimal():
            codes[int(node.get("numFmtId"))] = node.get("formatCode") or ""
    found: list[Format] = []
    for cell_formats in styles.iter("{*}cellXfs"):
        for node in cell_formats.iterchildren("{*}xf"):
            number = node.get("numFmtId") or "0"
            found.append(Format.of(codes.get(int(number), "General")) if number.isdecimal() else Format())
    return found


def position(reference: str) -> tuple[int, int] | None:
    """`(row, column)`, both from 0, of "B7"."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    column = 0
    for letter in match.group(1):
        column = 26 * column + ord(letter) - 64
    return int(match.group(2)) - 1, column - 1


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, from 0, its ends included."""

    top: int
    left: int
    bottom: int
    right: int


def merges(blocks: Iterable[bytes]) -> list[Merge]:
    """Merged ranges of a sheet's XML. They stand behind the cells that they are about, and so are looked for first."""
    found: list[Merge] = []
    rest = b""
    for block in blocks:
        data = rest + block
        end = 0
        for match in _MERGE.finditer(data):
            end = match.end()
            first, last = position(match.group(1).decode()), position(match.group(2).decode())
            if first and last and last[0] >= first[0] and last[1] >= first[1]:
                found.append(Merge(*first, *last))
            if len(found) >= MAX_MERGES:
                return found
        rest = data[max(end, len(data) - 200) :]
    return found
