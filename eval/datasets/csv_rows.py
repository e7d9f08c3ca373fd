"""CSV and TSV with a header line, read so that a mistake is reported with its file and line (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.datasets.lines import Place, whole_text
from rag.errors import BadRequest

_DELIMITERS = (",", "\t", ";")
_LARGEST_CELL = 16_000_000


def csv_rows(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Rows by column; the place is the line that a row begins on. Rows without any content are left out."""
    csv.field_size_limit(_LARGEST_CELL)
    text = whole_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    place = Place(path, 1)
    header: list[str] = []
    try:
        for row in reader:
            here, place = place, Place(path, reader.line_num + 1)
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = _header(here, row)
                continue
            if len(row) != len(header):
                raise BadRequest(
                    f"{here}: {len(row)} columns, but the header has {len(header)}.",
                    "Put cells that contain the separator or line breaks into double quotes.",
                )
            yield here, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise BadRequest(
            f"{place}: this is no CSV ({error}).", "Look for a double quote that is not closed or not doubled."
        ) from error


def _header(place: Place, row: list[str]) -> list[str]:
    names = [name.strip() for name in row]
    for name in names:
        if not name:
            raise BadRequest(f"{place}: a column has no name.", "The first line names every column.")
        if names.count(name) > 1:
            raise BadRequest(f"{place}: there are two columns {name!r}.", "Give every column a name of its own.")
    return names


def _delimiter(text: str) -> str:
    """The one that the header has most of."""
    header = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=header.count)
