"""Files made to eat time, memory or disk: small to make, so that tests of them are fast."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

MEGABYTE = 1_000_000
_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)
"""Eleven levels of ten: 10^11 laughs."""


class _Zeros:
    """Zeros without end, as far as they are read."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return bytes(size)


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def zip_of_zeros() -> bytes:
    """120 MB in 120 kB."""
    return zipped({"zeros.txt": bytes(120 * MEGABYTE)})


def zip_that_lies() -> bytes:
    """Its directory promises 100 bytes; the member has 10 MB."""
    data = bytearray(zipped({"small.txt": b"x" * 10 * MEGABYTE}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.find(signature) + offset, 100)
    return bytes(data)


def zip_of_many(count: int = 12_000) -> bytes:
    return zipped({f"{number}.txt": b"" for number in range(count)})


def zip_in_zip(depth: int) -> bytes:
    data = b"the innermost text"
    name = "treasure.txt"
    for number in range(depth):
        data, name = zipped({name: data}), f"level {number}.zip"
    return data


def zip_that_climbs() -> bytes:
    return zipped(
        {"../../outside.txt": b"climbs", "/etc/absolute.txt": b"absolute", "C:\\windows\\drive.txt": b"drive"}
    )


def gzip_of_zeros() -> bytes:
    return gzip.compress(bytes(120 * MEGABYTE), 9)


def tar_of_zeros() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("zeros.bin")
        info.size = 120 * MEGABYTE
        archive.addfile(info, _Zeros(info.size))  # type: ignore[arg-type]
    return out.getvalue()


def tar_with_links() -> bytes:
    """A symbolic link out of the folder, a file "below" it, and a device; one honest file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
        archive.addfile(link)
        device = tarfile.TarInfo("device")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
        for name in ("link/under.txt", "honest.txt"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"text"))
    return out.getvalue()


def xz_that_asks_for_memory() -> bytes:
    """A header that asks for a dictionary of 4 GB."""
    small = lzma.compress(b"text " * 100, lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}])
    # The size of the dictionary is one byte of the block header (40: 4 GB), which has a checksum of its own.
    data = bytearray(small)
    header = data[12 : 12 + (data[12] + 1) * 4]
    header[4] = 40
    header[-4:] = struct.pack("<I", zlib.crc32(bytes(header[:-4])))
    data[12 : 12 + len(header)] = header
    return bytes(data)


def png_of(width: int, height: int) -> bytes:
    """A whole picture of one bit a pixel, black: 30,000 x 30,000 take 110 kB here and 900 MB decoded to grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes((width + 7) // 8 + 1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pdf(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    trailer = trailer.replace(b"STARTXREF", b"%d" % start)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, start))
    return out.getvalue()


_CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R "
    b"/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >> >>"
)
_WORDS = b"BT /F 12 Tf 20 200 Td (Found in spite of everything) Tj ET"


def stream(content: bytes, head: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), head, content)


def pdf_of_many_objects(count: int = 100_000) -> bytes:
    return pdf([_CATALOGUE, _PAGES, _PAGE, stream(_WORDS), _FONT, *[b"<< /A [1 2 3] /B (x) >>"] * count])


def pdf_with_itself_as_form() -> bytes:
    """A form that draws itself twice, and so on."""
    form = stream(
        b"/X Do /X Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>"
    )
    return pdf([_CATALOGUE, _PAGES, _PAGE, stream(_WORDS + b" /X Do"), _FONT, form])


def pdf_with_pages_in_a_circle() -> bytes:
    pages = b"<< /Type /Pages /Kids [3 0 R 2 0 R 2 0 R] /Count 3 >>"
    return pdf([_CATALOGUE, pages, _PAGE, stream(_WORDS), _FONT])


def pdf_with_outline_in_a_circle() -> bytes:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>"
    outline = b"<< /First 7 0 R /Last 7 0 R /Count 1 >>"
    item = b"<< /Title (Again) /Parent 6 0 R /Next 7 0 R /First 7 0 R /Dest [3 0 R /Fit] >>"
    return pdf([catalogue, _PAGES, _PAGE, stream(_WORDS), _FONT, outline, item])


def pdf_whose_table_goes_in_a_circle() -> bytes:
    return pdf([_CATALOGUE, _PAGES, _PAGE, stream(_WORDS), _FONT], b"/Prev STARTXREF")


def pdf_that_paints_for_ever(times: int = 3_000_000) -> bytes:
    """Millions of drawing commands on one page, packed."""
    content = zlib.compress(_WORDS + b" 0 0 m 300 300 l S 10 10 50 50 re f" * times, 1)
    return pdf([_CATALOGUE, _PAGES, _PAGE, stream(content, b"/Filter /FlateDecode"), _FONT])


_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KINDS = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}


def office(main: str, parts: dict[str, bytes]) -> bytes:
    """An Office package with the main part's relationships among the parts."""
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Override PartName="/{main}" ContentType="{_KINDS[main]}"/></Types>'
    )
    root = f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>'
    return zipped({"[Content_Types].xml": types.encode(), "_rels/.rels": root.encode(), **parts})


def workbook(sheet: bytes, strings: bytes = b"") -> bytes:
    """A workbook of one sheet, given as XML."""
    book = f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets><sheet name="One" sheetId="1" r:id="s"/></sheets></workbook>'
    related = f'<Relationship Id="s" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    parts = {"xl/workbook.xml": book.encode(), "xl/worksheets/sheet1.xml": sheet}
    if strings:
        related += f'<Relationship Id="t" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        parts["xl/sharedStrings.xml"] = strings
    parts["xl/_rels/workbook.xml.rels"] = (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>'.encode()
    )
    return office("xl/workbook.xml", parts)


