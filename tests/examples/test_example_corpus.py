"""The corpus stays small, the scan stays a scan, links lead somewhere, and the builder gives the same content again."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from example_sources import CORPUS, pages_of
from PIL import Image

from examples.build_corpus import build
from examples.builder import fonts, report_observatory, report_tea, slides
from examples.builder.drawn_text import VISITORS
from examples.builder.stable_zip import stable

FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


def _font_is_here() -> bool:
    try:
        fonts.chinese_path()
    except fonts.FontMissing:
        return False
    return True


def test_files_are_few_and_small() -> None:
    assert 10 <= len(FILES) <= 20
    assert max(path.stat().st_size for path in FILES) < 500_000
    assert sum(path.stat().st_size for path in FILES) < 3_000_000


def test_the_scan_has_pixels_and_no_text() -> None:
    for page in pypdfium2.PdfDocument(CORPUS / "observatory/letters-1987-scan.pdf"):
        assert page.get_textpage().get_text_bounded().strip() == ""
        kinds = [item.type for item in page.get_objects()]
        assert kinds == [pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]


def test_the_chinese_report_carries_its_font() -> None:
    """Without the font inside, a machine without Chinese fonts draws an empty page under the citation's box."""
    data = (CORPUS / "tea/云岭茶园2025年度报告.pdf").read_bytes()
    assert b"/FontFile2" in data


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix in {".md", ".html"}], ids=lambda path: path.name
)
def test_links_between_files_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r'(?:href|src)="([^"#]+)"|\]\(([^)#]+)\)', text)
    for link in (a or b for a, b in links):
        assert link.startswith("http") or (path.parent / link).is_file(), link


def test_the_figures_of_the_reports_add_up() -> None:
    assert sum(report_observatory.CLEAR_NIGHTS) == 161
    assert sum(slides.GUESTS.values()) == VISITORS["2025"] == 4637
    assert sum(report_tea.RAIN) == 1480


def test_archives_do_not_depend_on_the_clock(tmp_path: Path) -> None:
    path = CORPUS / "observatory/visitor-programme-2026.pptx"
    moved = tmp_path / "moved.pptx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(moved, "w") as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, (1999, 12, 31, 23, 59, 0)), source.read(name))
    assert moved.read_bytes() != path.read_bytes()
    assert stable(moved.read_bytes()) == stable(path.read_bytes())


@pytest.mark.slow
@pytest.mark.skipif(not _font_is_here(), reason="the Chinese font of the builder is not installed")
def test_building_again_gives_the_same_content(tmp_path: Path) -> None:
    for built in build(tmp_path):
        name = built.relative_to(tmp_path).as_posix()
        committed = CORPUS / name
        if built.suffix == ".png":
            pixels = [np.asarray(Image.open(file)).astype(int) for file in (built, committed)]
            assert np.abs(pixels[0] - pixels[1]).mean() < 0.5
        elif name == "observatory/letters-1987-scan.pdf":
            for again, before in zip(pypdfium2.PdfDocument(built), pypdfium2.PdfDocument(committed), strict=True):
                difference = again.render().to_numpy().astype(int) - before.render().to_numpy()
                assert np.abs(difference).mean() < 2
        elif built.suffix == ".pdf":
            again, before = pypdfium2.PdfDocument(built), pypdfium2.PdfDocument(committed)
            texts = [[page.get_textpage().get_text_bounded() for page in pdf] for pdf in (again, before)]
            assert texts[0] == texts[1]
        else:
            assert _words(built) == pages_of(name)


def _words(path: Path) -> dict[int | None, str]:
    return pages_of(str(path))
