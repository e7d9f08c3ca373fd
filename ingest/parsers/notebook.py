"""Jupyter notebooks (nbformat 4): prose, code and what it printed or drew."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from ingest.parsers.html import fragment_elements
from ingest.parsers.markdown import markdown_elements
from ingest.parsers.pictures import image_data
from ingest.parsers.prose import clean_lines, sole_heading
from ingest.protocols import ParsedPage, Source
from rag.documents import Element

MAX_OUTPUT = 4_000
"""Characters of one printed output; the rest of a long log says nothing new."""
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def is_notebook(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value


def notebook_page(value: dict[str, Any], source: Source) -> ParsedPage:
    warnings: list[str] = []
    elements = tuple(e for cell in value["cells"] if isinstance(cell, dict) for e in _cell(cell, source, warnings))
    return ParsedPage(None, elements, title=sole_heading(elements), warnings=tuple(warnings))


def _cell(cell: dict[str, Any], source: Source, warnings: list[str]) -> Iterator[Element]:
    text = _joined(cell.get("source"))
    if cell.get("cell_type") == "markdown":
        yield from markdown_elements(text, source, warnings)
    elif text.strip():
        yield Element("code", text.strip("\n"))
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            yield from _output(output, source, warnings)


def _output(output: dict[str, Any], source: Source, warnings: list[str]) -> Iterator[Element]:
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            yield from _picture(_joined(data[kind]), source, warnings)
            return
    if "text/html" in data and "<table" in _joined(data["text/html"]):
        yield from fragment_elements(_joined(data["text/html"]), source, warnings)
        return
    text = _joined(data.get("text/plain")) or _joined(output.get("text"))
    text = clean_lines(_ESCAPE.sub("", text)).strip()[:MAX_OUTPUT]
    if text:
        yield Element("code", text)


def _picture(encoded: str, source: Source, warnings: list[str]) -> Iterator[Element]:
    try:
        found = image_data(base64.b64decode("".join(encoded.split())), source.limits)
    except (binascii.Error, ValueError):
        found = "is not readable"
    if not isinstance(found, str):
        yield Element("figure", "", image=found)
    elif found:
        warnings.append(f"A picture {found}.")


def _joined(value: Any) -> str:
    """Texts stand as one string or as a list of lines."""
    if isinstance(value, list):
        return clean_lines("".join(item for item in value if isinstance(item, str)))
    return clean_lines(value) if isinstance(value, str) else ""
