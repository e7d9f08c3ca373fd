"""The blocks of an HTML tree in reading order, as elements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from ingest.parsers.formulas import latex_of_mathml
from ingest.parsers.html_tables import grid
from ingest.parsers.pictures import MIN_SIDE, FindPicture, alternative_text, linked_picture
from ingest.parsers.tables_md import markdown_table
from ingest.protocols import Source
from rag.documents import Element

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset({"ul", "ol", "dl", "menu"})
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html li "
    "main menu nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_SPACE = re.compile(r"[ \t\r\f\v\n\u00a0\u200b]+")
_LINE_SPACE = re.compile(r" *\n *")
_CJK_BREAK = re.compile(r"(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]) (?=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])")


class BlockReader:
    """Reads one tree; counts in `missing` why pictures were left out. `find` gives the picture behind a link, or why there is none."""

    def __init__(self, source: Source, find: FindPicture | None = None) -> None:
        self._find = find or partial(linked_picture, source)
        self.missing: Counter[str] = Counter()

    def read(self, root: Any) -> Iterator[Element]:
        yield from self._container(root)

    def _container(self, node: Any) -> Iterator[Element]:
        """Children in order; inline content between blocks is a paragraph."""
        run: list[str] = [node.text or ""]
        pictures: list[Element] = []
        for child in node:
            if not isinstance(child.tag, str):
                run.append(child.tail or "")
                continue
            if _is_block(child):
                yield from self._paragraph(run, pictures)
                run, pictures = [], []
                yield from self._block(child)
            else:
                run.append(self._inline(child, pictures))
            run.append(child.tail or "")
        yield from self._paragraph(run, pictures)

    def _paragraph(self, run: list[str], pictures: list[Element]) -> Iterator[Element]:
        text = _tidy("".join(run))
        if text and any(character.isalnum() for character in text):
            yield Element("paragraph", text)
        yield from pictures

    def _block(self, node: Any) -> Iterator[Element]:
        tag = node.tag
        if tag in _HEADINGS:
            pictures: list[Element] = []
            if text := " ".join(_tidy(self._text(node, pictures)).split()):
                yield Element("heading", text, level=_HEADINGS[tag])
            yield from pictures
        elif tag == "pre":
            if code := _code(node):
                yield Element("code", code)
        elif tag == "table":
            yield from self._table(node)
        elif tag in _LISTS and not _is_layout_list(node):
            pictures = []
            if text := "\n".join(self._list(node, 0, pictures)):
                yield Element("list", text)
            yield from pictures
        elif tag == "figure":
            yield from self._figure(node)
        elif tag != "hr":
            yield from self._container(node)

    def _figure(self, node: Any) -> Iterator[Element]:
        captions = node.findall(".//figcaption")
        caption = _tidy(" ".join(self._text(item, []) for item in captions))
        for item in captions:
            item.drop_tree()
        elements = list(self._container(node))
        figures = [i for i, element in enumerate(elements) if element.kind == "figure"]
        if len(figures) == 1 and caption:
            at = figures[0]
            elements[at] = Element("figure", elements[at].text, image=elements[at].image, caption=caption)
        elif caption and not elements and node.find(".//img") is not None:
            elements = [Element("figure", "", caption=caption)]
        elif caption:
            elements.append(Element("caption", caption))
        yield from elements

    def _table(self, node: Any) -> Iterator[Element]:
        if _is_layout_table(node):
            for cell in node.iter("td", "th", "caption"):
                if next(cell.iterancestors("table"), None) is node:
                    yield from self._container(cell)
            return
        pictures: list[Element] = []
        for caption in node.findall("caption"):
            if text := _tidy(self._text(caption, pictures)):
                yield Element("caption", text)
        rows, header_rows = grid(node, lambda cell: _tidy(self._text(cell, pictures)))
        if table := markdown_table(rows, header_rows):
            yield Element("table", table)
        yield from pictures

    def _list(self, node: Any, depth: int, pictures: list[Element]) -> Iterator[str]:
        number = int(node.get("start")) if (node.get("start") or "").isdecimal() else 1
        for item in node:
            if item.tag in _LISTS:
                yield from self._list(item, depth + 1, pictures)
            if item.tag not in ("li", "dt", "dd"):
                continue
            nested = [child for child in item.iter(*_LISTS) if next(child.iterancestors(*_LISTS), None) is node]
            text = _tidy(self._text(item, pictures, skip=frozenset(nested)))
            marker = (
                {"dt": "", "dd": "  "}.get(item.tag)
                if node.tag == "dl"
                else (f"{number}. " if node.tag == "ol" else "- ")
            )
            if text:
                yield "  " * depth + f"{marker or ''}{text}".replace(
                    "\n", "\n" + "  " * depth + " " * len(marker or "")
                )
            number += 1
            for child in nested:
                yield from self._list(child, depth + 1, pictures)

    def _text(self, node: Any, pictures: list[Element], skip: frozenset[Any] = frozenset()) -> str:
        """All text of a node on one line; blocks inside are separated by a space."""
        out = [node.text or ""]
        for child in node:
            if isinstance(child.tag, str) and child not in skip:
                inner = (
                    self._inline(child, pictures) if not _is_block(child) else f" {self._text(child, pictures, skip)} "
                )
                out.append(inner)
            out.append(child.tail or "")
        return "".join(out)

    def _inline(self, node: Any, pictures: list[Element]) -> str:
        tag = node.tag
        if tag == "br":
            return "\ue000"
        if tag == "img":
            return self._picture(node, pictures)
        if tag == "math":
            return latex_of_mathml(node)
        if tag == "sup" and "reference" in (node.get("class") or ""):
            return ""
        if tag == "sup" or tag == "sub":
            inner = self._text(node, pictures)
            return (
                f"{'^' if tag == 'sup' else '_'}{inner}" if _touches_number(node) and inner.strip().isalnum() else inner
            )
        return self._text(node, pictures)

    def _picture(self, node: Any, pictures: list[Element]) -> str:
        alt = alternative_text(node.get("alt"))
        marks = f"{node.get('class') or ''} {node.get('src') or ''}".lower()
        if alt and ("math" in marks or "latex" in marks):
            return f"${alt}$"
        if any(
            (node.get(side) or "").isdecimal() and int(node.get(side)) < MIN_SIDE * 2 for side in ("width", "height")
        ):
            return alt if len(alt) <= 3 else ""
        found = self._find(node.get("src") or node.get("data-src") or "")
        if not isinstance(found, str):
            pictures.append(Element("figure", alt, image=found))
        else:
            if found:
                self.missing[found] += 1
            if alt:
                pictures.append(Element("figure", alt))
        return ""


def _touches_number(node: Any) -> bool:
    """10<sup>6</sup> is not 106."""
    before = node.getprevious().tail if node.getprevious() is not None else node.getparent().text
    return bool(before) and before[-1:].isdigit() and (node.text or "").strip()[:1].isdigit() and node.tag == "sup"


def _is_block(node: Any) -> bool:
    if node.tag in _BLOCKS:
        return True
    # An inline element around blocks (a link around a card, a span around paragraphs) is a container.
    return node.tag not in ("math", "br", "img") and any(
        child.tag in _BLOCKS for child in node.iterdescendants() if isinstance(child.tag, str)
    )


def _is_layout_list(node: Any) -> bool:
    return any(
        child.tag in ("table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "figure")
        for child in node.iterdescendants()
        if isinstance(child.tag, str)
    )


def _is_layout_table(node: Any) -> bool:
    if (node.get("role") or "").lower() in ("presentation", "none"):
        return True
    if next(node.iter("th"), None) is not None or node.find("caption") is not None:
        return False
    if any(child is not node for child in node.iter("table")):
        return True
    rows = [sum(cell.tag == "td" for cell in row) for row in node.iter("tr")]
    if not rows or max(rows) <= 1 or len(rows) == 1:
        return True
    return any(True for _ in node.iter("h1", "h2", "h3", "pre"))


def _code(node: Any) -> str:
    for line_break in node.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    return "".join(node.itertext()).strip("\n").rstrip()


def _tidy(text: str) -> str:
    """White space as a browser shows it; `<br>` (U+E000 until here) ends a line."""
    text = _SPACE.sub(" ", text).replace("\ue000", "\n")
    text = _LINE_SPACE.sub("\n", text)
    return re.sub(r"\n{2,}", "\n", _CJK_BREAK.sub("", text)).strip()
