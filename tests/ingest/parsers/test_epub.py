"""EPUB: the order of the spine, titles from the table of contents, pictures and tables of the book, locks."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ingest.parsers.epub import EpubParser
from ingest.protocols import ParsedPage
from rag.errors import CorruptFile, EmptyFile, EncryptedFile
from tests.ingest.parsers.contract import check_parser, check_refused, parse, source, texts
from tests.support.bombs import epub, zipped

_TYPE = "application/epub+zip"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    return out.getvalue()


def book(ncx: bool = False, **more: bytes) -> bytes:
    container = "<container xmlns='x'><rootfiles><rootfile full-path='OEBPS/content.opf'/></rootfiles></container>"
    listed = (
        "<item id='toc' href='toc.ncx' media-type='application/x-dtbncx+xml'/>"
        if ncx
        else "<item id='nav' href='nav.xhtml' media-type='application/xhtml+xml' properties='nav'/>"
    )
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<dc:title>The Port</dc:title><dc:creator>Ann Li</dc:creator><dc:language>en</dc:language></metadata><manifest>"
        f"{listed}<item id='two' href='text/two.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='one' href='text/one%20a.xhtml' media-type='application/xhtml+xml'/>"
        "<item id='p' href='pics/red.png' media-type='image/png'/></manifest>"
        "<spine><itemref idref='nav'/><itemref idref='one'/><itemref idref='two'/><itemref idref='gone'/></spine></package>"
    )
    links = (("text/one%20a.xhtml", "First chapter"), ("text/two.xhtml#x", "Second chapter"))
    nav = "<html xmlns='http://www.w3.org/1999/xhtml' xmlns:epub='e'><nav epub:type='toc'><ol>" + "".join(
        f"<li><a href='{link}'>{name}</a></li>" for link, name in links
    )
    points = "".join(
        f"<navPoint><navLabel><text>{name}</text></navLabel><content src='{link}'/></navPoint>" for link, name in links
    )
    contents = (
        {"OEBPS/toc.ncx": f"<ncx><navMap>{points}</navMap></ncx>".encode()}
        if ncx
        else {"OEBPS/nav.xhtml": f"{nav}</ol></nav></html>".encode()}
    )
    one = (
        "<?xml version='1.0'?><html><head><title>no</title></head><body><p>It began with a <i>crane</i>.</p>"
        "<p><img src='../pics/red.png' alt='The first crane'/></p><p>Figure 1: the crane</p>"
        "<svg><image href='../pics/red.png'/></svg><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
        "<img src='http://elsewhere/x.png'/><script>no()</script></body></html>"
    )
    two = "<html><body><h2>Second chapter</h2><p>厦门港。</p></body></html>"
    return zipped(
        {
            "mimetype": _TYPE.encode(),
            "META-INF/container.xml": container.encode(),
            "OEBPS/content.opf": package.encode(),
            "OEBPS/text/one a.xhtml": one.encode(),
            "OEBPS/text/two.xhtml": two.encode(),
            "OEBPS/pics/red.png": picture(),
            **contents,
            **more,
        }
    )


def read(tmp_path: Path, data: bytes) -> list[ParsedPage]:
    path = tmp_path / "book.epub"
    path.write_bytes(data)
    return parse(EpubParser(), source(path, _TYPE))


def test_contract() -> None:
    check_parser(EpubParser())


def test_chapters_in_the_order_of_the_spine(tmp_path: Path) -> None:
    for ncx in (False, True):
        pages = read(tmp_path, book(ncx))
        assert pages[0].title == "The Port"
        assert pages[0].metadata == {"author": "Ann Li", "language": "en"}
        assert texts(pages, "heading") == ["First chapter", "Second chapter"]
        assert texts(pages, "paragraph") == ["It began with a crane.", "厦门港。"]
        assert texts(pages, "table") == ["| a |\n| --- |\n| 1 |"]
        figures = [element for page in pages for element in page.elements if element.kind == "figure"]
        assert [(figure.text, figure.caption) for figure in figures] == [
            ("The first crane", "Figure 1: the crane"),
            ("", ""),
        ]
        assert all(figure.image for figure in figures)
        assert any("network" in warning for page in pages for warning in page.warnings)


def test_a_missing_chapter_is_told(tmp_path: Path) -> None:
    data = book().replace(b"OEBPS/text/two.xhtml", b"OEBPS/text/twx.xhtml")
    pages = read(tmp_path, data)
    assert any("two.xhtml is missing" in warning for page in pages for warning in page.warnings)


def test_locked_empty_and_broken_books(tmp_path: Path) -> None:
    locked = "<encryption><EncryptedData><EncryptionMethod Algorithm='aes256'/></EncryptedData></encryption>"
    font = locked.replace("aes256", "http://www.idpf.org/2008/embedding")
    for data, expected in (
        (book(**{"META-INF/encryption.xml": locked.encode()}), EncryptedFile),
        (epub(b"<html><body> </body></html>"), EmptyFile),
        (zipped({"mimetype": _TYPE.encode()}), CorruptFile),
    ):
        path = tmp_path / "book.epub"
        path.write_bytes(data)
        check_refused(EpubParser(), source(path, _TYPE), expected)
    assert read(tmp_path, book(**{"META-INF/encryption.xml": font.encode()}))
