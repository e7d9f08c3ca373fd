"""Reads what a generator wrote instead of what it was asked for: labels, JSON, Markdown, quotation marks, an introduction."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_QUESTION = r"question|问题|问|题目|q"
_ANSWER = r"answer|答案|回答|答|a"
_LABEL = re.compile(
    rf"^[\s*#>\-\d.]*(?P<name>{_QUESTION}|{_ANSWER})\s*\d*\s*\**\s*[:：]\s*\**\s*(?P<text>.*)$", re.IGNORECASE
)
_IS_QUESTION = re.compile(rf"^(?:{_QUESTION})$", re.IGNORECASE)
_OBJECT = re.compile(r"\{.*?\}", re.DOTALL)


def read_pair(text: str) -> tuple[str, str] | None:
    """Question and answer, or None where there are not both."""
    found = _from_json(text) or _from_labels(text)
    if found is None:
        return None
    question, answer = (_tidy(part) for part in found)
    return (question, answer) if question and answer else None


def _from_json(text: str) -> tuple[str, str] | None:
    for match in _OBJECT.finditer(text):
        try:
            value = json.loads(match.group())
        except ValueError:
            continue
        if isinstance(value, Mapping):
            named = {
                str(name).casefold(): str(part) for name, part in value.items() if isinstance(part, str | int | float)
            }
            question = next((part for name, part in named.items() if _IS_QUESTION.match(name)), "")
            answer = next((part for name, part in named.items() if re.match(rf"^(?:{_ANSWER})$", name)), "")
            if question and answer:
                return question, answer
    return None


def _from_labels(text: str) -> tuple[str, str] | None:
    parts: dict[bool, str] = {}
    current: bool | None = None
    for line in text.splitlines():
        match = _LABEL.match(line)
        if match:
            current = bool(_IS_QUESTION.match(match["name"]))
            if current in parts:
                break
            parts[current] = match["text"]
        elif current is not None and line.strip() and not parts[current].strip():
            parts[current] = line
    return (parts[True], parts[False]) if len(parts) == 2 else None


def _tidy(text: str) -> str:
    flat = " ".join(text.split()).strip("*` ")
    for opening, closing in (('"', '"'), ("“", "”"), ("「", "」"), ("'", "'")):
        if flat.startswith(opening) and flat.endswith(closing) and len(flat) > 2:
            flat = flat[1:-1].strip()
    return re.sub(r"\s*[\[【(（]\d{1,3}[\]】)）]\s*$", "", flat).strip()
