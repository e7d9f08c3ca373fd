"""What several text formats share: joining wrapped lines, captions, reading the bytes of a text file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.decoding import read_text
from ingest.protocols import Source
from rag.documents import Element
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

_CJK = r"\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_BETWEEN_CJK = re.compile(rf"(?<=[{_CJK}])[ \t]*\n[ \t]*(?=[{_CJK}])")
_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_CAPTION = re.compile(
    r"^\s*(?:(?:figure|fig\.?|table|chart|exhibit|photo|plate)\s*[0-9IVXA-Z][\w.\-]*\s*[.:：)–—-]|(?:figure|fig\.?|table|chart)\s+\d[\d.\-]*\b"
    r"|[图圖表]\s*[0-9一二三四五六七八九十][\d.\-–—]*)",
    re.IGNORECASE,
)
MAX_CAPTION = 400
"""Characters; a longer paragraph that begins with "Figure 3" speaks about the figure, and is not its caption."""


def unwrap(text: str) -> str:
    """Lines of one paragraph as one line: a space between words, nothing between Chinese characters."""
    return _BREAK.sub(" ", _BETWEEN_CJK.sub("", text)).strip()


def is_caption(text: str) -> bool:
    """Whether a paragraph reads like the caption of a figure or table: "Figure 2: …", "图 3 …"."""
    return len(text) <= MAX_CAPTION and bool(_CAPTION.match(text))


def source_bytes(source: Source) -> bytes:
    """The bytes of a file within its limit. Raises LimitExceeded, EmptyFile."""
    size = source.path.stat().st_size
    if size > source.limits.bytes:
        raise LimitExceeded(
            f"{source.name} has {size / 1e6:,.1f} MB, more than the {source.limits.bytes / 1e6:,.1f} MB allowed.",
            "Split it, or raise `ingest.limits.bytes`.",
        )
    data = source.path.read_bytes()
    if not data.strip():
        raise EmptyFile(f"{source.name} is empty.", "Check that the file was copied whole.")
    return data


def source_text(source: Source) -> str:
    """The decoded text of a file, with plain line ends. Raises CorruptFile, LimitExceeded, EmptyFile."""
    text = read_text(source_bytes(source))
    if text is None:
        raise CorruptFile(
            f"{source.name} is not readable text in any known encoding.", "Save it as UTF-8 and ingest it again."
        )
    return clean_lines(text)


def clean_lines(text: str) -> str:
    """Plain line ends; control characters, which no later stage can store or show, become spaces."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff\ud800-\udfff]", " ", text)


def sole_heading(elements: Sequence[Element]) -> str:
    """The title that a document gives itself: its only heading of level 1, or one that it begins with."""
    first = [element.text for element in elements if element.kind == "heading" and element.level == 1]
    begins = bool(elements) and elements[0].kind == "heading" and elements[0].level == 1
    return first[0] if len(first) == 1 or begins else ""


def with_captions(elements: Iterable[Element]) -> list[Element]:
    """The paragraph under a figure that is its caption, by its style or its beginning, goes with the figure."""
    kept: list[Element] = []
    for element in elements:
        last = kept[-1] if kept else None
        caption = element.kind == "caption" or (element.kind == "paragraph" and is_caption(element.text))
        if caption and last is not None and last.kind == "figure" and not last.caption:
            kept[-1] = replace(last, caption=element.text, boxes=last.boxes + element.boxes)
        else:
            kept.append(element)
    return kept
