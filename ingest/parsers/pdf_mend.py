"""A second reading of pages whose letters liteparse takes for others: Chinese fonts that are not embedded.

For Latin letters in a font of a predefined character collection (Adobe-GB1 and its kin, as many Chinese reports use) it gives other letters
("HauMouu ueÅout" for "Harbour report"), where PDFium is right. The places of the runs are kept, their text is read again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from ingest.layout.text import clean
from ingest.parsers.pdf_text import TextPage

_LETTER = re.compile(r"[0-9A-Za-z]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
ENOUGH = 20
"""Latin letters and figures on a page below which it is not compared."""
MIN_AGREEMENT = 0.9


def mended(page: TextPage, pdf: Any) -> TextPage:
    """The page with its text as PDFium reads it, where the two disagree about most Latin letters. The caller holds the lock."""
    text = "".join(run.text for run in page.runs)
    letters = Counter(_LETTER.findall(text))
    if letters.total() < ENOUGH or not _CJK.search(text):
        return page
    try:
        drawn = pdf[page.number - 1]
    except Exception:  # a page that cannot be loaded is told elsewhere
        return page
    try:
        reading = drawn.get_textpage()
        others = Counter(_LETTER.findall(reading.get_text_range()))
        agreed = (letters & others).total()
        if agreed >= MIN_AGREEMENT * max(letters.total(), others.total()) or drawn.get_rotation():
            return page
        left, _, _, top = drawn.get_cropbox()
        runs = []
        for run in page.runs:
            box = (left + run.left, top - run.bottom, left + run.right, top - run.top)
            again = clean(reading.get_text_bounded(*box))
            runs.append(replace(run, text=again) if again else run)
        # Tables that were guessed hold the wrong letters too; ruled ones are found again from the lines.
        return replace(page, runs=tuple(runs), tables=())
    finally:
        drawn.close()
