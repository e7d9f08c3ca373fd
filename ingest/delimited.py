"""Which delimiter a table in text uses, and its records one by one (RFC 4180 and what programs really write)."""

from __future__ import annotations

import csv
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from rag.errors import CorruptFile, LimitExceeded

_DELIMITERS = ",\t;|^\x1f~"
_LOOKED_AT = 50
MAX_LINE = 10_000_000
"""Characters of one line."""
MAX_RECORD_LINES = 2_000
"""Lines of one record: more come from a quote that is never closed."""
_AGAIN = "Check the quotes of the file, or save it again from the program that made it."


def delimiter_of(sample: str) -> str:
    """The delimiter that cuts the first lines into the most even records, or an empty string."""
    lines = [line for line in sample.splitlines()[: 4 * _LOOKED_AT] if line.strip()]
    best, best_score = "", 0.0
    for delimiter in _DELIMITERS:
        if delimiter not in sample:
            continue
        widths = _widths(lines, delimiter)
        several = Counter(width for width in widths if width > 1)
        if not several:
            continue
        # Titles and notes stand above many tables: what counts is how even those records are that are cut at all.
        usual, times = several.most_common(1)[0]
        score = times / len(widths) * times / several.total() * (1 + min(usual, 10) / 100)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _widths(lines: list[str], delimiter: str) -> list[int]:
    try:
        records = csv.reader(lines, delimiter=delimiter)
        return [len(record) for record, _ in zip(records, range(_LOOKED_AT), strict=False)] or [0]
    except csv.Error:
        return [0]


def is_table(text: str, *, partial: bool = False) -> bool:
    """Whether a text without a telling name is a table of delimited values: only what nobody would write as prose, which is
    three or more records of equal width, with short fields that do not begin with a space after the delimiter."""
    delimiter = delimiter_of(text)
    lines = [line for line in text.splitlines() if line.strip()]
    lines = (lines[:-1] if partial else lines)[:_LOOKED_AT]
    if not delimiter or len(lines) < 3:
        return False
    widths = set(_widths(lines, delimiter))
    if len(widths) != 1 or widths.pop() < (2 if delimiter in "\t\x1f" else 3):
        return False
    try:
        fields = [field for record in csv.reader(lines, delimiter=delimiter) for field in record]
    except csv.Error:
        return False
    spaced = sum(field.startswith(" ") for field in fields)
    return statistics.median(map(len, fields)) <= 40 and (delimiter != "," or spaced <= len(fields) // 10)


def records(stream: TextIO, delimiter: str, name: str) -> Iterator[list[str]]:
    """Raises CorruptFile for a quote that is never closed, LimitExceeded for a line beyond any reason."""
    csv.field_size_limit(MAX_LINE)
    counted = _Lines(stream, name)
    reader = (
        csv.reader(counted, delimiter=delimiter or ",") if delimiter else ([line.rstrip("\r\n")] for line in counted)
    )
    try:
        for record in reader:
            counted.begin()
            yield record
    except csv.Error as error:
        raise CorruptFile(f"{name} is not readable as a table at line {counted.number:,}: {error}.", _AGAIN) from error


class _Lines(Iterable[str]):
    """Lines of bounded length, counted, without NUL characters."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self.number = 0
        self._began = 0

    def begin(self) -> None:
        self._began = self.number

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(MAX_LINE):
            self.number += 1
            if len(line) >= MAX_LINE:
                raise LimitExceeded(
                    f"{self._name} has a line of more than {MAX_LINE:,} characters (line {self.number:,}).",
                    "Write it with one record per line.",
                )
            if self.number - self._began > MAX_RECORD_LINES:
                raise CorruptFile(
                    f"{self._name} opens a quote in line {self._began + 1:,} that is never closed.", _AGAIN
                )
            yield line.replace("\x00", "")
