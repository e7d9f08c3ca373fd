"""Plain text in any encoding: paragraphs by blank lines, and only those headings that nobody could doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.cleaning.hyphens import whole_words
from ingest.parsers.prose import source_text, unwrap
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import EmptyFile

_UNDERLINE = re.compile(r"^ {0,3}(={3,}|-{3,}|~{3,})\s*$")
_RULE = re.compile(r"^\W+$")
_BULLET = re.compile(r"^\s*(?:[-*•·●○▪–]|\(?\d{1,3}[.)、]|[（(]?[一二三四五六七八九十]+[)）、])\s*\S")
_CHAPTER = re.compile(r"^第[0-9一二三四五六七八九十百]+([章编篇部节回])[\s:：　]*\S{0,40}$")
_SECTION_MARKS = frozenset("节")

MAX_HEADING = 80
WRAPPED = 45
"""Characters from which every line but the last must reach for a paragraph to count as wrapped by its writer's editor
(a CJK character counts twice); shorter lines are verse, addresses, code or a log, whose line ends mean something."""


class TextParser:
    """`text/plain`: one element per paragraph."""

    media_types = frozenset({"text/plain"})
    version = "text-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        elements = tuple(text_elements(whole_words(source_text(source))))
        if not elements:
            raise EmptyFile(f"{source.name} holds no text.", "Check that the file was copied whole.")
        first = elements[0]
        title = first.text if first.kind == "heading" and first.level == 1 else ""
        yield ParsedPage(None, elements, title=title)


def text_elements(text: str) -> Iterator[Element]:
    """The paragraphs, lists and headings of a plain text."""
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        if len(lines) >= 2 and (match := _UNDERLINE.match(lines[1])) and len(lines[0].strip()) <= MAX_HEADING:
            yield Element("heading", lines[0].strip(), level=1 if match.group(1)[0] == "=" else 2)
            lines = lines[2:]
        if not lines:
            continue
        if len(lines) == 1 and (level := _heading_level(lines[0].strip())):
            yield Element("heading", lines[0].strip(), level=level)
        elif all(_RULE.match(line) for line in lines) and not any(
            character.isalnum() for line in lines for character in line
        ):
            # A rule of dashes is a picture, not a text; anything with a letter or figure in it stays.
            continue
        elif sum(bool(_BULLET.match(line)) for line in lines) >= max(2, len(lines) / 2):
            yield Element("list", "\n".join(lines))
        else:
            yield Element("paragraph", unwrap("\n".join(lines)) if _is_wrapped(lines) else "\n".join(lines).strip())


def _heading_level(line: str) -> int:
    if match := _CHAPTER.match(line):
        return 2 if match.group(1) in _SECTION_MARKS else 1
    letters = [character for character in line if character.isalpha()]
    capitals = len(letters) >= 4 and all(character.isupper() for character in letters)
    return (
        2 if capitals and len(line) <= MAX_HEADING and line[-1] not in ".!?:;,。！？：；，" and "  " not in line else 0
    )


def _is_wrapped(lines: list[str]) -> bool:
    widths = [sum(2 if character > "\u2e80" else 1 for character in line) for line in lines[:-1]]
    return bool(widths) and min(widths) >= WRAPPED and max(widths) <= 160
