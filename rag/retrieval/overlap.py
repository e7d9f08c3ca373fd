"""Text that two neighbouring chunks share, because a chunker let them overlap."""

from __future__ import annotations

MIN_OVERLAP = 20
"""Characters that have to be shared: fewer are shared by chance."""


def overlap(before: str, after: str) -> int:
    """Characters at the end of `before` with which `after` begins; 0 below MIN_OVERLAP."""
    if len(before) < MIN_OVERLAP or len(after) < MIN_OVERLAP:
        return 0
    start = before.find(after[:MIN_OVERLAP], max(0, len(before) - len(after)))
    while start >= 0:
        if after.startswith(before[start:]):
            return len(before) - start
        start = before.find(after[:MIN_OVERLAP], start + 1)
    return 0
