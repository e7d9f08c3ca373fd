"""Regions that a label draws on pages: `[page, left, top, right, bottom]` in points from the page's top left corner, as the service
gives them (`rag.documents.Box`), one box or a list; four numbers where one page is named beside them; in CSV the numbers as text, a
semicolon between boxes."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any

from eval.datasets.fields import is_empty
from rag.documents import Box
from rag.errors import BadRequest

_BETWEEN = re.compile(r"[\s,，]+")


def boxes(place: Any, value: Any, pages: Collection[int] = ()) -> tuple[Box, ...]:
    """Each box once, in the order given. `pages` are those that the label names. Raises BadRequest."""
    if is_empty(value):
        return ()
    if isinstance(value, str):
        given = [_BETWEEN.split(one.strip(" []()")) for one in re.split(r"[;；\n]", value) if one.strip()]
    elif isinstance(value, list) and all(isinstance(one, list) for one in value):
        given = value
    else:
        given = [value]
    return tuple(dict.fromkeys(_box(place, one, pages) for one in given))


def _box(place: Any, given: Any, pages: Collection[int]) -> Box:
    try:
        if isinstance(given, list) and not any(isinstance(one, bool) for one in given):
            numbers = [float(one) for one in given]
            if len(numbers) == 4 and len(pages) == 1:
                numbers.insert(0, float(next(iter(pages))))
            page, *sides = numbers
            if len(sides) == 4 and page.is_integer() and all(map(math.isfinite, sides)):
                return Box(int(page), *sides)
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadRequest(
        f"{place}: {str(given)[:60]} is no box.",
        "Write [page, left, top, right, bottom] in points from the page's top left corner, or the last four beside one page.",
    )
