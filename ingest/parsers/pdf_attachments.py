"""Files attached to a PDF (ISO 32000 7.11.4): each becomes a document of its own."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from ingest.members import MemberWriter
from ingest.protocols import Member, Source
from rag.errors import LimitExceeded


def attachments(pdf: Any, source: Source) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """The files, written out, and warnings about those that were not. The caller holds PDFium's lock. Raises LimitExceeded."""
    try:
        count = pdf.count_attachments()
    except Exception:  # a broken name tree costs nothing but the attachments
        return (), ()
    if not count:
        return (), ()
    if source.members is None:
        return (), (f"{count} attached file(s) were not read: `ingest.limits.archive_depth` is reached.",)
    writer = MemberWriter(source)
    warnings: list[str] = []
    for number in range(count):
        try:
            attachment = pdf.get_attachment(number)
            name = (attachment.get_name() or f"attachment {number + 1}").replace("/", "_").lstrip(".")
            writer.write(name, BytesIO(bytes(attachment.get_data())).read)
        except LimitExceeded:
            raise
        except Exception as error:  # PDFium raises one type for everything, ctypes several
            warnings.append(f"An attached file could not be read: {error}.")
    return tuple(writer.members), tuple(warnings)
