"""From a matplotlib figure to SVG that stands in a page: its colours are the page's, in light, dark and print, and its text is text.

matplotlib writes colours as inline styles, which a strict content security policy forbids and a dark page cannot change. Every
colour used in a plot is one of INKS; here it becomes a class (`f-` fills, `s-` strokes) that the style sheet colours. Text stays
text, in the page's font, so that Chinese needs no font in matplotlib.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INKS = {
    "ink": "#101112",
    "muted": "#606162",
    "rule": "#d0d1d2",
    "paper": "#fefdfc",
    "c1": "#1f4e8c",
    "c2": "#b3541e",
    "c3": "#2f7d5b",
    "c4": "#7a4a94",
}
"""Sentinels: what the style sheet makes of them is its own business."""

HALF, WHOLE = 4.2, 8.7
"""Inches of a figure in one of two columns, and across both; 72 units of the SVG each."""

_NAMES = {value: name for name, value in INKS.items()}
_KEPT = frozenset({"font-size", "font-weight", "text-anchor", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray",
    "stroke-dashoffset", "opacity", "fill-opacity", "stroke-opacity"})  # fmt: skip
_ELEMENTS = frozenset({"svg", "g", "path", "text", "tspan", "use", "defs", "clipPath", "rect", "title"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Plot:
    """`alt` says in a sentence what is to be seen, with the figures; `caption` what it is. Both are plain text, `svg` is markup."""

    name: str
    svg: str
    caption: str
    alt: str
    wide: bool = False


@contextmanager
def drawing(width: float = HALF, height: float = 2.7) -> Iterator[Figure]:
    """A figure in the style of the report."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "tuwen",
        "text.parse_math": False,
        "font.size": 8.5,
        "axes.titlesize": 8.5,
        "axes.labelsize": 8.5,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8,
        "legend.frameon": False,
        "text.color": INKS["ink"],
        "axes.edgecolor": INKS["ink"],
        "axes.labelcolor": INKS["ink"],
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": INKS["ink"],
        "ytick.color": INKS["ink"],
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "axes.grid": False,
        "grid.color": INKS["rule"],
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "lines.linewidth": 1.5,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
    }
    # A font without Chinese is only measured with, never drawn with.
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        # Labels too long for their place overlap; a report is not refused for them.
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield Figure(figsize=(width, height), layout="constrained")


def finish(figure: Figure, name: str) -> str:
    """The SVG, without scripts, styles, or addresses: only the elements and attributes that a plot needs."""
    from lxml import etree

    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    root = etree.fromstring(buffer.getvalue(), parser)
    return "".join(_element(root, name))


def words(text: object, longest: int = 40) -> str:
    """A label: one line, without control characters, shortened."""
    plain = " ".join(_CONTROL.sub(" ", str(text)).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def _element(element: Any, name: str) -> Iterator[str]:
    from xml.sax.saxutils import escape, quoteattr

    tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    if tag not in _ELEMENTS:
        return
    attributes = _attributes(element, tag, name)
    yield f"<{tag}" + "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items()) + ">"
    yield escape((element.text or "").strip() if tag != "tspan" else element.text or "")
    for child in element:
        yield from _element(child, name)
        if tag == "text":
            yield escape(child.tail or "")
    yield f"</{tag}>"


def _attributes(element: Any, tag: str, name: str) -> dict[str, str]:
    if tag == "svg":
        return {"viewBox": element.get("viewBox"), "class": "plot", "aria-hidden": "true", "focusable": "false"}
    found: dict[str, str] = {}
    classes: list[str] = []
    for key, value in element.attrib.items():
        short = key.rpartition("}")[2]
        if short == "href" and value.startswith("#"):
            found["href"] = f"#{name}-{value[1:]}"
        elif short == "clip-path" and value.startswith("url(#"):
            found["clip-path"] = f"url(#{name}-{value[5:]}"
        elif short == "id" and tag in {"path", "clipPath"}:
            found["id"] = f"{name}-{value}"
        elif short in {"d", "x", "y", "width", "height", "transform", *_KEPT}:
            found[short] = value
        elif short == "style":
            _style(value, found, classes)
    if classes:
        found["class"] = " ".join(dict.fromkeys(classes))
    return found


def _style(value: str, found: dict[str, str], classes: list[str]) -> None:
    """Colours become classes; what a plot needs besides becomes an attribute; fonts are the page's."""
    for declaration in value.split(";"):
        key, _, given = (part.strip() for part in declaration.partition(":"))
        if key in {"fill", "stroke"}:
            if given == "none":
                found[key] = "none"
            elif given in _NAMES:
                classes.append(f"{key[0]}-{_NAMES[given]}")
        elif key == "font":
            size = re.search(r"([\d.]+)px", given)
            if size:
                found["font-size"] = size[1]
            if "bold" in given or "700" in given:
                found["font-weight"] = "700"
        elif key in _KEPT:
            found[key] = given.removesuffix("px")
