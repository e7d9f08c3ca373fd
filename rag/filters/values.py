"""Days and numbers out of what documents and filters say."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date
from email.utils import parsedate_to_datetime
from functools import lru_cache

_ISO = re.compile(r"\s*(?:D:)?(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?)?)?(?!\d)", re.ASCII)
_PDF = re.compile(r"\s*(?:D:)?(\d{4})(\d{2})(\d{2})(?:\d{6}\b|\d{4}\b|\b|[TZ+-])", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
_DATED_BY = ("date", "modified", "created")
LARGEST = 2.0**53
"""Beyond it two different integers are the same float."""


def day_of(metadata: Mapping[str, object]) -> str | None:
    """The day of a document by its metadata, `2024-05-31`; of a date without a day, the first one that it names."""
    for key in _DATED_BY:
        found = days_of(str(metadata.get(key, "")))
        if found is not None:
            return found[0]
    return None


@lru_cache(maxsize=1024)
def days_of(text: str) -> tuple[str, str] | None:
    """First and last day of `2024`, `2024-05`, `2024-05-31`, or of a date as PDF, mail and web pages write it; None for others."""
    text = text[:100]
    matched = _PDF.match(text) or _ISO.match(text)
    if matched is None:
        return _mail_day(text)
    year, month, day = (int(part) if part else None for part in matched.groups())
    assert year is not None
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
        last_month = 12 if month is None else month
        last = date(year, last_month, calendar.monthrange(year, last_month)[1] if day is None else day)
    except ValueError:
        return None
    return first.isoformat(), last.isoformat()


def _mail_day(text: str) -> tuple[str, str] | None:
    try:
        day = parsedate_to_datetime(text).date().isoformat()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return day, day


def number_of(text: str) -> float | None:
    """The number that the text is, and nothing else; None for others and beyond 2⁵³."""
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) <= LARGEST else None


def folded(text: str) -> str:
    """Without the case of A–Z: what `contains` and `starts_with` compare. SQLite's `lower` does the same."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)
