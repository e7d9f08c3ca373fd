"""The question as retrievers read it: its text in ordinary characters and, of a picture, the words for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rag.documents import ImageEntry

PICTURE_CHARACTERS = 400
"""Of what is seen on a picture: a page of recognised text would be a question about everything on it."""

# NFKC would make these ASCII, and 「？」 is how a Chinese question ends.
_BUT_CHINESE_SIGNS = re.compile(r"[^\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+")
_INVISIBLE = re.compile(r"[\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\x00-\x08\x0b-\x1f\x7f]")


def plain(text: str) -> str:
    """NFKC (full-width letters and figures, ligatures), Chinese signs aside; without invisible characters; white space trimmed."""
    shown = _INVISIBLE.sub("", text)
    return _BUT_CHINESE_SIGNS.sub(lambda match: unicodedata.normalize("NFKC", match.group()), shown).strip()


def says_nothing(text: str) -> bool:
    """Whether there is nothing to look for: punctuation alone finds whatever is nearest to it. A sign (an emoji, €, +) may be looked for."""
    return all(unicodedata.category(sign)[0] in "PZC" for sign in text)


def with_picture(text: str, entries: Sequence[ImageEntry], characters: int = PICTURE_CHARACTERS) -> str:
    """What to search with when a picture belongs to the question: the question, then the picture's labels, then as much of the text in
    it as fits; may be empty."""
    labels = [entry.text for entry in entries if entry.kind == "label"]
    rest = [entry.text for entry in entries if entry.kind not in {"label", "name"}]
    seen = "\n".join([*labels, *rest])[:characters].strip()
    return "\n".join(part for part in (text.strip(), seen) if part)
