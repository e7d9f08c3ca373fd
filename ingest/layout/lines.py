"""Where each drawn line ends in the text that was made of it, so that a sentence can be shown where it stands.

Joining lines takes hyphens out and writes list marks anew; all else of a line is in the text, in order. So the signs of the lines are
walked along those of the text, and what does not agree is stepped over.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout.runs import Placed, Rect, Row, Run, rows

REACH = 3
"""Signs of the text that a list mark may have become."""
AHEAD = 3
"""Rows of a table that a drawn line may skip: those that were folded away or are empty."""
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


def row_lines(markdown: str, placed: Sequence[Sequence[Row]]) -> tuple[tuple[int, Rect], ...]:
    """End and place of each row of a table by its `drawn_rows`, its rule with its header; empty where a row could not be placed."""
    made, end = [], -1
    for n, text in enumerate(markdown.split("\n") if placed else ()):
        end += 1 + len(text)
        if n == 0:
            made.append((end, Rect.around(placed[0])))
        elif n == 1:
            made[0] = (end, made[0][1])
        else:
            made.append((end, Rect.around(placed[n - 1])))
    return tuple(made)


def drawn_rows(markdown: str, runs: Sequence[Run]) -> list[list[Row]]:
    """The drawn lines of each row of a table, the rule aside; empty where a row has none.

    Drawn lines go to rows in order, each to the one that has most of its words: a row may take several lines, and a heading over
    several columns is in each of their names.
    """
    texts = [text for n, text in enumerate(markdown.split("\n")) if n != 1]
    solid = ["".join(text.replace("\\|", "|").split()) for text in texts]
    placed: list[list[Row]] = [[] for _ in texts]
    at = 0
    for line in rows(runs):
        ahead = range(at, min(len(texts), at + 1 + AHEAD))
        at = max(ahead, key=lambda k: (round(_share(line, solid[k]), 2), -k))
        placed[at].append(line)
    return placed if all(placed) else []


def _share(line: Row, text: str) -> float:
    """Of the signs of a line's runs, those of runs that stand in the text."""
    pieces = ["".join(run.text.split()) for run in line.runs]
    return sum(len(piece) for piece in pieces if piece in text) / max(1, sum(map(len, pieces)))
