from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rag.answers import Hit, Passage
from rag.documents import AnyChunk, Box, Chunk, DocumentRef, ImageChunk, ImageData
from rag.retrieval.illustrate import LEAST_SIDE, fitted, illustrate
from rag.retrieval.order import as_in_documents

REF = DocumentRef("d", "report.pdf", "application/pdf", "default")


def picture(width: int, height: int, kind: str = "PNG") -> ImageData:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, kind)
    return ImageData(out.getvalue(), f"image/{kind.lower()}", width, height)


def passage(number: int, kind: str, ordinal: int = 0) -> Passage:
    chunk: AnyChunk
    if kind == "image":
        chunk = ImageChunk(f"c{number}", "d", ordinal, "hash", "image/png", 100, 100, ())
    else:
        chunk = Chunk(f"c{number}", "d", ordinal, kind, "text", page=1, boxes=(Box(1, 0, 0, 9, 9),))  # type: ignore[arg-type]
    return Passage(number, Hit(chunk, REF, 1.0 / number), "text")


def shown(passages: list[Passage], limit: int = 3, pixels: int = 10**6) -> list[str]:
    seen = illustrate(
        passages, lambda _: picture(100, 80), lambda n: f"Picture of passage [{n}]:", limit=limit, pixels=pixels
    )
    return [item.label for item in seen]


def test_figures_come_before_tables_and_plain_text_is_not_shown() -> None:
    passages = [passage(1, "text"), passage(2, "table"), passage(3, "image"), passage(4, "image")]
    assert shown(passages) == [f"Picture of passage [{n}]:" for n in (3, 4, 2)]
    assert shown(passages, limit=1) == ["Picture of passage [3]:"]


def test_what_is_not_there_takes_no_place() -> None:
    passages = [passage(1, "image"), passage(2, "image")]
    looks = iter([None, picture(50, 50)])
    (item,) = illustrate(passages, lambda _: next(looks), str, limit=1, pixels=10**6)
    assert item.label == "2"


@settings(deadline=None)
@given(st.integers(LEAST_SIDE, 900), st.integers(LEAST_SIDE, 900), st.integers(2_000, 200_000))
def test_no_picture_is_larger_than_its_budget(width: int, height: int, pixels: int) -> None:
    given_ = picture(width, height)
    made = fitted(given_, pixels)
    assert made is not None
    assert made.width * made.height <= pixels
    with Image.open(io.BytesIO(made.data)) as opened:
        assert opened.size == (made.width, made.height)
    if width * height <= pixels:
        assert made is given_


def test_types_that_servers_do_not_take_are_drawn_anew() -> None:
    made = fitted(picture(60, 60, "BMP"), 10**6)
    assert made is not None
    assert made.media_type == "image/png"
    large = fitted(picture(900, 900, "JPEG"), 10_000)
    assert large is not None
    assert large.media_type == "image/jpeg"


def test_what_cannot_be_drawn_or_shows_nothing_is_left_out() -> None:
    assert fitted(ImageData(b"BM nothing", "image/bmp", 100, 100), 10**6) is None
    assert fitted(picture(400, LEAST_SIDE - 1), 10**6) is None


def test_questions_that_find_the_same_passages_number_them_alike() -> None:
    one = [passage(1, "text", 7), passage(2, "text", 3), passage(3, "table", 5)]
    two = [passage(1, "table", 5), passage(2, "text", 7), passage(3, "text", 3)]
    assert [(p.number, p.hit.chunk.ordinal) for p in as_in_documents(one)] == [(1, 3), (2, 5), (3, 7)]
    assert [p.hit.chunk.ordinal for p in as_in_documents(two)] == [3, 5, 7]
