"""Warnings in a number that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SHOWN = 5

Warned = tuple[Any, str]
"""Where, and what. The place is written only when it is shown: finding its line may mean going through the file again."""


def shorten(warnings: Sequence[Warned]) -> list[str]:
    """The first few as sentences, and how many more there are."""
    more = len(warnings) - SHOWN
    shown = [f"{place}: {what}" for place, what in (warnings[:SHOWN] if more > 1 else warnings)]
    return [*shown, f"… and {more} more like these."] if more > 1 else shown
