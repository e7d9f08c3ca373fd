"""Repetition loops: a generator that says the same again and again, found while it does.

Two signs: the end of the text is one run of characters several times over (a loop in the strict sense), or a sentence comes the third time
(a loop that passes through others). The first has to span some length, so that `ha ha ha`, a rule of a table or zeros are none.
"""

from __future__ import annotations

import re
from collections import Counter

LONGEST_UNIT = 300
WIDE_UNIT, WIDE_REPEATS = 24, 3
NARROW_REPEATS, NARROW_SPAN = 5, 60
SENTENCE_REPEATS, SENTENCE_WIDTH = 3, 16

_SENTENCE = re.compile(r"[^.。！？!?；;\n]+(?:[.。！？!?；;\n]+|$)")
_MARKERS = re.compile(r"\s*[\[【［][\d\s,，、-]*[\]】］]")


def width(text: str) -> int:
    """Latin characters; a Han character says as much as two."""
    return len(text) + sum("\u3400" <= sign <= "\u9fff" for sign in text)


def loop_start(text: str) -> int | None:
    """Where the second occurrence of what the end of the text repeats begins; None when nothing is repeated."""
    for length in range(2, min(LONGEST_UNIT, len(text) // 2) + 1):
        if text[-1] != text[-1 - length] or text[-length:] != text[-2 * length : -length]:
            continue
        unit = text[-length:]
        if not any(map(str.isalpha, unit)):
            continue
        repeats, begin = 2, len(text) - 2 * length
        while text[max(0, begin - length) : begin] == unit:
            repeats, begin = repeats + 1, begin - length
        wide = width(unit)
        if (wide >= WIDE_UNIT and repeats >= WIDE_REPEATS) or (
            repeats >= NARROW_REPEATS and repeats * wide >= NARROW_SPAN
        ):
            # The piece that just came may end anywhere in the unit: the loop began up to one unit earlier.
            while begin and text[begin - 1] == text[begin - 1 + length]:
                begin -= 1
            return begin + length
    return None


def repeated_sentence(text: str) -> int | None:
    """Where the second occurrence of a sentence that stands there three times begins, whatever markers it carries."""
    seen: Counter[str] = Counter()
    second: dict[str, int] = {}
    for match in _SENTENCE.finditer(text):
        plain = " ".join(_MARKERS.sub("", match.group()).split()).casefold()
        if width(plain) < SENTENCE_WIDTH:
            continue
        seen[plain] += 1
        if seen[plain] == SENTENCE_REPEATS - 1:
            second[plain] = match.start()
        if seen[plain] == SENTENCE_REPEATS:
            return second[plain]
    return None
