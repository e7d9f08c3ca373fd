"""The libraries of the extra `eval`, imported where they are used: half of the measures need none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import ExtraMissing


@contextmanager
def needed_for(measure: str) -> Iterator[None]:
    """Around an import. Raises ExtraMissing where the package is not there."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing(
            f"The measure {measure} needs the package {error.name}, which is not installed.",
            "Install it: pip install 'tuwen[eval]', or leave the measure out.",
        ) from error
