"""Markdown: CommonMark with tables, front matter, footnotes and formulas (markdown-it-py)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from ingest.parsers.html import fragment_elements
from ingest.parsers.pictures import alternative_text, linked_picture
from ingest.parsers.prose import sole_heading, source_text, unwrap, with_captions
from ingest.parsers.tables_md import markdown_table
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import EmptyFile

_ROLE = re.compile(
    r" ?:(?:(?:eq)?(?:label|width|height)|begin_tab|end_tab|numref|eqref|ref|cite[pt]?):(?:`[^`\n]*`)?(?=\s|[^\x00-\x7f]|[.,;)]|$)",
    re.MULTILINE,
)
_FIELD = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_IMAGE_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
MAX_FIELD = 1_000


class MarkdownParser:
    """`text/markdown`: one element per block; a list is one element, a picture is a figure."""

    media_types = frozenset({"text/markdown"})
    version = "markdown-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        # d2l and MyST give blocks names by roles (":label:`fig_net`"): anchors and references, not text.
        text = _ROLE.sub("", source_text(source))
        tree = SyntaxTreeNode(_markdown().parse(text))
        reader = _Reader(source)
        metadata: dict[str, str] = {}
        elements: list[Element] = []
        for node in tree.children:
            if node.type == "front_matter":
                metadata = _front_matter(node.content)
            else:
                elements.extend(reader.block(node))
        elements = [e for e in with_captions(elements) if e.kind != "figure" or e.image or e.text or e.caption]
        if not elements:
            raise EmptyFile(f"{source.name} holds no text.", "Check that the file was copied whole.")
        title = metadata.pop("title", "") or sole_heading(elements)
        yield ParsedPage(None, tuple(elements), title=title, metadata=metadata, warnings=tuple(reader.warnings))


def markdown_elements(text: str, source: Source, warnings: list[str]) -> Iterator[Element]:
    """The elements of a piece of Markdown inside another format."""
    reader = _Reader(source)
    for node in SyntaxTreeNode(_markdown().parse(text)).children:
        if node.type != "front_matter":
            yield from reader.block(node)
    warnings.extend(reader.warnings)


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(footnote_plugin).use(
        dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True
    )
    # Nothing is rendered here: an address that a browser should not open is still no part of the text.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    return parser


class _Reader:
    """Turns the blocks of one document into elements; keeps what was left out in `warnings`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.warnings: list[str] = []

    def block(self, node: SyntaxTreeNode) -> Iterator[Element]:
        """The elements of one block, in order."""
        kind = node.type
        if kind == "heading":
            yield from self._titled(node)
        elif kind == "paragraph":
            yield from self._paragraph(node)
        elif kind in ("bullet_list", "ordered_list"):
            pictures: list[Element] = []
            text = "\n".join(self._list(node, 0, pictures))
            if text.strip():
                yield Element("list", text)
            yield from pictures
        elif kind in ("fence", "code_block"):
            if node.content.strip():
                yield Element("code", node.content.rstrip("\n"))
        elif kind == "table":
            rows = [[self._inline(cell) for cell in row.children] for part in node.children for row in part.children]
            if table := markdown_table(rows):
                yield Element("table", table)
            yield from self._pictures(node)
        elif kind in ("math_block", "math_block_label"):
            yield Element("formula", f"$${node.content.strip()}$$")
        elif kind == "html_block":
            yield from fragment_elements(node.content, self._source, self.warnings)
        elif kind == "footnote":
            if text := self._text_of(node):
                yield Element("footnote", text)
        elif kind != "hr":
            for child in node.children:
                yield from self.block(child)

    def _titled(self, node: SyntaxTreeNode) -> Iterator[Element]:
        if text := self._inline(node):
            yield Element("heading", text, level=int(node.tag[1]))
        yield from self._pictures(node)

    def _paragraph(self, node: SyntaxTreeNode) -> Iterator[Element]:
        inline = node.children[0].children if node.children else []
        visible = [child for child in inline if not (child.type == "text" and not child.content.strip())]
        if visible and _is_picture(visible[0]):
            # A paragraph that begins with its picture: what follows on the next lines is the caption.
            alone = [child for child in visible if _is_picture(child) or child.type in ("softbreak", "hardbreak")]
            rest = unwrap(_render([child for child in visible if not _is_picture(child)]))
            figures = list(self._pictures(node))
            if len(figures) == 1 and rest and len(alone) >= 2:
                yield replace(figures[0], caption=rest)
                return
            yield from figures
            if rest:
                yield Element("paragraph", rest)
            return
        if text := self._inline(node):
            yield Element("paragraph", text)
        yield from self._pictures(node)

    def _list(self, node: SyntaxTreeNode, depth: int, pictures: list[Element]) -> Iterator[str]:
        start = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        for index, item in enumerate(node.children):
            marker = "-" if start is None else f"{start + index}."
            indent = "  " * depth
            for child in item.children:
                if child.type in ("bullet_list", "ordered_list"):
                    yield from self._list(child, depth + 1, pictures)
                    continue
                for element in self.block(child):
                    if element.kind == "figure":
                        pictures.append(element)
                    elif element.text:
                        hanging = f"\n{indent}{' ' * (len(marker) + 1)}"
                        yield f"{indent}{marker} " + hanging.join(element.text.split("\n"))
                        marker = " " * len(marker)

    def _pictures(self, node: SyntaxTreeNode) -> Iterator[Element]:
        for child in node.walk():
            if child.type == "image":
                yield self._figure(str(child.attrs.get("src", "")), alternative_text(_render(child.children)))
            elif child.type == "html_inline" and _IMAGE_TAG.match(child.content):
                yield from fragment_elements(child.content, self._source, self.warnings)

    def _figure(self, link: str, alt: str) -> Element:
        found = linked_picture(self._source, link)
        if isinstance(found, str):
            if found:
                self.warnings.append(f"The picture {link[:100]} {found}.")
            return Element("figure", alt)
        return Element("figure", alt, image=found)

    def _inline(self, node: SyntaxTreeNode) -> str:
        return unwrap(
            _render([child for inline in node.children if inline.type == "inline" for child in inline.children])
        )

    def _text_of(self, node: SyntaxTreeNode) -> str:
        return " ".join(element.text for child in node.children for element in self.block(child) if element.text)


def _is_picture(node: SyntaxTreeNode) -> bool:
    if node.type == "link":
        return bool(node.children) and all(_is_picture(child) for child in node.children)
    return node.type == "image" or (node.type == "html_inline" and bool(_IMAGE_TAG.match(node.content)))


def _render(nodes: list[SyntaxTreeNode]) -> str:
    """Inline nodes as plain text: markup goes, what a reader sees stays."""
    out: list[str] = []
    for node in nodes:
        if node.type in ("text", "code_inline", "text_special"):
            out.append(node.content)
        elif node.type in ("softbreak", "hardbreak"):
            out.append("\n")
        elif node.type in ("math_inline", "math_inline_double"):
            out.append(f"${node.content}$")
        elif node.type == "html_inline":
            out.append("\n" if _BREAK_TAG.match(node.content) else "")
        elif node.type == "footnote_ref":
            out.append("")
        else:
            out.append(_render(node.children))
    return "".join(out)


def _front_matter(text: str) -> dict[str, str]:
    """The plain `key: value` lines of YAML front matter; nested values are no metadata of ours."""
    return {
        key.lower(): value.strip("'\"")[:MAX_FIELD]
        for key, value in _FIELD.findall(text)
        if value and value[0] not in "[{|>&*"
    }
