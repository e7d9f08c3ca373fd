"""Office Math (OMML; ECMA-376, part 1, 22.1) -> LaTeX. What is not known is read as its text, so that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest.parsers.formulas import latex

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
DEEPEST = 60
"""Levels that are followed; below them, text."""


def latex_of_omml(node: Any) -> str:
    """`m:oMath` or `m:oMathPara` as LaTeX in dollars, or as text where it has no structure."""
    return latex.inline(_all(node, 0))


def _all(node: Any, depth: int) -> str:
    return latex.joined([_one(child, depth + 1) for child in node if isinstance(child.tag, str)])


def _one(node: Any, depth: int) -> str:
    if depth > DEEPEST:
        return "".join(part.text or "" for part in node.iter(f"{M}t"))
    name = node.tag.removeprefix(M)
    if name == "t":
        return node.text or ""
    if name.endswith("Pr") or not node.tag.startswith(M):
        # Properties; and what Word keeps in between (runs' looks, marks of the reviewer) is followed for its text.
        return "" if name.endswith("Pr") else _all(node, depth)
    written = _WRITTEN.get(name)
    return written(node, depth) if written else _all(node, depth)


def _part(node: Any, name: str, depth: int) -> str:
    found = node.find(f"{M}{name}")
    return "" if found is None else _all(found, depth).strip()


def _value(node: Any, name: str, default: str = "") -> str:
    """`m:val` of a property, `m:naryPr/m:chr`; the default where the property is not there at all."""
    found = node.find(f"{M}{node.tag.removeprefix(M)}Pr/{M}{name}")
    return default if found is None else str(found.get(f"{M}val", ""))


def _fraction(node: Any, depth: int) -> str:
    above, below = _part(node, "num", depth), _part(node, "den", depth)
    if _value(node, "type") == "lin":
        return f"{latex.group(above)}/{latex.group(below)}"
    return latex.fraction(above, below, line=_value(node, "type") != "noBar")


def _root(node: Any, depth: int) -> str:
    return latex.root(_part(node, "e", depth), _part(node, "deg", depth))


def _scripts(node: Any, depth: int) -> str:
    return latex.scripts(_part(node, "e", depth), _part(node, "sub", depth), _part(node, "sup", depth))


def _before(node: Any, depth: int) -> str:
    return latex.scripts("{}", _part(node, "sub", depth), _part(node, "sup", depth)) + _part(node, "e", depth)


def _nary(node: Any, depth: int) -> str:
    sign = latex.operator(_value(node, "chr", "∫"))
    return f"{latex.scripts(sign, _part(node, 'sub', depth), _part(node, 'sup', depth))} {_part(node, 'e', depth)}"


def _delimiters(node: Any, depth: int) -> str:
    opening, closing = _value(node, "begChr", "("), _value(node, "endChr", ")")
    inside = _value(node, "sepChr", "|").join(_all(part, depth).strip() for part in node.findall(f"{M}e"))
    escaped = {"{": r"\{", "}": r"\}"}
    return f"{escaped.get(opening, opening)}{inside}{escaped.get(closing, closing)}"


def _matrix(node: Any, depth: int) -> str:
    return latex.matrix(
        [[_all(cell, depth).strip() for cell in row.findall(f"{M}e")] for row in node.findall(f"{M}mr")]
    )


def _lines(node: Any, depth: int) -> str:
    return latex.matrix([[_all(line, depth).strip()] for line in node.findall(f"{M}e")], "aligned")


def _function(node: Any, depth: int) -> str:
    name = node.find(f"{M}fName")
    plain = "" if name is None else _all(name, depth).strip()
    return f"{latex.function(plain)} {_part(node, 'e', depth)}"


def _limit(node: Any, depth: int) -> str:
    below = node.tag == f"{M}limLow"
    base, limit = _part(node, "e", depth), _part(node, "lim", depth)
    return latex.scripts(latex.function(base), limit if below else "", "" if below else limit)


def _accent(node: Any, depth: int) -> str:
    return latex.accent(_part(node, "e", depth), _value(node, "chr", "\u0302"))


def _bar(node: Any, depth: int) -> str:
    where = "overline" if _value(node, "pos") == "top" else "underline"
    return f"\\{where}{{{_part(node, 'e', depth)}}}"


_WRITTEN: dict[str, Callable[[Any, int], str]] = {
    "f": _fraction,
    "rad": _root,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "sPre": _before,
    "nary": _nary,
    "d": _delimiters,
    "m": _matrix,
    "eqArr": _lines,
    "func": _function,
    "limLow": _limit,
    "limUpp": _limit,
    "acc": _accent,
    "bar": _bar,
}
