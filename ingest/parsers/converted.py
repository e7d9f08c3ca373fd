"""The long tail of formats, through one converter (Kreuzberg): its HTML is read like any other page.

Chosen because it is one wheel without dependencies (39 MB, MIT, Rust inside), needs no other program, keeps headings, lists,
tables and pictures, and converts a page in milliseconds. Pandoc reads more kinds of markup but is a GPL program and knows
not the binary Office formats; MarkItDown lacks ODT, RTF and LaTeX.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from ingest.containers import XLSB
from ingest.decoding import read_text
from ingest.parsers.html import inner_page
from ingest.parsers.latex import in_lines, references
from ingest.parsers.pictures import image_data, linked_picture
from ingest.parsers.prose import sole_heading, source_bytes, with_captions
from ingest.parsers.text import TextParser
from ingest.protocols import ParsedPage, Source
from rag.documents import Element, ImageData
from rag.errors import CorruptFile, EmptyFile, EncryptedFile, UnsupportedFile

LATEX = "application/x-latex"
_BINARY = {
    "application/vnd.oasis.opendocument.text": "an OpenDocument text (ODT)",
    "application/vnd.oasis.opendocument.spreadsheet": "an OpenDocument spreadsheet (ODS)",
    "application/vnd.oasis.opendocument.presentation": "an OpenDocument presentation (ODP)",
    "application/rtf": "a Rich Text (RTF) document",
    "application/msword": "an old Word document (.doc)",
    "application/vnd.ms-powerpoint": "an old PowerPoint presentation (.ppt)",
    "application/vnd.ms-excel": "an old Excel workbook (.xls)",
    XLSB: "a binary Excel workbook (XLSB)",
    "application/x-fictionbook+xml": "a FictionBook (FB2)",
}
_MARKUP = frozenset(
    {
        LATEX,
        "text/x-rst",
        "text/x-org",
        "application/docbook+xml",
        "application/x-opml+xml",
    }
)
_FIELDS = {
    "authors": "author",
    "created_by": "author",
    "created_at": "created",
    "modified_at": "modified",
    "subject": "subject",
    "language": "language",
}
EXTRA = (
    'Install the converter with `pip install "tuwen[formats]"`, or save it as DOCX, XLSX, PPTX or PDF, and ingest that.'
)


class ConvertedParser:
    """Without the extra `formats` binary formats are refused, and markup is read as plain text."""

    media_types = frozenset({*_BINARY, *_MARKUP})

    @property
    def version(self) -> str:
        return f"converted-2+{metadata.version('kreuzberg') if find_spec('kreuzberg') else 'none'}"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """One page. Raises UnsupportedFile without the converter, CorruptFile, EncryptedFile, EmptyFile, LimitExceeded."""
        source_bytes(source)
        if find_spec("kreuzberg") is None:
            if source.media_type in _BINARY:
                raise UnsupportedFile(
                    f"{source.name} is {_BINARY[source.media_type]}, which needs the converter.", EXTRA
                )
            yield from TextParser().parse(source)
            return
        yield _page(_convert(source), source)


def _convert(source: Source) -> Any:
    kreuzberg = import_module("kreuzberg")
    config = kreuzberg.ExtractionConfig(
        use_cache=False,  # it would write into the current folder
        output_format="html",
        disable_ocr=True,
        images=kreuzberg.ImageExtractionConfig(extract_images=True),
    )
    try:
        if source.media_type == LATEX:
            laid_out = in_lines(_latex(source)).encode()
            return kreuzberg.extract_bytes_sync(laid_out, mime_type=source.media_type, config=config)
        return kreuzberg.extract_file_sync(str(source.path), mime_type=source.media_type, config=config)
    except kreuzberg.KreuzbergError as error:
        if "password" in str(error).lower() or "encrypt" in str(error).lower():
            raise EncryptedFile(f"{source.name} is locked by a password.", "Save a copy without a password.") from error
        raise CorruptFile(
            f"{source.name} could not be converted ({error}).",
            "Open it in its program, save it as DOCX or PDF, and ingest that.",
        ) from error


def _page(result: Any, source: Source) -> ParsedPage:
    warnings = [f"{warning}" for warning in getattr(result, "processing_warnings", None) or ()]
    pictures = list(result.images or ())
    elements = tuple(
        with_captions(inner_page(result.content.encode(), source, warnings, _finder(pictures, source), "utf-8"))
    )
    if not elements:
        raise EmptyFile(f"{source.name} holds no text.", "Check that the right file was saved.")
    said = dict(result.metadata or {})
    if source.media_type == LATEX:
        elements = _without_keys(elements, said, references(_latex(source)))
    fields = {name: _plain(said[key]) for key, name in _FIELDS.items() if said.get(key)}
    return ParsedPage(
        None,
        elements,
        title=_plain(said.get("title") or "") or sole_heading(elements),
        metadata=fields,
        warnings=tuple(warnings),
    )


def _latex(source: Source) -> str:
    return read_text(source_bytes(source)) or ""


def _without_keys(elements: tuple[Element, ...], said: dict[str, Any], keys: set[str]) -> tuple[Element, ...]:
    """Without what the converter puts among the text: title and authors by name, and keys of references, each as a paragraph."""
    told = {
        f"{name}: {_plain(said[key])}" for name, key in (("title", "title"), ("author", "created_by")) if said.get(key)
    }
    left_out = told | {f"[{key}]" for key in keys}
    return tuple(e for e in elements if e.kind != "paragraph" or " ".join(e.text.split()) not in left_out)


def _finder(pictures: list[Any], source: Source) -> Any:
    by_name = {f"image_{number}": picture for number, picture in enumerate(pictures)}

    def find(link: str) -> ImageData | str:
        picture = by_name.get(link.rsplit(".", 1)[0])
        if picture is None:
            return linked_picture(source, link)
        data = picture["data"] if isinstance(picture, dict) else picture.data
        return image_data(bytes(data), source.limits)

    return find


def _plain(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return " ".join(text.split())[:1_000]
