"""HTML: the content without its surroundings, tables with merged cells, no network, no files outside."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from ingest.parsers.html import HtmlParser
from ingest.protocols import ParsedPage, Source
from rag.errors import EmptyFile
from tests.ingest.parsers.contract import check_parser, check_refused, parse, texts


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "blue").save(out, "PNG")
    return out.getvalue()


def read(tmp_path: Path, markup: str | bytes, root: Path | None = None) -> ParsedPage:
    path = tmp_path / "p.html"
    path.write_bytes(markup.encode() if isinstance(markup, str) else markup)
    return parse(HtmlParser(), Source(path, "p.html", "text/html", root=root))[0]


def kinds(page: ParsedPage) -> list[tuple[str, str]]:
    return [(element.kind, element.text) for element in page.elements]


def test_contract() -> None:
    check_parser(HtmlParser())


def test_surroundings_go(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "<html><head><title>Duck - Site</title><meta name=author content='A. B.'><style>x{}</style></head><body><header><a>Logo</a></header><nav>Menu</nav>"
        "<div class='breadcrumb'>Home</div><main><article><header><h1>Duck</h1></header><p>A <b>bird</b><sup class=reference>[1]</sup>.</p>"
        "<span class='mw-editsection'>[edit]</span><p hidden>no</p><p style='display: none'>no</p><script>no()</script><aside>no</aside></article></main>"
        "<table class=navbox><tr><td>no</td></tr></table><footer>Imprint</footer></body></html>",
    )
    assert page.title == "Duck"
    assert page.metadata == {"author": "A. B."}
    assert kinds(page) == [("heading", "Duck"), ("paragraph", "A bird.")]


def test_a_page_without_marked_content_is_its_body(tmp_path: Path) -> None:
    page = read(tmp_path, "<p>One</p>loose <i>text</i><div>Two<br>lines</div><article>a</article>")
    assert texts([page]) == ["One", "loose text", "Two\nlines", "a"]


def test_many_articles_are_all_content(tmp_path: Path) -> None:
    page = read(tmp_path, "".join(f"<article><h2>T{n}</h2><p>{'word ' * 30}</p></article>" for n in range(3)))
    assert texts([page], "heading") == ["T0", "T1", "T2"]


def test_lists_and_code(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol start=3><li>x<li>y</ol><dl><dt>Term<dd>Meaning</dl><pre>a\n  b</pre>",
    )
    assert kinds(page) == [
        ("list", "- a\n  - b\n- c"),
        ("list", "3. x\n4. y"),
        ("list", "Term\n  Meaning"),
        ("code", "a\n  b"),
    ]


def test_merged_cells_are_expanded(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "<table><caption>Sales</caption><thead><tr><th rowspan=2>Region<th colspan=2>2024</tr><tr><th>Q1<th>Q2</tr></thead>"
        "<tr><td rowspan=2>North<td>1<td>2</tr><tr><td colspan=2>3 | 4</tr></table>",
    )
    assert kinds(page) == [
        ("caption", "Sales"),
        (
            "table",
            "| Region | 2024 / Q1 | 2024 / Q2 |\n| --- | --- | --- |\n| North | 1 | 2 |\n| North | 3 \\| 4 | 3 \\| 4 |",
        ),
    ]


def test_spans_that_would_eat_the_memory_are_capped(tmp_path: Path) -> None:
    page = read(tmp_path, "<table>" + "<tr><th colspan=999999999 rowspan=99999999>a<td>b</tr>" * 20 + "</table>")
    assert len(page.elements[0].text) < 5_000_000


def test_layout_tables_are_no_tables(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "<table><tr><td><h2>Left</h2><p>text</p></td><td><table><tr><td>a<td>b</tr><tr><td>1<td>2</tr></table></td></tr></table>",
    )
    assert kinds(page) == [("heading", "Left"), ("paragraph", "text"), ("table", "| a | b |\n| --- | --- |\n| 1 | 2 |")]


def test_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    inline = base64.b64encode(png()).decode()
    page = read(
        tmp_path,
        f"<figure><img src=a.png alt='A pond'><figcaption>Fig. 1: <i>The</i> pond</figcaption></figure><p>Text <img src='data:image/png;base64,{inline}' alt=inline> on.</p>"
        "<img src='http://x.y/z.png'><img src=dot.gif width=1 height=1><img src='../../secret.png' alt='outside'>",
        root=tmp_path,
    )
    figures = [element for element in page.elements if element.kind == "figure"]
    assert [(figure.text, figure.caption, figure.image is not None) for figure in figures] == [
        ("A pond", "Fig. 1: The pond", True),
        ("inline", "", True),
        ("outside", "", False),
    ]
    assert texts([page], "paragraph") == ["Text on."]
    assert len(page.warnings) == 2


@pytest.mark.parametrize(
    ("markup", "encoding"),
    [
        ("<meta charset=gbk><p>价格：八百元</p>", "gbk"),
        ("<?xml version='1.0' encoding='big5'?><html><p>價格</p></html>", "big5"),
        ("<p>价格</p>", "utf-16"),
    ],
)
def test_charsets(tmp_path: Path, markup: str, encoding: str) -> None:
    assert texts([read(tmp_path, markup.encode(encoding))])[0].startswith(("价格", "價格"))


def test_formulas(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        "<p>So <math alttext='x^2'><mi>x</mi></math> and 10<sup>6</sup> and <img class=mwe-math src=x alt='a_b'>.</p>",
    )
    assert texts([page]) == ["So $x^2$ and 10^6 and $a_b$."]


def test_a_page_of_scripts_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "p.html"
    path.write_text("<html><body><div id=root></div><script>app()</script></body></html>")
    error = check_refused(HtmlParser(), Source(path, "p.html", "text/html"), EmptyFile)
    assert "script" in error.message


def test_hostile_nesting_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "p.html"
    path.write_text("<div>" * 50_000 + "deep" + "<p>x</p>")
    pages = parse(HtmlParser(), Source(path, "p.html", "text/html"))
    assert texts(pages) == ["deep", "x"]
    assert "nested" in pages[0].warnings[0]
