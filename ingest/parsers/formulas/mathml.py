"""MathML (W3C, presentation markup of MathML Core) -> LaTeX. What the page gives as LaTeX itself is taken as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.parsers.formulas import latex

DEEPEST = 60
"""Levels that are followed; below them, text."""
_INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064")
"""Function application, invisible times, separator and plus."""


def latex_of_mathml(node: Any) -> str:
    """`<math>` as LaTeX in dollars, or as text where it has no structure: from its annotation or `alttext`, else from its markup."""
    for annotation in node.iter("annotation"):
        text = " ".join((annotation.text or "").split())
        if text and "tex" in (annotation.get("encoding") or "").lower():
            return f"${text.strip('$')}$"
    if text := " ".join((node.get("alttext") or "").split()):
        return f"${text.strip('$')}$"
    return latex.inline(_row(list(node), 0))


def _row(nodes: list[Any], depth: int) -> str:
    return latex.joined([_one(node, depth + 1) for node in nodes if isinstance(node.tag, str)])


def _one(node: Any, depth: int) -> str:
    name = node.tag.rsplit("}", 1)[-1].rsplit(":", 1)[-1].lower()
    if name in ("annotation", "annotation-xml", "mspace", "mprescripts"):
        return " " if name == "mspace" else ""
    text = " ".join("".join(node.itertext()).split()).translate(_INVISIBLE)
    if depth > DEEPEST:
        return text
    if name in ("mi", "mn", "mo", "ms", "mtext"):
        return _leaf(name, text)
    written = _WRITTEN.get(name)
    parts = [part for part in node if isinstance(part.tag, str)]
    return written(parts, depth) if written and len(parts) >= _LEAST.get(name, 1) else _row(parts, depth)


def _leaf(name: str, text: str) -> str:
    if name == "mi" and len(text) > 1:
        return f"{latex.function(text)} "
    if name == "mo":
        return {"{": r"\{", "}": r"\}"}.get(text) or latex.operator(text)
    return text


def _at(parts: list[Any], place: int, depth: int) -> str:
    return _one(parts[place], depth + 1).strip()


def _scripts(parts: list[Any], depth: int) -> str:
    return latex.scripts(_at(parts, 0, depth), _at(parts, 1, depth), _at(parts, 2, depth))


def _above(parts: list[Any], depth: int) -> str:
    base, sign = _at(parts, 0, depth), _at(parts, 1, depth)
    return latex.accent(base, sign) if not base.startswith("\\") else latex.scripts(base, sup=sign)


def _root(parts: list[Any], depth: int) -> str:
    return latex.root(_at(parts, 0, depth), _at(parts, 1, depth))


def _table(parts: list[Any], depth: int) -> str:
    rows = [[_row(list(cell), depth).strip() for cell in row if isinstance(cell.tag, str)] for row in parts]
    return latex.matrix(rows)


_WRITTEN: dict[str, Callable[[list[Any], int], str]] = {
    "mfrac": lambda parts, depth: latex.fraction(_at(parts, 0, depth), _at(parts, 1, depth)),
    "msqrt": lambda parts, depth: latex.root(_row(parts, depth).strip()),
    "mroot": _root,
    "msup": lambda parts, depth: latex.scripts(_at(parts, 0, depth), sup=_at(parts, 1, depth)),
    "msub": lambda parts, depth: latex.scripts(_at(parts, 0, depth), _at(parts, 1, depth)),
    "msubsup": _scripts,
    "munder": lambda parts, depth: latex.scripts(_at(parts, 0, depth), _at(parts, 1, depth)),
    "mover": _above,
    "munderover": _scripts,
    "mtable": _table,
    "mfenced": lambda parts, depth: f"({','.join(_one(part, depth + 1).strip() for part in parts)})",
}
_LEAST = {"mfrac": 2, "mroot": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}
"""Parts that an element needs to be what it says; with fewer it is read as a row."""
