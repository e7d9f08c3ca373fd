"""An answer that says nothing but that the passages do not answer: the generator has declined, and that is an abstention, not a claim.

Small models do so by themselves now and then, in their own words, and put a marker behind it as they were told.
"""

from __future__ import annotations

import re

from rag.words import sentence_spans

_READ_EN = r"(?:passages?|documents?|texts?|context|sources?|excerpts?)"
_SAID_EN = r"(?:mention|provide|specif|state|give|include|contain|say|disclose|list|discuss|available|found)"
_EN = re.compile(
    rf"\b(?:not|n't|no)\b[^.]*\b{_SAID_EN}\w*[^.]*\b{_READ_EN}\b"
    rf"|\b{_READ_EN}\b[^.]*\b(?:not|n't|no)\b[^.]*\b(?:{_SAID_EN}\w*|information|answer)\b"
    rf"|\bno (?:information|mention|answer)\b[^.]*\b{_READ_EN}\b",
    re.IGNORECASE,
)
_ZH = re.compile(
    r"(?:片段|文档|资料|文中|原文|上下文|内容).{0,15}(?:没有|未|无).{0,6}(?:提到|提及|说明|给出|提供|包含|涉及|列出|信息|答案)"
    r"|(?:没有|未).{0,6}(?:提到|提及|说明|给出|提供).{0,8}(?:片段|文档|资料|文中|原文)"
)
_MARKER = re.compile(r"\s*[\[【]\s*\d+\s*[\]】]")


def declines(text: str) -> bool:
    """Whether the whole answer is one sentence that says that the answer is not in what was read."""
    plain = _MARKER.sub("", text).strip()
    return len(sentence_spans(plain)) == 1 and bool(_EN.search(plain) or _ZH.search(plain))
