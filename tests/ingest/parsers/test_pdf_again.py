from __future__ import annotations

from typing import Any

from ingest.layout.runs import Run
from ingest.parsers.pdf_again import SecondReading
from ingest.parsers.pdf_ligatures import with_ligatures
from ingest.parsers.pdf_mend import mended
from ingest.parsers.pdf_text import TextPage


class Pdf:
    """Of one page; `opened` and `closed` count."""

    def __init__(self, text: str = "") -> None:
        self.text, self.opened, self.closed, self.read = text, 0, 0, 0

    def __getitem__(self, number: int) -> Any:
        if number:
            raise ValueError(number)
        self.opened += 1
        return self

    def get_textpage(self) -> Any:
        self.read += 1
        return self

    def get_text_range(self) -> str:
        return self.text

    def get_rotation(self) -> int:
        return 0

    def count_chars(self) -> int:
        return 0

    def close(self) -> None:
        self.closed += 1


def test_a_page_is_opened_once_and_only_when_it_is_asked_for() -> None:
    pdf = Pdf()
    second = SecondReading(pdf, 1)
    second.close()
    assert (pdf.opened, pdf.closed) == (0, 0)
    assert second.text is second.text is second.page
    second.close()
    assert (pdf.opened, pdf.read, pdf.closed) == (1, 1, 1)


def test_a_page_that_cannot_be_loaded_stays_as_it_was_read() -> None:
    second = SecondReading(Pdf(), 2)
    assert second.page is None
    second.close()


def test_both_doubts_are_settled_by_one_reading() -> None:
    text = "中文 le$er"
    page = TextPage(1, 600, 800, (Run(text, 0, 0, 60, 10, 10),), (), (), ())
    pdf = Pdf(text)
    second = SecondReading(pdf, 1)
    assert with_ligatures(mended(page, second), second) == page
    assert (pdf.opened, pdf.read) == (1, 1)
