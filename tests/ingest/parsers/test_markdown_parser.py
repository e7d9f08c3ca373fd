"""Markdown: blocks, pictures inside the folder only, captions."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from ingest.parsers.markdown import MarkdownParser
from ingest.protocols import Limits, ParsedPage, Source
from rag.documents import Element
from rag.errors import EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse, texts


def png(width: int = 40, height: int = 30) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def read(folder: Path, text: str, *, root: Path | None = None, limits: Limits | None = None) -> ParsedPage:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return parse(MarkdownParser(), Source(path, "page.md", "text/markdown", limits or Limits(), root))[0]


def kinds(page: ParsedPage) -> list[tuple[str, str]]:
    return [(element.kind, element.text) for element in page.elements]


def test_contract() -> None:
    check_parser(MarkdownParser())


def test_blocks(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "---\ntitle: 手册\nsummary: Short.\naliases: [a]\n---\n\n# One *and* `two`\n\nA [link](http://x.y) and **bold**\nwrapped 中文\n换行。\n\n"
        "- a\n- b\n  1. c\n  2. d\n\n```python\nx = 1\n\ny = 2\n```\n\n| A | B |\n| --- | :-: |\n| 1 \\| 2 | `x` |\n\n$$\nE = mc^2\n$$\n\n> quoted\n\nNote[^1].\n\n[^1]: The note.\n\nSub\n---\n",
    )
    assert page.title == "手册"
    assert page.metadata == {"summary": "Short."}
    assert kinds(page) == [
        ("heading", "One and two"),
        ("paragraph", "A link and bold wrapped 中文换行。"),
        ("list", "- a\n- b\n  1. c\n  2. d"),
        ("code", "x = 1\n\ny = 2"),
        ("table", "| A | B |\n| --- | --- |\n| 1 \\| 2 | x |"),
        ("formula", "$$E = mc^2$$"),
        ("paragraph", "quoted"),
        ("paragraph", "Note."),
        ("heading", "Sub"),
        ("footnote", "The note."),
    ]
    assert [element.level for element in page.elements if element.kind == "heading"] == [1, 2]


def test_formulas_keep_their_stars_and_underscores(tmp_path: Path) -> None:
    assert texts([read(tmp_path, "For $a_i * b_i * c$ and $5 or $10 it holds.")]) == [
        "For $a_i * b_i * c$ and $5 or $10 it holds."
    ]


def test_roles_of_books_are_anchors_not_text(tmp_path: Path) -> None:
    assert texts([read(tmp_path, "# Title\n:label:`sec_x`\n\n如 :numref:`fig_x`所示 :cite:`A.2006`。")]) == [
        "Title",
        "如所示。",
    ]


def test_html_blocks_are_read(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        '<div><p>Inside <b>it</b>.</p><table><tr><th>A</th></tr><tr><td>1</td></tr></table></div>\n\n<!-- no -->\n\n<CustomContent platform="x">\n\nText\n\n</CustomContent>\n',
    )
    assert kinds(page) == [("paragraph", "Inside it."), ("table", "| A |\n| --- |\n| 1 |"), ("paragraph", "Text")]


def test_pictures_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a b.png").write_bytes(png())
    page = read(tmp_path, "Text.\n\n![A red box](img/a%20b.png)\n\nFigure 1: The box.\n\nMore.", root=tmp_path)
    figure = page.elements[1]
    assert figure.kind == "figure"
    assert figure.image is not None
    assert (figure.image.width, figure.image.media_type) == (40, "image/png")
    assert (figure.text, figure.caption) == ("A red box", "Figure 1: The box.")
    assert texts([page], "paragraph") == ["Text.", "More."]


def test_the_line_under_a_picture_is_its_caption(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    assert read(tmp_path, "![x](a.png)\n*A caption*", root=tmp_path).elements[0].caption == "A caption"


def test_site_absolute_links_find_their_copy(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    assert read(tmp_path, "![x](/media/a.png)", root=tmp_path).elements[0].image is not None


@pytest.mark.parametrize(
    "link",
    [
        "../secret.png",
        "/../secret.png",
        "sub/../../secret.png",
        "link.png",
        "http://x.y/a.png",
        "file:///etc/passwd",
        "nothing.png",
        "%2e%2e/secret.png",
        "a%00.png",
    ],
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, link: str) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    page = read(root, f"![alt]({link})", root=root)
    assert page.elements == (Element("figure", "alt"),)
    assert len(page.warnings) == 1


def test_without_a_root_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    assert read(tmp_path, "![alt](a.png)").elements[0].image is None


def test_pictures_beyond_the_limit_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(100, 100))
    page = read(tmp_path, "![alt](a.png)", root=tmp_path, limits=Limits(pixels=5_000))
    assert page.elements[0].image is None
    assert "megapixels" in page.warnings[0]


def test_what_is_not_a_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert "cannot be read" in read(tmp_path, "![alt](a.png)", root=tmp_path).warnings[0]


def test_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("<!-- nothing -->\n")
    check_refused(MarkdownParser(), Source(path, "x.md", "text/markdown"), EmptyFile)
    path.write_text("word " * 100)
    check_refused(MarkdownParser(), Source(path, "x.md", "text/markdown", Limits(bytes=10)), LimitExceeded)


def test_title_is_the_only_first_heading(tmp_path: Path) -> None:
    assert read(tmp_path, "text\n\n# A\n\n## B").title == "A"
    assert read(tmp_path, "text\n\n# A\n\n# B").title == ""
