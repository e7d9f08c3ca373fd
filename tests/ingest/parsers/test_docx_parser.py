"""Word documents made by python-docx and by hand."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image

from ingest.containers import DOCX
from ingest.parsers.docx import DocxParser
from ingest.protocols import Limits, ParsedPage, Source
from rag.errors import CorruptFile, EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>'
)


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "green").save(out, "PNG")
    out.seek(0)
    return out


def source(path: Path, limits: Limits | None = None) -> Source:
    return Source(path, path.name, DOCX, limits or Limits())


def saved(tmp_path: Path, document: object) -> ParsedPage:
    path = tmp_path / "a.docx"
    document.save(str(path))  # type: ignore[attr-defined]
    return parse(DocxParser(), source(path))[0]


def raw(tmp_path: Path, body: str, namespace: str = W, **parts: str) -> ParsedPage:
    path = tmp_path / "raw.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{namespace}"><w:body>{body}</w:body></w:document>')
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return parse(DocxParser(), source(path))[0]


def kinds(page: ParsedPage) -> list[tuple[str, str]]:
    return [(element.kind, element.text) for element in page.elements]


def test_contract() -> None:
    check_parser(DocxParser())


def test_body_order_headings_lists_and_properties(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "The Report"
    document.core_properties.author = "A. B."
    document.add_heading("One", 1)
    document.add_paragraph("First.\u00a0Second.")
    document.add_paragraph("a", style="List Bullet")
    document.add_paragraph("b", style="List Bullet")
    document.add_heading("Two", 2)
    table = document.add_table(2, 2)
    for index, text in enumerate(("A", "B", "1", "2")):
        table.cell(index // 2, index % 2).text = text
    document.add_paragraph("Last.")
    page = saved(tmp_path, document)
    assert page.title == "The Report"
    assert page.metadata["author"] == "A. B."
    assert kinds(page) == [
        ("heading", "One"),
        ("paragraph", "First. Second."),
        ("list", "- a\n- b"),
        ("heading", "Two"),
        ("table", "| A | B |\n| --- | --- |\n| 1 | 2 |"),
        ("paragraph", "Last."),
    ]
    assert [element.level for element in page.elements if element.level] == [1, 2]


def test_the_title_style_is_the_title(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Handbook", 0)
    document.add_heading("One", 1)
    document.add_heading("Two", 1)
    assert saved(tmp_path, document).title == "Handbook"


def test_merged_cells_are_expanded_and_nested_tables_kept(tmp_path: Path) -> None:
    document = docx.Document()
    table = document.add_table(3, 3)
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "wide"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "tall"
    inner = table.cell(2, 2).add_table(1, 2)
    inner.cell(0, 0).text = "in"
    inner.cell(0, 1).text = "ner"
    page = saved(tmp_path, document)
    assert kinds(page) == [
        ("table", "| 00 | wide | wide |\n| --- | --- | --- |\n| tall | 11 | 12 |\n| tall | 21 | 22 in, ner |")
    ]


def test_a_frame_drawn_as_a_table_is_text(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_table(1, 1).cell(0, 0).text = "A remark."
    assert kinds(saved(tmp_path, document)) == [("paragraph", "A remark.")]


def test_pictures_with_alternative_text_and_caption(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_picture(picture())
    shape = document.inline_shapes[0]._inline.docPr
    shape.set("descr", "A green field")
    document.add_paragraph("Figure 1: Grass", style="Caption")
    document.add_paragraph("Text.")
    document.add_picture(picture())
    document.add_paragraph("图 2 草地")
    figures = [element for element in saved(tmp_path, document).elements if element.kind == "figure"]
    assert [(figure.text, figure.caption) for figure in figures] == [
        ("A green field", "Figure 1: Grass"),
        ("", "图 2 草地"),
    ]
    assert all(figure.image is not None and figure.image.width == 80 for figure in figures)


def test_headers_and_footers_are_left_out(tmp_path: Path) -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Header"
    document.add_paragraph("Body.")
    assert kinds(saved(tmp_path, document)) == [("paragraph", "Body.")]


def test_text_boxes_are_read_once(tmp_path: Path) -> None:
    document = docx.Document()
    box = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
    document.add_paragraph("Before.")._p.append(
        parse_xml(
            f'<w:r {nsdecls("w")} xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml">'
            f"<mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>{box}</w:drawing></mc:Choice>"
            f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        )
    )
    assert kinds(saved(tmp_path, document)) == [("paragraph", "Before."), ("paragraph", "In the box")]


def test_tracked_changes_breaks_and_notes(tmp_path: Path) -> None:
    notes = f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes" Target="footnotes.xml"/></Relationships>'
    )
    page = raw(
        tmp_path,
        "<w:p><w:r><w:t>Kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t xml:space='preserve'> new</w:t></w:r></w:ins>"
        "<w:r><w:br/><w:t>line</w:t><w:tab/><w:t>tab</w:t><w:footnoteReference w:id='2'/></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:pPr><w:outlineLvl w:val='2'/></w:pPr><w:r><w:t>Deep</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        **{"word__footnotes.xml": notes, "word___rels__document.xml.rels".replace("___rels", "/_rels"): rels},
    )
    assert kinds(page) == [("paragraph", "Kept new\nline\ttab"), ("footnote", "A note."), ("heading", "Deep")]
    assert page.elements[2].level == 3


def test_formulas_keep_their_structure(tmp_path: Path) -> None:
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    square = "<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
    body = (
        f'<w:p xmlns:m="{math}"><w:r><w:t>The area is</w:t></w:r><m:oMath>{square}</m:oMath>'
        f"<w:r><w:t>in all.</w:t></w:r></w:p>"
    )
    assert kinds(raw(tmp_path, body)) == [("paragraph", "The area is $x^2$ in all.")]


def test_strict_documents(tmp_path: Path) -> None:
    page = raw(tmp_path, "<w:p><w:r><w:t>Strict.</w:t></w:r></w:p>", "http://purl.oclc.org/ooxml/wordprocessingml/main")
    assert kinds(page) == [("paragraph", "Strict.")]


@pytest.mark.parametrize(("name", "level"), [("标题 2", 2), ("Überschrift 3", 3), ("Titre 1", 1), ("見出し 2", 2)])
def test_localised_heading_styles(tmp_path: Path, name: str, level: int) -> None:
    document = docx.Document()
    document.styles.add_style(name, 1)
    document.add_paragraph("Head", style=name)
    document.add_paragraph("Body.")
    assert saved(tmp_path, document).elements[0].level == level


def test_numbers_count_as_in_word(tmp_path: Path) -> None:
    document = docx.Document()
    for text in ("a", "b"):
        document.add_paragraph(text, style="List Number")
    assert kinds(saved(tmp_path, document)) == [("list", "1. a\n2. b")]


def test_paragraphs_broken_by_a_converter_are_joined(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("This is a line that a converter from PDF has cut off in the")
    document.add_paragraph("middle of its sentence.")
    document.add_paragraph("A new one.")
    assert [text for _, text in kinds(saved(tmp_path, document))] == [
        "This is a line that a converter from PDF has cut off in the middle of its sentence.",
        "A new one.",
    ]


def test_errors(tmp_path: Path) -> None:
    parser = DocxParser()
    path = tmp_path / "a.docx"
    docx.Document().save(str(path))
    check_refused(parser, source(path), EmptyFile)
    check_refused(parser, source(path, Limits(bytes=10)), LimitExceeded)
    check_refused(parser, source(path, Limits(unpacked_bytes=1000)), LimitExceeded)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    check_refused(parser, source(path), CorruptFile)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
    check_refused(parser, source(path), CorruptFile)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr("word/document.xml", "<w:document")
    check_refused(parser, source(path), CorruptFile)


def test_zip_bombs_are_refused_by_their_headers(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr("word/document.xml", b" " * 60_000_000)
    error = check_refused(DocxParser(), source(path), LimitExceeded)
    assert "zip bomb" in error.message


@pytest.mark.parametrize("levels", [0, 12])
def test_entities_are_not_expanded(tmp_path: Path, levels: int) -> None:
    path = tmp_path / "a.docx"
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", _RELS)
        archive.writestr(
            "word/document.xml",
            f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}<!ENTITY f SYSTEM "file:///etc/hostname">]>'
            f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>ok &l{max(0, levels - 1)}; &f;</w:t></w:r></w:p></w:body></w:document>',
        )
    if levels:
        check_refused(DocxParser(), source(path), CorruptFile)
    else:
        assert kinds(parse(DocxParser(), source(path))[0]) == [("paragraph", "ok")]
