from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from ingest.render import MAX_SIDE, render_page
from rag.errors import CorruptFile, EncryptedFile, NotFound


def _opened(data: bytes) -> Image.Image:
    assert data.startswith(b"\x89PNG")
    return Image.open(io.BytesIO(data))


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    canvas = Canvas(str(tmp_path / "two.pdf"), pagesize=(300, 200))
    canvas.rect(0, 100, 150, 100, fill=1)  # the upper left quarter
    canvas.showPage()
    canvas.drawString(20, 20, "second")
    canvas.showPage()
    canvas.save()
    return tmp_path / "two.pdf"


def test_draws_a_page_of_a_pdf_at_its_scale(pdf: Path) -> None:
    picture = _opened(render_page(pdf, 1, 2.0))
    assert picture.size == (600, 400)
    assert picture.convert("L").getpixel((100, 100)) == 0
    assert picture.convert("L").getpixel((500, 300)) == 255


def test_says_when_there_is_no_such_page(pdf: Path) -> None:
    for number in (0, 3):
        with pytest.raises(NotFound, match=f"no page {number}") as caught:
            render_page(pdf, number, 1.0)
        assert "1 to 2" in caught.value.remedy


def test_never_draws_more_than_the_largest_side(pdf: Path) -> None:
    assert max(_opened(render_page(pdf, 2, 1000.0)).size) == pytest.approx(MAX_SIDE, abs=2)


def test_refuses_a_scale_that_is_none(pdf: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        render_page(pdf, 1, 0.0)


def test_draws_a_frame_of_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "two.tiff"
    Image.new("L", (40, 30), 0).save(path, save_all=True, append_images=[Image.new("L", (60, 30), 255)])
    picture = _opened(render_page(path, 2, 0.5))
    assert picture.size == (30, 15)
    assert picture.convert("L").getpixel((5, 5)) == 255
    with pytest.raises(NotFound):
        render_page(path, 3, 1.0)


def test_draws_a_photograph_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.new("RGB", (40, 30), "red").save(tmp_path / "turned.jpg", exif=exif)
    assert _opened(render_page(tmp_path / "turned.jpg", 1, 1.0)).size == (30, 40)


def test_reports_broken_files(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    (tmp_path / "broken.png").write_bytes(b"nothing")
    for name in ("broken.pdf", "broken.png"):
        with pytest.raises(CorruptFile, match=name):
            render_page(tmp_path / name, 1, 1.0)


def test_reports_a_locked_file(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "locked.pdf"), encrypt="secret")
    canvas.showPage()
    canvas.save()
    with pytest.raises(EncryptedFile):
        render_page(tmp_path / "locked.pdf", 1, 1.0)


def test_may_be_called_from_several_threads(pdf: Path) -> None:
    expected = render_page(pdf, 1, 1.0)
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(render_page(pdf, 1, 1.0))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 6
