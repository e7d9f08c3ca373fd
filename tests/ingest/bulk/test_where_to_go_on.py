"""Where the next actor begins after one died in the middle of a file."""

from __future__ import annotations

from pathlib import Path

from ingest.bulk.parsing import _Place, _refers_to_others
from ingest.protocols import ParsedPage, Resume, Source
from rag.documents import Page


def page(number: int, *remember: str, can_resume: bool = True) -> ParsedPage:
    return ParsedPage(Page(number, 1, 1), (), remember=remember if can_resume else None)


def test_behind_the_last_page_where_the_parser_can_go_on() -> None:
    place = _Place(Source(Path("a.pdf"), "a.pdf", "", resume=Resume(3, ("x",))))
    for number in (4, 5):
        place.passed(page(number, f"y{number}"))
    assert place.skip == 0
    assert place.source.resume == Resume(5, ("x", "y4", "y5"))


def test_from_the_beginning_without_giving_a_page_twice_where_it_cannot() -> None:
    place = _Place(Source(Path("a.txt"), "a.txt", ""))
    for number in (1, 2):
        place.passed(page(number, can_resume=False))
    place.passed(ParsedPage(None, ()))
    assert (place.skip, place.source.resume) == (3, None)


def test_what_cannot_be_gone_on_behind_stays_so() -> None:
    place = _Place(Source(Path("a.pdf"), "a.pdf", ""))
    place.passed(page(1))
    place.passed(page(2, can_resume=False))
    place.passed(page(3))
    assert (place.skip, place.source.resume) == (2, Resume(1, ()))


def test_only_texts_that_may_show_files_beside_them_stay_here(tmp_path: Path) -> None:
    texts = {
        "a.md": "# A\n\n![x](y.png)\n",
        "a.html": "<html><body>x</body></html>",
        "a.txt": "plain words",
        "a.csv": "a,b\n1,2\n",
    }
    found = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        found[name] = _refers_to_others(Source(tmp_path / name, name, "", root=tmp_path))
    assert found == {"a.md": True, "a.html": True, "a.txt": False, "a.csv": False}
    assert not _refers_to_others(Source(tmp_path / "a.md", "a.md", ""))
