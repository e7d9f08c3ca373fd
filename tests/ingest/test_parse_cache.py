"""Parsed pages from a file: equal to what was parsed, never half, never another file's, never executed."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.parse_cache import CachingParseWorker, ParseCache
from ingest.protocols import Limits, Member, ParsedPage, Source
from rag.documents import Box, Element, ImageData, ImageEntry, Line, Page
from rag.errors import CorruptFile, EncryptedFile
from tests.support import hostile

PICTURE = ImageData(bytes(range(256)), "image/png", 16, 16)
PAGES = [
    ParsedPage(
        Page(1, 595.5, 842.0),
        (
            Element("heading", "Tea 茶", 1, (Box(1, 1.25, 2, 3, 4.5),), level=2),
            Element("table", "| a |\n|---|\n| 1 |", 1, lines=(Line(13, Box(1, 1.25, 2, 3, 4.5)),)),
            Element("figure", "alt", 1, image=PICTURE, caption="Fig.", entries=(ImageEntry("ocr", "words", "engine"),)),
        ),
        title="Title",
        metadata={"author": "A"},
        page_count=2,
        warnings=("one picture is damaged",),
    ),
    ParsedPage(Page(2, 10, 20, "ocr"), (Element("paragraph", "lone \ud800 surrogate", 2),)),
    ParsedPage(None, ()),
]

texts = st.text(st.characters(exclude_categories=()), max_size=20)
elements = st.one_of(
    st.builds(Element, st.sampled_from(["paragraph", "table", "list"]), texts, st.none() | st.integers(1, 9)),
    st.builds(Element, st.just("heading"), texts, level=st.integers(1, 6)),
    st.builds(
        Element,
        st.just("figure"),
        texts,
        image=st.builds(ImageData, st.binary(max_size=30), st.just("image/png"), st.integers(1, 9), st.integers(1, 9)),
        caption=texts,
    ),
)
pages = st.builds(
    ParsedPage,
    st.none() | st.builds(Page, st.integers(1, 99), st.floats(1, 1e4), st.floats(1, 1e4)),
    st.lists(elements, max_size=4).map(tuple),
    title=texts,
    metadata=st.dictionaries(texts, texts, max_size=2),
    page_count=st.none() | st.integers(1, 99),
)


def source(path: Path, name: str = "a.txt") -> Source:
    return Source(path, name, "", Limits())


def keep(cache: ParseCache, at: Path, parsed: list[ParsedPage]) -> list[ParsedPage]:
    return list(cache.keep(at, "text/plain", iter(parsed)))


def test_what_is_kept_comes_back_equal(tmp_path: Path) -> None:
    cache = ParseCache(tmp_path, "toolbox 1")
    at = cache.path(source(tmp_path), "00")
    assert cache.read(at) is None
    assert keep(cache, at, PAGES) == PAGES
    assert cache.read(at) == ("text/plain", PAGES)
    assert ParseCache(tmp_path, "toolbox 1").read(at) == ("text/plain", PAGES)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(pages, max_size=3))
def test_any_pages_come_back_equal(tmp_path: Path, parsed: list[ParsedPage]) -> None:
    cache = ParseCache(tmp_path, "k")
    at = cache.path(source(tmp_path), "00")
    keep(cache, at, parsed)
    assert cache.read(at) == ("text/plain", parsed)


def test_everything_that_changes_pages_changes_the_place(tmp_path: Path) -> None:
    cache, file = ParseCache(tmp_path, "toolbox 1"), source(tmp_path)
    places = {
        cache.path(file, "00"),
        cache.path(file, "01"),
        cache.path(replace(file, name="b.txt"), "00"),
        cache.path(replace(file, limits=Limits(pages=3)), "00"),
        cache.path(replace(file, members=tmp_path), "00"),
        ParseCache(tmp_path, "toolbox 2").path(file, "00"),
    }
    assert len(places) == 6


def test_half_a_document_is_never_kept(tmp_path: Path) -> None:
    cache = ParseCache(tmp_path, "k")
    at = cache.path(source(tmp_path), "00")
    left_early = cache.keep(at, "text/plain", iter(PAGES))
    next(left_early)
    left_early.close()  # type: ignore[attr-defined]

    def broken() -> Iterator[ParsedPage]:
        yield PAGES[0]
        raise CorruptFile("broken")

    with pytest.raises(CorruptFile):
        list(cache.keep(at, "text/plain", broken()))
    assert cache.read(at) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_pages_with_files_of_their_own_are_not_kept(tmp_path: Path) -> None:
    cache = ParseCache(tmp_path, "k")
    at = cache.path(source(tmp_path), "00")
    keep(cache, at, [PAGES[1], replace(PAGES[1], members=(Member(tmp_path / "m", "m"),))])
    assert cache.read(at) is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "empty", "long"])
def test_damage_counts_as_not_there(tmp_path: Path, damage: str) -> None:
    cache = ParseCache(tmp_path, "k")
    at = cache.path(source(tmp_path), "00")
    keep(cache, at, PAGES)
    data = at.read_bytes()
    at.write_bytes(
        {
            "cut": data[: len(data) // 2],
            "flipped": data[:40] + bytes([data[40] ^ 255]) + data[41:],
            "other": gzip.compress(b"X\0\0\0\0"),
            "empty": b"",
            "long": gzip.compress(b"P\xff\xff\xff\xff{}"),
        }[damage]
    )
    assert cache.read(at) is None
    assert not at.exists()


def test_the_longest_unused_are_removed(tmp_path: Path) -> None:
    cache = ParseCache(tmp_path, "k", limit_bytes=3_000)
    made = [cache.path(source(tmp_path), f"{number:02}") for number in range(8)]
    for number, at in enumerate(made):
        # Random bytes do not pack.
        picture = replace(PAGES[0].elements[2], image=ImageData(os.urandom(800), "image/png", 1, 1))
        keep(cache, at, [ParsedPage(None, (picture,))])
        os.utime(at, (number, number))
    assert cache.read(made[7]) is not None
    assert cache.read(made[0]) is None
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.gz")) <= 3_000


def test_the_worker_starts_only_for_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\ftwo")
    cache = ParseCache(tmp_path / "cache", "k")
    worker = CachingParseWorker(hostile.build, cache)
    try:
        parsed = worker.parse(source(file))
        first = list(parsed.pages)
    finally:
        worker.close()
    # Building its toolbox would fail: it must not be started.
    again = CachingParseWorker(hostile.build_nothing, cache)
    known = again.parse(source(file))
    assert (known.media_type, list(known.pages)) == (parsed.media_type, first)
    again.close()


def test_failures_are_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("LOCKED")
    worker = CachingParseWorker(hostile.build, ParseCache(tmp_path / "cache", "k"))
    try:
        for _ in range(2):
            with pytest.raises(EncryptedFile):
                list(worker.parse(source(file)).pages)
    finally:
        worker.close()
