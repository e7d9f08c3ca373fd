"""Drawings: words, pixels, and no way out."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from ingest.parsers.svg import LONG_SIDE, SvgParser, rasterise
from ingest.protocols import Limits, Source
from rag.documents import ImageEntry
from rag.errors import CorruptFile
from tests.ingest.parsers.contract import check_parser, check_refused, parse

_OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="200" height="100">'


def source(tmp_path: Path, markup: str) -> Source:
    path = tmp_path / "a.svg"
    path.write_text(markup, encoding="utf-8")
    return Source(path, "a.svg", "image/svg+xml")


def colours(markup: str) -> set[tuple[int, int, int]]:
    image = rasterise(markup.encode(), Limits())
    assert image is not None
    pixels = Image.open(io.BytesIO(image.data)).convert("RGB").getcolors(1_000_000)
    assert pixels is not None
    return {colour for _, colour in pixels}  # type: ignore[misc]


def red_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (50, 50), (255, 0, 0)).save(out, "PNG")
    return out.getvalue()


def test_contract() -> None:
    check_parser(SvgParser())


def test_words_and_picture(tmp_path: Path) -> None:
    markup = f"{_OPEN}<title>Flow</title><desc>From A to B</desc><rect width='50' height='50' fill='blue'/><text x='1' y='9'>Start <tspan>here</tspan></text><text>图</text></svg>"
    (page,) = parse(SvgParser(), source(tmp_path, markup))
    (figure,) = page.elements
    assert page.title == "Flow"
    assert figure.text == "Flow From A to B"
    assert figure.entries == (ImageEntry("ocr", "Start here\n图", "svg"),)
    assert figure.image is not None
    assert (figure.image.width, figure.image.height) == (LONG_SIDE, LONG_SIDE // 2)
    assert (0, 0, 255) in colours(markup)


def test_sizes_in_points_and_by_view_box() -> None:
    for size in (
        'width="200pt" height="100pt"',
        'viewBox="0 0 20 10"',
        'width="100%" height="100%" viewBox="0,0,20,10"',
    ):
        image = rasterise(
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect width="1" height="1"/></svg>'.encode(), Limits()
        )
        assert image is not None, size
        assert image.width / image.height == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("scheme", ["{path}", "file://{path}", "a.png"])
@pytest.mark.parametrize(
    "element", ["<image {} width='100' height='100'/>", "<g style='fill:red'><image {} width='100' height='100'/></g>"]
)
def test_no_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, element: str) -> None:
    (tmp_path / "a.png").write_bytes(red_png())
    monkeypatch.chdir(tmp_path)
    for name in ("href", "xlink:href"):
        link = f"{name}='{scheme.format(path=tmp_path / 'a.png')}'"
        assert colours(f"{_OPEN}{element.format(link)}</svg>") == {(255, 255, 255)}


def test_no_file_is_read_through_a_drawing_within(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(red_png())
    inner = base64.b64encode(
        f"{_OPEN}<image href='{tmp_path / 'a.png'}' width='100' height='100'/></svg>".encode()
    ).decode()
    assert colours(f"{_OPEN}<image href='data:image/svg+xml;base64,{inner}' width='100' height='100'/></svg>") == {
        (255, 255, 255)
    }


def test_pictures_inside_are_drawn() -> None:
    data = base64.b64encode(red_png()).decode()
    assert (255, 0, 0) in colours(f"{_OPEN}<image href='data:image/png;base64,{data}' width='100' height='100'/></svg>")


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    markup = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY y "lol">]>{_OPEN}<text>&x;&y;ok</text></svg>'
    (page,) = parse(SvgParser(), source(tmp_path, markup))
    assert page.elements[0].entries == (ImageEntry("ocr", "ok", "svg"),)


def test_pixels_are_limited() -> None:
    assert rasterise(f"{_OPEN}</svg>".encode(), Limits(pixels=1_000)) is None
    assert rasterise(b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="900000"/>', Limits()) is None


def test_what_is_no_drawing(tmp_path: Path) -> None:
    check_refused(SvgParser(), source(tmp_path, "<html/>"), CorruptFile)
