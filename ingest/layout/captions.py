"""Which text is a caption, and which figure or table it belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.layout.runs import Placed

_FIGURE = re.compile(
    r"^\s*(?:(?:figure|fig|chart|exhibit|graph|map|photo|plate|image|illustration|diagram)\.?\s*(?:\d+|[A-Z]?[-.]?\d+|[IVX]+\b)"
    r"|[图圖]\s*(?:\d+|[一二三四五六七八九十]+))",
    re.IGNORECASE,
)
_TABLE = re.compile(
    r"^\s*(?:table\.?\s*(?:\d+|[A-Z]?[-.]?\d+|[IVX]+\b)|表\s*(?:\d+|[一二三四五六七八九十]+))", re.IGNORECASE
)
_SENTENCE = re.compile(
    r"^\s*\S+\s*[\w.-]*\s*(?:shows?|presents?|illustrates?|displays?|gives?|lists?|summari[sz]es|provides?|depicts?|is|are|and|所示|显示)\b",
    re.IGNORECASE,
)

REACH = 40.0
"""Points between a figure and its caption; two lines of text."""


def is_figure_caption(text: str) -> bool:
    return bool(_FIGURE.match(text)) and not _SENTENCE.match(text) and len(text) <= 600


def is_table_caption(text: str) -> bool:
    return bool(_TABLE.match(text)) and not _SENTENCE.match(text) and len(text) <= 600


def pair(figures: Sequence[Placed], captions: Sequence[Placed]) -> dict[int, int]:
    """Index of figure → index of caption: nearest first, each used once. Below a figure counts as nearer than above."""
    distances = sorted(
        (distance, i, j)
        for i, figure in enumerate(figures)
        for j, caption in enumerate(captions)
        if (distance := _distance(figure, caption)) <= REACH
    )
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, i, j in distances:
        if i not in pairs and j not in used:
            pairs[i] = j
            used.add(j)
    return pairs


def _distance(figure: Placed, caption: Placed) -> float:
    beside = max(figure.left - caption.right, caption.left - figure.right, 0.0)
    below, above = caption.top - figure.bottom, figure.top - caption.bottom
    if below >= above:
        return max(below, 0.0) + beside
    return max(above, 0.0) + beside + 6.0
