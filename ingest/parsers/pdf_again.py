"""A page as PDFium reads it, for pages of which liteparse's reading is in doubt: opened when first asked for, once."""

from __future__ import annotations

from functools import cached_property
from typing import Any


class SecondReading:
    """Of the page with this number, from 1. Close it. The caller holds the lock."""

    def __init__(self, pdf: Any, number: int) -> None:
        self._pdf, self._number = pdf, number

    @cached_property
    def page(self) -> Any | None:
        """None for a page that cannot be loaded, which is told elsewhere."""
        try:
            return self._pdf[self._number - 1]
        except Exception:
            return None

    @cached_property
    def text(self) -> Any:
        """Its characters. Only of a page that was loaded."""
        assert self.page is not None
        return self.page.get_textpage()

    def close(self) -> None:
        drawn = self.__dict__.get("page")
        if drawn is not None:
            drawn.close()
