"""Real documents, where they are at hand: the folder named by TUWEN_SHARED, or `shared` beside the repository."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from ingest.parsers.pdf import PdfParser
from ingest.protocols import Source
from rag.errors import FileError

SHARED = Path(os.environ.get("TUWEN_SHARED") or Path(__file__).parents[4] / "shared")
CORPUS, HOSTILE = SHARED / "demo-corpus", SHARED / "data" / "pdf-robust-dev"
_SPEC = importlib.util.spec_from_file_location("contract", Path(__file__).with_name("contract.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
contract = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(contract)

pytestmark = pytest.mark.slow

ANSWERS = [
    (
        "en/census-disability-us-001.pdf",
        2,
        "Approximately 56.7 million people living in the United States had some kind of disability in 2010 (Table 1). "
        "This accounted for 18.7 percent of the 303.9 million people",
    ),
    (
        "en/OPM-FY2019-annual-performance-report.pdf",
        26,
        "| 1.1 E | Number of participants in the HR Policy Center of Excellence | -* | -* | -* | 0 | 5 | ≥18 | Not Met |",
    ),
    (
        "en/EPA-FY2022-2026-strategic-plan.pdf",
        13,
        "By September 30, 2026, assist at least 400 federally recognized Tribes to take action",
    ),
    ("en/NTSB-20080104X00020.pdf", 1, "| Accident Number: | CHI08CA047 |"),
    ("en/NTSB-20080104X00020.pdf", 3, "| Flight Time: | 158 hours (Total, all aircraft)"),
]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the real documents are not at hand")
@pytest.mark.parametrize(("name", "number", "words"), ANSWERS)
def test_the_answer_stands_on_its_page(name: str, number: int, words: str) -> None:
    path = CORPUS / name
    pages = contract.parse(PdfParser(ocr=None), contract.source(path, "application/pdf"))
    assert words in "\n".join(contract.texts([pages[number - 1]]))


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the broken documents are not at hand")
def test_broken_documents_give_text_or_a_clear_error() -> None:
    for path in sorted(HOSTILE.rglob("*.pdf")):
        try:
            pages = list(PdfParser(ocr=None).parse(Source(path, path.name, "application/pdf")))
        except FileError as error:
            assert path.name in error.message  # noqa: PT017 - either outcome is right
            assert error.remedy  # noqa: PT017
        else:
            contract.check_pages(pages)