def sheet(rows: str, after: str = "") -> bytes:
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData>{after}</worksheet>'.encode()


def docx_of_laughs() -> bytes:
    body = (
        f'{_LAUGHS}<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>&a11;</w:t></w:r></w:p></w:body></w:document>'
    )
    return office("word/document.xml", {"word/document.xml": body.encode()})


def xlsx_of_laughs() -> bytes:
    strings = f'{_LAUGHS}<sst xmlns="{_SHEET}"><si><t>&a11;</t></si></sst>'
    return workbook(sheet('<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>1</v></c></row>'), strings.encode())


def xlsx_of_empty_rows(count: int = 1_000_000) -> bytes:
    rows = "".join(f'<row r="{number}"/>' for number in range(1, count + 1))
    return workbook(sheet(rows + f'<row r="{count + 1}"><c r="A{count + 1}"><v>7</v></c></row>'))


def xlsx_that_claims_everything() -> bytes:
    """Two cells in the farthest corners, all of the sheet merged."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    merged = '<mergeCells count="2"><mergeCell ref="A1:XFD1048576"/><mergeCell ref="A2:BK1048576"/></mergeCells>'
    return workbook(sheet(rows, merged))


def svg_of_laughs() -> bytes:
    return f'{_LAUGHS}<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&a11;</text></svg>'.encode()


def epub(chapter: bytes) -> bytes:
    container = '<container><rootfiles><rootfile full-path="b/p.opf"/></rootfiles></container>'
    package = (
        '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>A book</dc:title></metadata>'
        '<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    return zipped(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": container.encode(),
            "b/p.opf": package.encode(),
            "b/c.xhtml": chapter,
        }
    )


def epub_of_laughs() -> bytes:
    return epub(f"{_LAUGHS}<html><body><p>Before &a11; after</p></body></html>".encode())


def csv_of_one_line() -> bytes:
    return b"a," * 10 * MEGABYTE


def csv_with_an_open_quote() -> bytes:
    return b'name,note\nx,"never closed\n' + b"y,z\n" * 10_000


def json_of_brackets() -> bytes:
    return b"[" * 200_000


def json_of_one_number() -> bytes:
    return b'{"n": ' + b"9" * 100_000 + b"}"


def mail_of_mails(depth: int = 2_000) -> bytes:
    head = b"MIME-Version: 1.0\nFrom: a@b\nSubject: x\nContent-Type: multipart/mixed; boundary="
    return b"".join(head + b'"b%d"\n\n--b%d\n' % (n, n) for n in range(depth)) + b"\nText\n"


def markdown_of_brackets() -> bytes:
    return b"# Title\n\n" + b"[" * 50_000 + b"\n\n" + b"> " * 5_000 + b"deep\n\n" + b"*a **b " * 5_000


def html_of_depth() -> bytes:
    return b"<html><body>" + b"<div>" * 100_000 + b"at the bottom"


def rtf_of_braces() -> bytes:
    return b"{\\rtf1 " + b"{" * 200_000 + b"text" + b"}" * 200_000


READ: dict[str, Callable[[], bytes]] = {
    "many-objects.pdf": pdf_of_many_objects,
    "table-in-a-circle.pdf": pdf_whose_table_goes_in_a_circle,
    "pages-in-a-circle.pdf": pdf_with_pages_in_a_circle,
    "empty-rows.xlsx": xlsx_of_empty_rows,
    "everything.xlsx": xlsx_that_claims_everything,
    "one-number.json": json_of_one_number,
    "brackets.md": markdown_of_brackets,
    "depth.html": html_of_depth,
    "laughs.epub": epub_of_laughs,
    "laughs.svg": svg_of_laughs,
    "braces.rtf": rtf_of_braces,
}
"""What can be read in spite of everything, within the limits."""

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros.zip": (zip_of_zeros, "LimitExceeded"),
    "lies.zip": (zip_that_lies, "EmptyFile"),
    "many.zip": (zip_of_many, "LimitExceeded"),
    "zeros.gz": (gzip_of_zeros, "LimitExceeded"),
    "zeros.tar.gz": (tar_of_zeros, "LimitExceeded"),
    "memory.xz": (xz_that_asks_for_memory, "CorruptFile"),
    "vast.png": (lambda: png_of(30_000, 30_000), "LimitExceeded"),
    "line.csv": (csv_of_one_line, "LimitExceeded"),
    "quote.csv": (csv_with_an_open_quote, "CorruptFile"),
    "brackets.json": (json_of_brackets, "CorruptFile"),
    "laughs.docx": (docx_of_laughs, "CorruptFile"),
    "laughs.xlsx": (xlsx_of_laughs, "CorruptFile"),
    "mails.eml": (mail_of_mails, "CorruptFile"),
    "form-in-itself.pdf": (pdf_with_itself_as_form, "OutOfMemory"),
    "outline-in-a-circle.pdf": (pdf_with_outline_in_a_circle, "CorruptFile"),
    "paints-for-ever.pdf": (pdf_that_paints_for_ever, "OutOfMemory"),
}
"""What is refused, and as what."""


def write(folder: Path, name: str) -> Path:
    make = READ[name] if name in READ else REFUSED[name][0]
    path = folder / name
    path.write_bytes(make())
    return path
