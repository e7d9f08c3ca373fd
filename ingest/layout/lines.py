"""Where each drawn line ends in the text that was made of it, so that a sentence can be shown where it stands.

Joining lines takes hyphens out and writes list marks anew; all else of a line is in the text, in order. So the signs of the lines are
walked along those of the text, and what does not agree is stepped over.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout.runs import Placed, Rect

REACH = 3
"""Signs of the text that a list mark may have become."""
LOST = 0.1
"""Share of the signs that may not be found; beyond it the walk has gone wrong, and there are no lines."""


def line_ends(lines: Sequence[str], text: str) -> list[int]:
    """The end of each line in `text`, the last one at its end; empty where the lines do not make the text."""
    ends, place, lost = [], 0, 0
    for line in lines:
        for sign in line:
            if sign.isspace():
                continue
            while place < len(text) and text[place].isspace():
                place += 1
            found = text.find(sign, place, place + REACH)
            if found < 0:
                lost += 1
            else:
                place = found + 1
        ends.append(place)
    if not ends or lost > max(2, LOST * len(text)) or len(text.rstrip()) - place > REACH:
        return []
    ends[-1] = len(text)
    return ends


def placed_lines(lines: Sequence[tuple[str, Placed]], text: str) -> tuple[tuple[int, Rect], ...]:
    """End and place of each line."""
    ends = line_ends([line for line, _ in lines], text)
    return tuple((end, Rect.around([place])) for end, (_, place) in zip(ends, lines, strict=True)) if ends else ()
