"""Scans read by the bundled OCR models: slow, and only where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from ingest.parsers.pdf import PdfParser
from ingest.protocols import Source
from rag.encoders.ocr import RapidOcr

_SPEC = importlib.util.spec_from_file_location("pdf_samples", Path(__file__).with_name("pdf_samples.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
samples = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(samples)


@pytest.mark.model
def test_reads_the_sentence_of_a_scanned_page(tmp_path: Path) -> None:
    path = samples.make(tmp_path / "scan.pdf", samples.scan)
    (page,) = PdfParser(ocr=RapidOcr()).parse(Source(path, path.name, "application/pdf"))
    assert page.page is not None
    assert page.page.source == "ocr"
    (paragraph,) = page.elements
    assert paragraph.text.replace(" ", "") == samples.SCANNED.replace(" ", "")
    (box,) = paragraph.boxes
    left, top = 150 * page.page.width / 1240, 300 * page.page.height / 1754
    assert (box.left, box.top) == pytest.approx((left, top), abs=4)
