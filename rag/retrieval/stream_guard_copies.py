"""Lines of the prompt that a small model copies into its answer: passage headings, fences, instructions, a list of sources."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COPIED = re.compile(
    r"Passage \[\d+\] from\b|片段\s?\[\d+\]，来自|<<<|>>>|Question:|问题：|User:|Assistant:|用户：|助手："
    r"|(?:\*\*)?(?:Sources?|References?|Citations?|来源|参考资料|参考文献|资料来源)(?:\*\*)?\s*[:：]?(?:\*\*)?\s*(?:$|(?=[\[【-]))"
    r"|(?:[-*•]\s*)?[\[【]\d{1,2}[\]】]\s*:?\s*[^\s\[\]]+\.(?:pdf|docx?|pptx?|xlsx?|html?|md|txt|csv|png|jpe?g|eml|epub)\b",
    re.IGNORECASE,
)
_BEGINNINGS = (
    "Passage [", "片段 [", "片段[", "<<<", ">>>", "Question:", "问题：", "User:", "Assistant:", "用户：", "助手：",
    "Source", "**Source", "Reference", "**Reference", "Citation", "来源", "参考资料", "参考文献", "资料来源",
)  # fmt: skip
_LISTED = re.compile(r"(?:[-*•]\s*)?[\[【]\d{0,2}[\]】]?\s*:?\s*[^\s\[\]]{0,60}$")
LONGEST_HELD = 80
INSTRUCTION_LENGTH = 24
"""Characters in which a line of the answer has to equal one of the instructions."""


def copied_line(line: str, instructions: Sequence[str]) -> bool:
    """Whether a line, or what there is of it, is one of the prompt."""
    line = line.strip()
    return _COPIED.match(line) is not None or any(
        len(instruction) >= INSTRUCTION_LENGTH and line.startswith(instruction[:INSTRUCTION_LENGTH])
        for instruction in instructions
    )


def may_become_copied(line: str, instructions: Sequence[str]) -> bool:
    """Whether what there is of a line could still become one of the prompt: it is held back until that is known."""
    line = line.strip()
    if not line or len(line) > LONGEST_HELD:
        return False
    known = (*_BEGINNINGS, *(i[:INSTRUCTION_LENGTH] for i in instructions if len(i) >= INSTRUCTION_LENGTH))
    if any(start.casefold().startswith(line.casefold()) for start in known):
        return True
    if any(line.casefold().startswith(start.casefold()) for start in _BEGINNINGS) and len(line) < 24:
        return True
    return _LISTED.match(line) is not None
