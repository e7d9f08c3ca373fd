"""Passages and conversations as data inside a prompt.

Each passage stands between markers that its own text cannot form: `<<<`, `>>>` and the control tokens of chat templates (`<|im_end|>`)
are broken up in document text, and `[12]` in it, a footnote of Wikipedia for example, becomes `(12)` so that it is not taken for a
citation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answers import Hit, Passage, Turn
from rag.prompts.templates import BUILT_IN, Prompts

_CONTROL = re.compile(
    r"<\|(?=[^|<>\n]{1,40}\|>)|<(?=/?s>)|<(?=/?(?:start_of_turn|end_of_turn|bos|eos)>)|\[(?=/?INST\])"
)
_FENCE = re.compile(r"<{3,}|>{3,}")
_BRACKETED_NUMBER = re.compile(r"[\[【](\s*\d{1,3}(?:\s*[,，、\-–]\s*\d{1,3})*\s*)[\]】]")

TURN_CHARACTERS = 300
"""Of each earlier turn, this much is shown: enough to know what `it` means, and a small model is not drowned."""
TURNS_SHOWN = 5
"""Two exchanges, and what stands for those before them (rag/retrieval/history.py)."""


def defuse(text: str) -> str:
    """Document or user text that can neither close a passage, nor speak for the chat template, nor look like a citation."""
    text = _CONTROL.sub(lambda match: match.group()[0] + "\u200b" + match.group()[1:], text)
    text = _FENCE.sub(lambda match: " ".join(match.group()), text)
    return _BRACKETED_NUMBER.sub(r"(\1)", text)


def source_line(hit: Hit, language: str, prompts: Prompts = BUILT_IN) -> str:
    """Document name, page and heading path of a hit, as the prompt and the abstention name it."""
    parts = [hit.document.name]
    if hit.chunk.page is not None:
        parts.append(prompts.text(language, "answer.page", page=hit.chunk.page))
    if hit.chunk.headings:
        parts.append(" › ".join(hit.chunk.headings[-2:]))
    return ", ".join(" ".join(part.split()) for part in parts)


def render_passage(passage: Passage, language: str, prompts: Prompts = BUILT_IN) -> str:
    """One passage as it stands in the prompt: a line that names its source, and its text as fenced data."""
    return fenced(passage.number, source_line(passage.hit, language, prompts), passage.text, language, prompts)


def fenced(number: int, source: str, text: str, language: str, prompts: Prompts = BUILT_IN) -> str:
    header = prompts.text(language, "answer.source", number=number, source=defuse(source))
    return f"{header}:\n<<<\n{defuse(text.strip())}\n>>>"


def render_turns(turns: Sequence[Turn], language: str, prompts: Prompts = BUILT_IN) -> str:
    """The last of the turns, a line each."""
    speakers = {role: prompts.text(language, f"answer.{role}") for role in ("user", "assistant")}
    return "\n".join(f"{speakers[turn.role]}: {_shorten(turn.content)}" for turn in turns[-TURNS_SHOWN:])


def _shorten(text: str) -> str:
    flat = defuse(" ".join(text.split()))
    return flat if len(flat) <= TURN_CHARACTERS else flat[: TURN_CHARACTERS - 1] + "…"
