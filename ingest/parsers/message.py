"""E-mail messages and saved web pages (RFC 5322, MIME, MHTML): headers, text, inline pictures; attachments become documents."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from io import BytesIO

from ingest.decoding import read_text
from ingest.members import MemberWriter
from ingest.parsers.html import inner_page
from ingest.parsers.message_body import Body
from ingest.parsers.pictures import image_data
from ingest.parsers.prose import clean_lines, source_bytes
from ingest.parsers.text import text_elements
from ingest.protocols import Member, ParsedPage, Source
from rag.documents import Element, ImageData
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
MAX_FIELD = 2_000
MAX_MESSAGE = 150_000_000
"""Bytes; the parts of a message are held in memory."""
MAX_NAME = 80


class MessageParser:
    """`message/rfc822` (EML, MHTML). The HTML part is read where there is one, since it has the tables and pictures."""

    media_types = frozenset({"message/rfc822"})
    version = "message-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """One page with the attachments as members. Raises CorruptFile, EmptyFile, LimitExceeded."""
        data = source_bytes(source)
        if len(data) > MAX_MESSAGE:
            raise LimitExceeded(
                f"{source.name} is a message of {len(data) / 1e6:,.0f} MB.", "Save its attachments and ingest those."
            )
        try:
            message = BytesParser(policy=compat32).parse(BytesIO(data))
            body = Body.of(message)
        except (RecursionError, MessageError, ValueError, LookupError) as error:
            raise CorruptFile(
                f"{source.name} is a damaged or endlessly nested message ({type(error).__name__}).",
                "Save it again from its mail program.",
            ) from error
        fields = {name: text for name in _SHOWN if (text := header(message, name))}
        yield message_page(fields, body, source, with_fields=not _is_saved_page(message))


def message_page(fields: Mapping[str, str], body: Body, source: Source, *, with_fields: bool = True) -> ParsedPage:
    """A message as a page: what its head says, its text, the list of its attachments. Raises EmptyFile, LimitExceeded."""
    warnings: list[str] = []
    elements = list(_elements(body, source, warnings))
    names = [_name(number, *attachment) for number, attachment in enumerate(body.attachments, start=1)]
    members = _attachments(body, names, source, warnings)
    if fields and with_fields:
        elements.insert(0, Element("list", "\n".join(f"{name}: {text}" for name, text in fields.items())))
    if names:
        elements.append(Element("list", "Attachments:\n" + "\n".join(f"- {name}" for name in names)))
    if not elements:
        raise EmptyFile(f"{source.name} is a message without text.", "Leave it out.")
    known = {"author": "From", "date": "Date", "to": "To"}
    return ParsedPage(
        None,
        tuple(elements),
        title=fields.get("Subject", ""),
        metadata={key: fields[name][:1_000] for key, name in known.items() if name in fields},
        warnings=tuple(warnings),
        members=tuple(members),
    )


def header(message: Message, name: str) -> str:
    """A header field as readable text; whatever its sender did to its encoding."""
    raw = message.get(name)
    if raw is None:
        return ""
    try:
        parts = [_decoded(part, charset) for part, charset in decode_header(raw)]
    except (MessageError, ValueError, LookupError):
        parts = [str(raw)]
    text = "".join(parts).encode("utf-8", "surrogateescape")
    return " ".join(clean_lines(read_text(text) or "").split())[:MAX_FIELD]


def _decoded(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    if charset in (None, "unknown-8bit"):
        return part.decode("utf-8", "surrogateescape")
    return read_text(part, charset or "") or part.decode("utf-8", "replace")


def _is_saved_page(message: Message) -> bool:
    return message.get("Snapshot-Content-Location") is not None or "Saved by" in str(message.get("From") or "")


def _elements(body: Body, source: Source, warnings: list[str]) -> Iterator[Element]:
    def find(link: str) -> ImageData | str:
        data = body.pictures.get(link.strip())
        return image_data(data, source.limits) if data else "is not in the message, and nothing is fetched"

    for kind, data, charset in body.texts:
        if kind == "html":
            yield from inner_page(data, source, warnings, find, charset)
        else:
            text = read_text(data, charset)
            yield from text_elements(clean_lines(text)) if text else ()


def _attachments(body: Body, names: Sequence[str], source: Source, warnings: list[str]) -> list[Member]:
    if not body.attachments:
        return []
    if source.members is None:
        warnings.append(
            f"Its {len(body.attachments)} attachments were not read: `ingest.limits.archive_depth` is reached."
        )
        return []
    writer = MemberWriter(source)
    for name, (_, part) in zip(names, body.attachments, strict=True):
        data = Body.bytes_of(part)
        if data.strip():
            writer.write(name, BytesIO(data).read)
    return writer.members


def _name(number: int, given: str, part: Message) -> str:
    if given:
        name = given
    elif part.get_content_type() == "message/rfc822":
        inner = part.get_payload(0) if part.is_multipart() else part
        subject = header(inner, "Subject") if isinstance(inner, Message) else ""
        name = f"{subject[:MAX_NAME] or f'message {number}'}.eml"
    else:
        name = f"attachment {number}{mimetypes.guess_extension(part.get_content_type()) or ''}"
    return name.replace("\\", "_").replace("/", "_").lstrip(".")
