"""A second reading of pages whose letters liteparse takes for others: Chinese fonts that are not embedded.

For Latin letters in a font of a predefined character collection (Adobe-GB1 and its kin, as many Chinese reports use) it gives other letters
("HauMouu ueÅout" for "Harbour report"), where PDFium is right. The places of the runs are kept, their text is read again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from ingest.layout.text import clean
from ingest.parsers.pdf_again import SecondReading
from ingest.parsers.pdf_text import TextPage

_LETTER = re.compile(r"[0-9A-Za-z]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FIGURE = re.compile(r"[0-9-]")
_DASHES = str.maketrans(dict.fromkeys("\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufffe", "-"))
MIN_AGREEMENT = 0.9


def mended(page: TextPage, second: SecondReading) -> TextPage:
    """The page with its text as PDFium reads it, where the two disagree about most Latin letters. The caller holds the lock."""
    text = "".join(run.text for run in page.runs)
    letters = Counter(_LETTER.findall(text))
    if not letters or not _CJK.search(text) or second.page is None:
        return page
    other = second.text.get_text_range()
    others = Counter(_LETTER.findall(other))
    agreed = (letters & others).total() >= MIN_AGREEMENT * max(letters.total(), others.total())
    if (agreed and not _figures(text) - _figures(other)) or second.page.get_rotation():
        return page
    left, _, _, top = second.page.get_cropbox()
    runs = []
    for run in page.runs:
        upper = 0.3 * (run.bottom - run.top)  # into which the letters of the line above reach; a comma stands low
        box = (left + run.left, top - run.bottom, left + run.right, top - run.top - upper)
        again = clean(second.text.get_text_bounded(*box))
        runs.append(replace(run, text=again) if again else run)
    # Tables that were guessed hold the wrong letters too; ruled ones are found again from the lines.
    return replace(page, runs=tuple(runs), tables=())


def _figures(text: str) -> Counter[str]:
    """Figures, and dashes as one sign: a 9 comes out as a 5, a 2 as a dash."""
    return Counter(_FIGURE.findall(text.translate(_DASHES)))
