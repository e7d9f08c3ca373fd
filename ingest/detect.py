"""Bytes to media type. The content decides; a name only breaks ties between kinds of text.

Magic numbers: https://www.iana.org/assignments/media-types, [MS-CFB] for OLE files, ECMA-376 part 2 for Office packages.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from ingest.containers import office_type, ole_type
from ingest.decoding import decode
from ingest.textkinds import text_type
from rag.errors import EmptyFile, UnsupportedFile

HEAD = 65_536
"""Bytes that are read; a text whose kind does not show in them is plain text."""

_SUPPORTED = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"{\\rtf", "application/rtf"),
)
_CONVERT = "Convert it to PDF, DOCX, HTML or plain text and ingest that."
_CONVERT_PICTURE = "Save the picture as PNG or JPEG and ingest that."
_UNPACK = "Unpack it and ingest the files in it."
_MEDIA = "Tuwen reads documents and pictures; ingest a transcript as a text file."
_PROGRAM = "It is not a document."
_UNSUPPORTED = (
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"MZ", "a Windows program", _PROGRAM),
    (b"\x7fELF", "a Linux program", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", "a macOS program", _PROGRAM),
    (b"\xca\xfe\xba\xbe", "compiled Java or a macOS program", _PROGRAM),
    (b"ID3", "an audio file (MP3)", _MEDIA),
    (b"\xff\xfb", "an audio file (MP3)", _MEDIA),
    (b"\xff\xf3", "an audio file (MP3)", _MEDIA),
    (b"fLaC", "an audio file (FLAC)", _MEDIA),
    (b"OggS", "an audio or video file (Ogg)", _MEDIA),
    (b"\x1aE\xdf\xa3", "a video file (Matroska or WebM)", _MEDIA),
    (b"SQLite format 3\x00", "an SQLite database", "Export its tables as Markdown or HTML and ingest those."),
    (b"%!PS", "a PostScript file", "Convert it to PDF and ingest that."),
    (b"AT&TFORM", "a DjVu document", "Convert it to PDF and ingest that."),
    (b"8BPS", "a Photoshop picture", _CONVERT_PICTURE),
    (b"\xff\x0a", "a JPEG XL picture", _CONVERT_PICTURE),
    (b"\x00\x00\x01\x00", "an icon file", _CONVERT_PICTURE),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF)", _CONVERT_PICTURE),
    (b"wOFF", "a font", _PROGRAM),
    (b"wOF2", "a font", _PROGRAM),
    (b"OTTO", "a font", _PROGRAM),
    (b"\x00\x01\x00\x00\x00", "a font or an Access database", _PROGRAM),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 data file", _CONVERT),
    (b"PAR1", "a Parquet data file", "Export its rows as Markdown or HTML and ingest those."),
    (b"\x80\x04\x95", "a Python pickle", _PROGRAM),
    (b"!BDN", "an Outlook mailbox (PST)", "Export its messages as PDF, HTML or text and ingest those."),
)


def detect(path: Path, name: str) -> str:
    """The media type of a file's bytes. `name` is what the person calls the file, for messages and ties.

    Raises EmptyFile, UnsupportedFile (which says what the file is), EncryptedFile, CorruptFile or LimitExceeded.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip(b"\x00 \t\r\n\f"):
        what = "is empty" if not head else "holds nothing but white space"
        if len(head) < HEAD or not _has_more(path):
            raise EmptyFile(f"{name} {what}.", "Check that the file was copied whole.")
    found = _by_magic(path, name, head)
    if found:
        return found
    decoded = decode(head, partial=len(head) == HEAD)
    if decoded is None:
        suffix = PurePosixPath(name).suffix
        called = f" (it is called {suffix}, but the content decides)" if suffix else ""
        raise UnsupportedFile(f"{name} is a binary file of an unknown kind{called}.", _CONVERT)
    return text_type(decoded[0], name, partial=len(head) == HEAD)


def _has_more(path: Path) -> bool:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if block.strip(b"\x00 \t\r\n\f"):
                return True
    return False


def _by_magic(path: Path, name: str, head: bytes) -> str:
    # The PDF reader of ISO 32000 annex H accepts the header anywhere in the first 1,024 bytes.
    at = head.find(b"%PDF-", 0, 1024)
    if at > 0 and (head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"):
        # An archive whose first file is a PDF, stored as it is.
        at = -1
    if (
        at == 0
        or (at > 0 and decode(head[:at]) is None)
        or (at > 0 and not head[:at].strip(b"\xef\xbb\xbf\x00 \t\r\n"))
    ):
        return "application/pdf"
    for magic, media_type in _SUPPORTED:
        if head.startswith(magic):
            return media_type
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return office_type(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return ole_type(path, name)
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "application/x-bzip2"
    if head.startswith(b"RIFF"):
        if head[8:12] == b"WEBP":
            return "image/webp"
        raise UnsupportedFile(f"{name} is an audio or video file (RIFF).", _MEDIA)
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00" and b"\x00" in head[10:18]:
        return "image/bmp"
    if head[4:8] == b"ftyp":
        return _iso_media(name, head)
    if head[257:262] == b"ustar":
        return "application/x-tar"
    for magic, what, remedy in _UNSUPPORTED:
        if head.startswith(magic) and not (magic.isascii() and len(magic) <= 3 and decode(head[:512], partial=True)):
            raise UnsupportedFile(f"{name} is {what}, which has no parser.", remedy)
    return ""


def _iso_media(name: str, head: bytes) -> str:
    brand = head[8:12]
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"):
        kind = "an AVIF" if brand.startswith(b"avi") else "a HEIC"
        raise UnsupportedFile(f"{name} is {kind} picture, which has no parser.", _CONVERT_PICTURE)
    raise UnsupportedFile(f"{name} is a video or audio file (MP4).", _MEDIA)
