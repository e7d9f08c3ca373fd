"""Reads what a judge said, whatever it wrapped it in. What cannot be read is None, and counted, never taken for a no."""

from __future__ import annotations

import json
import re
from typing import Any

from rag.words import normalise

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```\w*")
_NAMES = r"(?:verdict|answer|result|结论|判断|回答|答案)"
_SAID = re.compile(rf"{_NAMES}[\W_]{{0,4}}(?:[:：]|\bis\b|是|为)[\W_]{{0,4}}", re.IGNORECASE)
_NO = r"(?:no|false|not|unsupported|incorrect|0)\b|不|否|没|无|错"
_YES = r"(?:yes|true|supported|correct|1)\b|是|对|能|有|可以|正确"
_HERE = re.compile(rf"[\W_]*(?:(?P<no>{_NO})|(?P<yes>{_YES}))")
_ALONE = re.compile(r"(?<!\w)(?:(?P<no>no|false|not supported|否)|(?P<yes>yes|true|supported|是))(?!\w)")
_BULLET = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}\s*[.)、:：]|Q\d*[.:：])\s*", re.IGNORECASE)


def verdict(text: str) -> bool | None:
    """Yes or no: the word that the text begins with, or that follows "verdict:" or "answer is", or that stands alone somewhere. JSON
    is looked into."""
    text = _plain(text)
    for value in _json_values(text):
        named = value.items() if isinstance(value, dict) else ()
        told = [_as_bool(one) for name, one in named if re.fullmatch(_NAMES, str(name), re.IGNORECASE)]
        if told and told[0] is not None:
            return told[0]
    after = _SAID.search(text)
    tried = [_HERE.match(normalise(text)), _HERE.match(normalise(text[after.end() :])) if after else None]
    found = next(filter(None, tried), None) or _ALONE.search(normalise(text))
    return None if found is None else found["no"] is None


def items(text: str) -> list[str]:
    """The lines of a list: bullets, numbers, a JSON list, or plain lines; in order, each once, without an introducing line."""
    text = _plain(text)
    for value in _json_values(text):
        if isinstance(value, dict):
            value = next((one for one in value.values() if isinstance(one, list)), None)
        if isinstance(value, list):
            return list(dict.fromkeys(str(one).strip() for one in value if str(one).strip()))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bullets = [line for line in lines if _BULLET.match(line)]
    kept = bullets or [line for line in lines if not line.endswith((":", "："))]
    return list(dict.fromkeys(stripped for line in kept if (stripped := _BULLET.sub("", line).strip())))


def _plain(text: str) -> str:
    return _FENCE.sub("", _THOUGHT.sub("", text)).strip()


def _as_bool(value: Any) -> bool | None:
    match = _HERE.match(normalise(str(value)))
    return None if match is None else match["no"] is None


def _json_values(text: str) -> list[Any]:
    """The first JSON object or list in the text, if there is one."""
    for match in re.finditer(r"[\[{]", text):
        try:
            return [json.JSONDecoder().raw_decode(text, match.start())[0]]
        except ValueError:
            continue
    return []
