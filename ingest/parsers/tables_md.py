"""Tables as GitHub-flavoured Markdown: one header row, one line per row, no merged cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPACE = re.compile(r"\s+")


def cell(text: str) -> str:
    """A cell's text on one line, with pipes escaped."""
    return _SPACE.sub(" ", text).strip().replace("|", "\\|")


def markdown_table(rows: Sequence[Sequence[str]], header_rows: int = 1) -> str:
    """Rows of plain text as a table. Several header rows become one, cell by cell; empty rows and columns vanish.

    Returns an empty string for a table without any text.
    """
    cells = [[cell(value) for value in row] for row in rows]
    width = max((len(row) for row in cells), default=0)
    cells = [row + [""] * (width - len(row)) for row in cells]
    header_rows = max(0, min(header_rows, len(cells) - 1)) or min(1, len(cells))
    head, body = cells[:header_rows], [row for row in cells[header_rows:] if any(row)]
    columns = [i for i in range(width) if any(row[i] for row in head) or any(row[i] for row in body)]
    if not columns:
        return ""
    header = [" / ".join(dict.fromkeys(row[i] for row in head if row[i])) for i in columns]
    lines = [_line(header), "|" + " --- |" * len(columns)]
    lines.extend(_line([row[i] for i in columns]) for row in body)
    return "\n".join(lines)


def _line(values: Sequence[str]) -> str:
    return "| " + " | ".join(values) + " |"
