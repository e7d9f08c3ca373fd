"""What a cell or field says, as lists of answers, pages and names: the same from CSV, where everything is text, and from JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.datasets.fields import is_empty
from rag.answers import Turn
from rag.errors import BadRequest

_SEPARATOR = re.compile(r"\s*[;\n]\s*")
_PAGE = re.compile(r"(?:pp?\.\s*|第\s*)?(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?(?:\s*页)?", re.IGNORECASE)
_YES = frozenset({"true", "yes", "1", "y", "是"})
_NO = frozenset({"false", "no", "0", "n", "否"})
_ROLES = ("user", "assistant")


def listed(value: Any) -> list[Any]:
    if is_empty(value):
        return []
    return list(value) if isinstance(value, list) else [value]


def answers(value: Any) -> tuple[str, ...]:
    """Alternatives: a text, a list of texts, or objects with a `text` (one text or several), each once."""
    found: dict[str, None] = {}
    for one in listed(value):
        texts = listed(one["text"]) if isinstance(one, dict) and "text" in one else [one]
        for text in texts:
            shown = ("no", "yes")[text] if isinstance(text, bool) else str(text).strip()
            if shown:
                found[shown] = None
    return tuple(found)


def names(value: Any) -> list[str]:
    """File names; in one text they are separated by semicolons or line breaks."""
    return [part for one in listed(value) for part in _SEPARATOR.split(str(one).strip()) if part]


def pages(place: Any, value: Any) -> frozenset[int]:
    """`12`, `"p. 12"`, `"12; 14-16"` or a list of these. Raises BadRequest."""
    found: set[int] = set()
    for one in listed(value):
        parts = re.split(r"\s*[,;，；、\n]\s*", one.strip()) if isinstance(one, str) else [one]
        for part in parts:
            found.update(_page(place, part))
    return frozenset(found)


def _page(place: Any, value: Any) -> range:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 10**6:
        return range(value, value + 1)
    match = _PAGE.fullmatch(value) if isinstance(value, str) else None
    if match:
        first, last = int(match[1]), int(match[2] or match[1])
        if 1 <= first <= last:
            return range(first, last + 1)
    raise BadRequest(
        f"{place}: {value!r} is no page.", "Pages are whole numbers from 1; leave it out where there are none."
    )


def flag(place: Any, value: Any) -> bool:
    """Raises BadRequest for what is neither yes nor no."""
    text = str(value).strip().casefold()
    if is_empty(value) or text in _NO:
        return False
    if text in _YES:
        return True
    raise BadRequest(f"{place}: {value!r} is neither true nor false.", "Write true or false.")


def turns(place: Any, value: Any) -> tuple[Turn, ...]:
    """Earlier messages: one text, texts of user and assistant in turn, or objects `{"role", "content"}`. Raises BadRequest."""
    found: list[Turn] = []
    for number, one in enumerate(listed(value)):
        if isinstance(one, dict):
            role, content = one.get("role"), one.get("content")
            if role not in _ROLES or not isinstance(content, str):
                raise BadRequest(
                    f"{place}: {str(one)[:60]!r} is no message.",
                    'Write {"role": "user" or "assistant", "content": "…"}.',
                )
            found.append(Turn("user" if role == "user" else "assistant", content))
        else:
            found.append(Turn("assistant" if number % 2 else "user", str(one).strip()))
    return tuple(found)


def pictures(place: Any, value: Any, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The files, from the first of the folders that has them. Raises BadRequest."""
    found: list[Path] = []
    for name in names(value):
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            raise BadRequest(f"{place}: there is no picture {name!r} in {folders[0]}.", "Correct the name.")
        found.append(path)
    return tuple(found)


def evidence(place: Any, value: Any, steps: str) -> Iterator[tuple[str, list[str], Any, Any]]:
    """Source, quotes, pages and boxes of each piece. Pieces are `{"source", "quote", "page", "box"}` or `{source: quotes}`; a piece that is
    only a text is a quote without a source. `steps` says which of them count: all, first or last. Raises BadRequest."""
    pieces = listed(value)
    pieces = {"all": pieces, "first": pieces[:1], "last": pieces[-1:]}[steps]
    for piece in pieces:
        if isinstance(piece, str):
            yield "", [piece], None, None
        elif not isinstance(piece, dict):
            raise BadRequest(
                f"{place}: {str(piece)[:60]!r} is no evidence.",
                'Write {"source", "quote", "page", "box"} or {source: [quote, …]}.',
            )
        elif not {"source", "quote", "box"}.isdisjoint(piece):
            quotes = [str(one) for one in listed(piece.get("quote"))]
            yield str(piece.get("source") or ""), quotes, piece.get("page"), piece.get("box")
        else:
            for source, quotes in piece.items():
                yield source, [str(one) for one in listed(quotes)], None, None
