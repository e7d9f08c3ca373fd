"""Outlook messages ([MS-OXMSG]): headers, text, inline pictures; attachments and messages inside become documents (olefile)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTPUTF8
from importlib import import_module
from typing import Any

from ingest.parsers.message import message_page
from ingest.parsers.message_body import Body
from ingest.parsers.prose import source_bytes
from ingest.protocols import ParsedPage, Source
from rag.errors import CorruptFile

_SUBJECT, _SENDER, _SENDER_SMTP, _TO, _CC = "0037", "0C1A", "5D01", "0E04", "0E03"
_BODY, _HTML = "1000", "1013"
_DATA, _LONG_NAME, _NAME, _CONTENT_ID, _EMBEDDED = "3701", "3707", "3704", "3712", "3701000D"
_DELIVERED, _SUBMITTED = 0x0E06, 0x0039
MAX_ATTACHMENTS = 2_000


class OutlookParser:
    """`application/vnd.ms-outlook` (MSG)."""

    media_types = frozenset({"application/vnd.ms-outlook"})
    version = "outlook-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """One page with the attachments as members. Raises CorruptFile, EmptyFile, LimitExceeded."""
        olefile = import_module("olefile")
        source_bytes(source)
        try:
            with olefile.OleFileIO(str(source.path)) as ole:
                message = _Storage(ole, ())
                fields, body = message.fields(), message.body()
        except (OSError, ValueError, IndexError, RecursionError) as error:
            raise CorruptFile(
                f"{source.name} is a damaged Outlook message ({error}).", "Save it again from Outlook."
            ) from error
        yield message_page(fields, body, source)


class _Storage:
    """One message in the file: the file itself, or one inside an attachment."""

    def __init__(self, ole: Any, path: tuple[str, ...]) -> None:
        self._ole, self._path = ole, path
        here = len(path)
        inside = [entry for entry in ole.listdir() if tuple(entry[:here]) == path and len(entry) > here]
        self._streams = {entry[here].upper(): entry for entry in inside if len(entry) == here + 1}
        self._attachments = list(
            dict.fromkeys(entry[here] for entry in inside if entry[here].lower().startswith("__attach_version1.0"))
        )[:MAX_ATTACHMENTS]

    def text(self, number: str) -> str:
        """A property that is text: UTF-16, or bytes in some code page."""
        from ingest.decoding import read_text

        if wide := self.data(f"{number}001F"):
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        return (read_text(narrow) or "").rstrip("\0") if (narrow := self.data(f"{number}001E")) else ""

    def data(self, number: str) -> bytes:
        entry = self._streams.get(f"__SUBSTG1.0_{number}".upper())
        return bytes(self._ole.openstream(entry).read()) if entry else b""

    def fields(self) -> dict[str, str]:
        address = self.text(_SENDER_SMTP)
        sender = self.text(_SENDER)
        found = {
            "From": f"{sender} <{address}>" if sender and address and address != sender else sender or address,
            "To": self.text(_TO),
            "Cc": self.text(_CC),
            "Date": self._date(),
            "Subject": self.text(_SUBJECT),
        }
        return {name: " ".join(text.split()) for name, text in found.items() if text.strip()}

    def _date(self) -> str:
        """From the fixed-length properties: 16 bytes each, after a header of 32 (24 in a message inside)."""
        from datetime import UTC, datetime, timedelta

        entry = self._streams.get("__PROPERTIES_VERSION1.0")
        data = bytes(self._ole.openstream(entry).read()) if entry else b""
        for at in range(24 if self._path else 32, len(data) - 15, 16):
            kind, number = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
            ticks = int.from_bytes(data[at + 8 : at + 16], "little")
            if kind == 0x40 and number in (_DELIVERED, _SUBMITTED) and 0 < ticks < 2**60:
                return f"{datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M}"
        return ""

    def body(self) -> Body:
        """HTML where there is some, otherwise the plain text."""
        found = Body()
        html = self.data(f"{_HTML}0102") or self.text(_HTML).encode()
        if html.strip(b"\0 \r\n"):
            found.texts.append(("html", html, ""))
        elif plain := self.text(_BODY):
            found.texts.append(("plain", plain.encode(), "utf-8"))
        for name in self._attachments:
            self._attach(_Storage(self._ole, (*self._path, name)), found)
        return found

    def _attach(self, attachment: _Storage, body: Body) -> None:
        name = attachment.text(_LONG_NAME) or attachment.text(_NAME)
        embedded = (*attachment._path, f"__substg1.0_{_EMBEDDED}")
        if self._ole.exists(list(embedded)):
            inner = _Storage(self._ole, embedded)
            part = EmailMessage()
            part.set_content(inner.as_message().as_bytes(policy=SMTPUTF8), "application", "octet-stream")
            body.attachments.append((f"{(name or inner.text(_SUBJECT) or 'message')[:80]}.eml", part))
            return
        data = attachment.data(f"{_DATA}0102")
        identifier = attachment.text(_CONTENT_ID)
        if identifier and any(identifier.encode() in text for _, text, _ in body.texts):
            body.pictures[f"cid:{identifier}"] = data
            return
        part = EmailMessage()
        part.set_content(data, "application", "octet-stream")
        body.attachments.append((name, part))

    def as_message(self) -> EmailMessage:
        """A message inside a message, as one that can be written to a file."""
        message = EmailMessage(policy=SMTPUTF8)
        for name, text in self.fields().items():
            message[f"X-{name}" if name == "Date" else name] = text.replace("\n", " ")
        message["MIME-Version"] = "1.0"
        body = self.body()
        kind, data, _ = body.texts[0] if body.texts else ("plain", b"", "")
        message.set_content(data.decode("utf-8", "replace"), subtype=kind)
        for name, part in body.attachments:
            message.add_attachment(Body.bytes_of(part), "application", "octet-stream", filename=name or "attachment")
        return message
