"""Word documents (ECMA-376 part 1, WordprocessingML): the body in order, without headers and footers."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.containers import DOCX
from ingest.parsers.docx_body import BodyReader
from ingest.parsers.ooxml import AGAIN, Package
from ingest.parsers.prose import sole_heading
from ingest.protocols import ParsedPage, Source
from rag.errors import CorruptFile, EmptyFile


class DocxParser:
    """DOCX, DOCM and their templates. Pages exist only once Word has laid them out, so there are none here."""

    media_types = frozenset({DOCX})
    version = "docx-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        with Package(source) as package:
            main = package.main_part()
            reader = BodyReader(package, main)
            try:
                elements = tuple(reader.read())
            except RecursionError:
                raise CorruptFile(f"{source.name} is nested too deeply to be a document.", AGAIN) from None
            title, metadata = package.properties()
            warnings = tuple(f"{count} × {what}." for what, count in reader.left_out.items())
        if not elements:
            raise EmptyFile(f"{source.name} holds no text and no pictures.", "Check that the right file was saved.")
        yield ParsedPage(
            None, elements, title=title or reader.title or sole_heading(elements), metadata=metadata, warnings=warnings
        )
