"""Charts of Office files: the numbers behind the drawing, as a table."""

from __future__ import annotations

from typing import Any

from ingest.parsers.ooxml import A, C
from ingest.parsers.tables_md import markdown_table


def chart_table(root: Any) -> tuple[str, str]:
    """Title and table of a chart part: categories down, series across; both may be empty. Values are the cached ones."""
    title_node = root.find(f"{C}chart/{C}title")
    title = " ".join(node.text or "" for node in title_node.iter(f"{A}t")).strip() if title_node is not None else ""
    columns: list[tuple[str, dict[int, str], dict[int, str]]] = []
    for series in root.iter(f"{C}ser"):
        values = series.find(f"{C}val")
        categories = series.find(f"{C}cat")
        if values is None:
            values, categories = series.find(f"{C}yVal"), series.find(f"{C}xVal")
        if values is not None:
            columns.append((_text(series.find(f"{C}tx")), _points(categories), _points(values)))
    if not columns:
        return title, ""
    labels: dict[int, str] = {}
    for _, categories, values in columns:
        for index in values:
            labels.setdefault(index, categories.get(index, str(index + 1)))
        labels.update({index: label for index, label in categories.items() if index not in labels})
    header = ["", *(name or f"{number}" for number, (name, _, _) in enumerate(columns, start=1))]
    rows = [[labels[index], *(values.get(index, "") for _, _, values in columns)] for index in sorted(labels)]
    return title, markdown_table([header, *rows])


def _points(node: Any) -> dict[int, str]:
    if node is None:
        return {}
    points: dict[int, str] = {}
    for point in node.iter(f"{C}pt"):
        value = (point.findtext(f"{C}v") or "").strip()
        index = point.get("idx", "")
        if value and index.isdecimal():
            # Category labels on several levels: the inner one first, as it stands next to the axis.
            number = int(index)
            points[number] = f"{points[number]} {_number(value)}" if number in points else _number(value)
    return points


def _text(node: Any) -> str:
    if node is None:
        return ""
    return " ".join(value.text or "" for value in (*node.iter(f"{C}v"), *node.iter(f"{A}t"))).strip()


def _number(value: str) -> str:
    """Numbers are cached with all the digits of a double: 0.30000000000000004 is 0.3."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:.10g}" if "." in value or "e" in value.lower() else value
