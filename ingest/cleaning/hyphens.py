"""Words that plain text breaks at line ends: `inter-` and `national` are one word, `long-` and `term` keep their hyphen."""

from __future__ import annotations

import re

_BROKEN = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,})-[ \t]*\n[ \t]*([^\W\d_]{2,}[,.;:!?)\"'”’]*)[ \t]*")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def whole_words(text: str) -> str:
    """The text with broken words put together on the upper line. Whether a hyphen belongs to a word is asked of the rest of the
    text: it does where the word stands with it elsewhere, or where both halves stand there as words and the whole does not."""
    known: set[str] | None = None

    def mended(match: re.Match[str]) -> str:
        nonlocal known
        first, second = match[1], match[2]
        if not second[0].islower():
            return match[0]
        if known is None:
            known = {word.casefold() for word in _WORD.findall(_BROKEN.sub(" ", text))}
        halves = first.casefold(), second.rstrip(",.;:!?)\"'”’").casefold()
        belongs = "-".join(halves) in known or ("".join(halves) not in known and known.issuperset(halves))
        return f"{first}{'-' if belongs else ''}{second}\n"

    return _BROKEN.sub(mended, text)
