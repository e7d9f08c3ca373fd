"""Characters that nobody sees: taken out of the text of chunks, which is matched, quoted and put into prompts.

A soft hyphen or a zero-width space makes two words of one ("inter\\u00adnational"); direction marks and tag characters can hide
text from a reader and show it to a model. Full-width forms stay as they are, to be quoted: encoders and the lexical index
normalise them (NFKC) where they match.
"""

from __future__ import annotations

import re

_BROKEN = re.compile(r"\u00ad[ \t]*\n[ \t]*")
LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_PLAIN = str.maketrans(
    {
        **LIGATURES,
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f", " "),
        # Soft hyphen, zero-width space, word joiner, byte order mark. Joiners of emoji and of other scripts stay.
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
        # Direction marks, embeddings, overrides and isolates.
        **dict.fromkeys("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
        **{chr(code): "" for code in range(0xE0000, 0xE0080)},
    }
)


def visible(text: str) -> str:
    """The text without invisible characters; ligatures as letters, odd spaces as plain ones."""
    # Most text is plain; asking costs a tenth of translating.
    if text.isascii():
        return text
    return _BROKEN.sub("", text).translate(_PLAIN)
