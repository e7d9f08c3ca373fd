"""Styles and numbering of Word documents: which paragraphs are headings, captions or list items, and their numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from ingest.parsers.ooxml import Package, W

_HEADING = re.compile(
    r"^(?:heading|überschrift|titre|título|titulo|titolo|заголовок|kop|rubrik|overskrift|nagłówek|见出し|見出し|제목|标题|標題)\s*([1-9])$",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"^(?:caption|题注|題注|标号|图注|圖注|beschriftung|légende|図表番号)", re.IGNORECASE)
_TOC = re.compile(r"^(?:toc|目录|目錄|table of figures|index)\s*\d*$|^toc heading$", re.IGNORECASE)
_TITLE = re.compile(r"^(?:title|标题|標題|文档标题|titel)$", re.IGNORECASE)
_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_MAX_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Style:
    name: str
    based_on: str
    outline: int | None
    number_id: str | None
    number_level: int | None


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    text: str
    start: int


class Styles:
    """What the paragraph properties of one document mean."""

    def __init__(self, package: Package, main_part: str) -> None:
        self._styles: dict[str, Style] = {}
        self._default = ""
        part = package.related(main_part, "styles")
        if part is not None:
            for node in package.xml(part).iter(f"{W}style"):
                if node.get(f"{W}type") == "paragraph":
                    self._add(node)
        self._numbers = _numbering(package, main_part)
        self._counters: dict[str, dict[int, int]] = defaultdict(dict)

    def _add(self, node: Any) -> None:
        properties = node.find(f"{W}pPr")
        number_id, number_level = _number_of(properties)
        style = Style(
            _value(node.find(f"{W}name")) or "",
            _value(node.find(f"{W}basedOn")) or "",
            _integer(_value(properties.find(f"{W}outlineLvl"))) if properties is not None else None,
            number_id,
            number_level,
        )
        identifier = node.get(f"{W}styleId", "")
        self._styles[identifier] = style
        if node.get(f"{W}default") in ("1", "true"):
            self._default = identifier

    def _chain(self, properties: Any) -> list[Style]:
        identifier = (_value(properties.find(f"{W}pStyle")) if properties is not None else None) or self._default
        chain: list[Style] = []
        while identifier in self._styles and len(chain) < _MAX_CHAIN:
            chain.append(self._styles[identifier])
            identifier = chain[-1].based_on
        return chain

    def kind(self, properties: Any) -> tuple[str, int]:
        """`heading` with its level from 1, `title`, `caption`, `toc` or `body`."""
        chain = self._chain(properties)
        for style in chain:
            name = style.name.strip()
            if _TOC.match(name):
                return "toc", 0
            if _TITLE.match(name):
                return "title", 1
            if match := _HEADING.match(name):
                return "heading", min(6, int(match.group(1)))
            if _CAPTION.match(name):
                return "caption", 0
        outline = _integer(_value(properties.find(f"{W}outlineLvl"))) if properties is not None else None
        if outline is None:
            outline = next((style.outline for style in chain if style.outline is not None), None)
        return ("heading", min(6, outline + 1)) if outline is not None and 0 <= outline <= 8 else ("body", 0)

    def number(self, properties: Any) -> tuple[int, str] | None:
        """Depth and marker ("-", "2.1.") of a numbered paragraph; counts on. None for paragraphs without a number."""
        number_id, level = _number_of(properties)
        for style in self._chain(properties):
            number_id = number_id if number_id is not None else style.number_id
            level = level if level is not None else style.number_level
        if number_id is None or number_id == "0" or number_id not in self._numbers:
            return None
        depth = level or 0
        abstract, levels = self._numbers[number_id]
        if depth not in levels:
            return None
        counters = self._counters[abstract]
        counters[depth] = counters.get(depth, levels[depth].start - 1) + 1
        for deeper in [key for key in counters if key > depth]:
            del counters[deeper]
        if levels[depth].format in ("bullet", "none"):
            return depth, "-" if levels[depth].format == "bullet" else ""

        def place(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            known = levels.get(at)
            return _format(counters.get(at, known.start if known else 1), known.format if known else "decimal")

        return depth, re.sub(r"%([1-9])", place, levels[depth].text)


def _numbering(package: Package, main_part: str) -> dict[str, tuple[str, dict[int, _Level]]]:
    part = package.related(main_part, "numbering")
    if part is None:
        return {}
    root = package.xml(part)
    abstract = {node.get(f"{W}abstractNumId", ""): _levels(node) for node in root.findall(f"{W}abstractNum")}
    numbers: dict[str, tuple[str, dict[int, _Level]]] = {}
    for node in root.findall(f"{W}num"):
        identifier, base = node.get(f"{W}numId", ""), _value(node.find(f"{W}abstractNumId")) or ""
        overrides = {
            level: _Level(known.format, known.text, start)
            for override in node.findall(f"{W}lvlOverride")
            if (level := _integer(override.get(f"{W}ilvl"))) is not None
            and (start := _integer(_value(override.find(f"{W}startOverride")))) is not None
            and (known := abstract.get(base, {}).get(level)) is not None
        }
        # Numbers that restart count for themselves; all others go on counting in their common list.
        numbers[identifier] = (f"{base}/{identifier}" if overrides else base, {**abstract.get(base, {}), **overrides})
    return numbers


def _levels(node: Any) -> dict[int, _Level]:
    levels: dict[int, _Level] = {}
    for level in node.findall(f"{W}lvl"):
        depth = _integer(level.get(f"{W}ilvl"))
        if depth is not None:
            start = _integer(_value(level.find(f"{W}start")))
            levels[depth] = _Level(
                _value(level.find(f"{W}numFmt")) or "decimal",
                _value(level.find(f"{W}lvlText")) or "",
                1 if start is None else start,
            )
    return levels


def _number_of(properties: Any) -> tuple[str | None, int | None]:
    node = properties.find(f"{W}numPr") if properties is not None else None
    if node is None:
        return None, None
    return _value(node.find(f"{W}numId")), _integer(_value(node.find(f"{W}ilvl")))


def _format(number: int, style: str) -> str:
    if style in ("lowerLetter", "upperLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if style == "upperLetter" else letter
    if style in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        text = ""
        for value, sign in _ROMAN:
            text += sign * (number // value)
            number %= value
        return text.upper() if style == "upperRoman" else text
    if (
        style
        in (
            "chineseCounting",
            "chineseCountingThousand",
            "ideographDigital",
            "japaneseCounting",
            "taiwaneseCountingThousand",
        )
        and 0 < number < 100
    ):
        tens, ones = divmod(number, 10)
        digits = "零一二三四五六七八九"
        return (digits[tens] if tens > 1 else "") + ("十" if tens else "") + (digits[ones] if ones or not tens else "")
    return f"{number:02d}" if style == "decimalZero" else str(number)


def _value(node: Any) -> str | None:
    return node.get(f"{W}val") if node is not None else None


def _integer(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"-?\d{1,9}", value) else None
