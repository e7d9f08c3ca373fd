"""Tables as text: GitHub-flavoured Markdown with one header row."""

from __future__ import annotations

import re

_FIGURE = re.compile(r"^[-–—+±<>≥≤~$€£¥(\s]*\d[\d.,\s]*[%)\s]*$|^[-–—*]+$|^\(?N/?A\)?$")
_PIPE = re.compile(r"(?<!\\)\|")
_HEADER = re.compile(r"^(?P<header>\|[^\n]*\n\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?[ \t]*)$", re.MULTILINE)


def is_figure(cell: str) -> bool:
    """Whether a cell holds a number, or what stands in place of one."""
    return bool(_FIGURE.match(cell))


def row_cells(line: str) -> list[str]:
    """The cells of one row, as they are written: a pipe in a text keeps its backslash. A row that was cut ends without a pipe."""
    parts = _PIPE.split(line.strip())
    return [cell.strip() for cell in (parts[1:] if parts[-1] else parts[1:-1])]


def row_texts(line: str) -> list[str]:
    """The cells of one row, as they are read."""
    return [cell.replace("\\|", "|") for cell in row_cells(line)]


def table_header(text: str) -> str:
    """The header row of the first table in a text and the rule below it, as two lines; empty where there is no table."""
    found = _HEADER.search(text)
    return found["header"] if found else ""


def join_tables(above: str, below: str) -> str:
    """Two parts of one table as one, the header said once; `below` unchanged under `above` for anything else."""
    header = table_header(below)
    if header and below.startswith(header) and table_header(above) == header and above.rstrip().endswith("|"):
        return above.rstrip() + below[len(header) :]
    return f"{above}\n\n{below}"
