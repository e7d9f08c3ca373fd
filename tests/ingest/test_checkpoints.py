"""A long file that was interrupted goes on where it stopped, and ends as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.checkpoints import Checkpoints
from ingest.protocols import Member, ParsedPage, Resume
from rag.documents import Element, ImageData, Page


def page(number: int, folder: Path | None = None) -> ParsedPage:
    picture = Element("figure", "", number, image=ImageData(b"picture %d" % number, "image/png", 3, 4))
    members = ()
    if folder is not None:
        (folder / "inside.txt").write_text("a file inside")
        members = (Member(folder / "inside.txt", "inside.txt"),)
    return ParsedPage(
        Page(number, 100, 200),
        (Element("paragraph", f"text {number} \udc80", number), picture),
        page_count=30,
        warnings=("a warning",),
        members=members,
        remember=(f"key {number}",),
    )


def test_goes_on_behind_the_last_whole_page(tmp_path: Path) -> None:
    folder, again = tmp_path / "first", tmp_path / "again"
    folder.mkdir()
    again.mkdir()
    checkpoints = Checkpoints(tmp_path / "kept")
    given = [page(1, folder), *(page(number) for number in range(2, 11))]
    first = checkpoints.of("document", "key")
    assert first.resume is None
    assert list(first.keep(iter(given))) == given
    kept = next((tmp_path / "kept").iterdir())
    kept.write_bytes(kept.read_bytes()[:-5])

    second = checkpoints.of("document", "key")
    assert second.resume == Resume(9, tuple(f"key {n}" for n in range(1, 10)))
    (folder / "inside.txt").unlink()
    found = list(second.pages(again))
    assert [item.elements for item in found] == [item.elements for item in given[:9]]
    assert found[0].members[0].path.read_text() == "a file inside"
    assert found[0].members[0].path.parent == again
    rest = [page(number) for number in range(10, 31)]
    assert list(second.keep(iter(rest))) == rest

    third = checkpoints.of("document", "key")
    assert third.resume is not None
    assert third.resume.page == 30
    assert [item.page.number for item in third.pages(None) if item.page] == list(range(1, 31))
    third.forget()
    assert checkpoints.of("document", "key").resume is None


def test_pages_of_other_bytes_or_settings_are_not_taken(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    list(checkpoints.of("document", "one").keep(iter([page(1), page(2)])))
    other = checkpoints.of("document", "two")
    assert other.resume is None
    assert list(other.pages(None)) == []
    list(other.keep(iter([page(1)])))
    resume = checkpoints.of("document", "two").resume
    assert resume is not None
    assert resume.page == 1


@pytest.mark.parametrize("damage", [b"", b"K", b"K\x00\x00\x00\x05nonse", b"P\x00\x00\x00\x02{}"])
def test_a_damaged_checkpoint_counts_as_not_there(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "document.pages").write_bytes(damage)
    found = Checkpoints(tmp_path).of("document", "key")
    assert found.resume is None
    assert len(list(found.keep(iter([page(1)])))) == 1


def test_short_files_and_those_that_cannot_go_on_are_not_written_down(tmp_path: Path) -> None:
    def pages(count: int, remember: tuple[str, ...] | None) -> Iterator[ParsedPage]:
        for number in range(1, count + 1):
            yield ParsedPage(Page(number, 1, 1), (), page_count=count, remember=remember)

    checkpoints = Checkpoints(tmp_path)
    assert len(list(checkpoints.of("short", "key").keep(pages(3, ())))) == 3
    assert len(list(checkpoints.of("other", "key").keep(pages(30, None)))) == 30
    assert list(tmp_path.iterdir()) == []
