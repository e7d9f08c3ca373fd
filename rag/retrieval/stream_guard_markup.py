"""Markup in an answer is made inert, so that a client which renders Markdown or HTML loads and links nothing that a document chose.

An answer that repeats `![](https://example.org/?q=…)` from a document would have the reader's browser tell the question to whoever wrote it.
Text stays readable: `![a](https://b)` becomes `[a] (https://b)`, `<img …>` becomes `‹img …>`.
"""

from __future__ import annotations

import re

_IMAGE = re.compile(r"!+(?=\[)")
_LINK = re.compile(r"\](?=(?:\(|:)\s*<?(?:[a-z][a-z0-9+.-]*:|//|www\.))", re.IGNORECASE)
_TAG = re.compile(
    r"<(?=/?(?:a|area|audio|base|body|button|embed|form|frame|frameset|iframe|image|img|input|link|math|meta|object|picture|script"
    r"|source|style|svg|track|video)\b)",
    re.IGNORECASE,
)
_OPEN = re.compile(r"(?:\](?:[(:]\s{0,20}<?(?:[a-z][a-z0-9+.-]{0,40}|/)?)?|</?[a-z]{0,10})$", re.IGNORECASE)


def inert(text: str) -> str:
    """The text without pictures, links and tags that load or link."""
    return _TAG.sub("‹", _LINK.sub("] ", _IMAGE.sub("", text)))


def open_markup(text: str) -> int:
    """Characters at the end that may be the beginning of markup; `inert` can be told the text before them."""
    # "!!" without its second sign would be "!" before the next "[".
    if text.endswith("!"):
        return len(text) - len(text.rstrip("!"))
    found = _OPEN.search(text[-80:])
    return len(found.group()) if found else 0
