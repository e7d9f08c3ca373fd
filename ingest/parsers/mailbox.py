"""Mailboxes (mbox, RFC 4155): a document that lists its messages, each of which becomes a document of its own."""

from __future__ import annotations

from collections.abc import Iterator
from email.parser import BytesHeaderParser
from email.policy import compat32
from io import BytesIO
from pathlib import PurePosixPath

from ingest.members import MemberWriter
from ingest.parsers.message import MAX_MESSAGE, MAX_NAME, header
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import EmptyFile, LimitExceeded

LISTED = 1_000


class MailboxParser:
    media_types = frozenset({"application/mbox"})
    version = "mailbox-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """One page with the messages as members. Raises EmptyFile, LimitExceeded."""
        if source.members is None:
            raise LimitExceeded(
                f"{source.name} is a mailbox inside {source.limits.archive_depth} other files.",
                "Save it as a file, or raise `ingest.limits.archive_depth`.",
            )
        writer = MemberWriter(source)
        lines: list[str] = []
        for number, message in enumerate(_messages(source), start=1):
            fields = BytesHeaderParser(policy=compat32).parsebytes(message)
            subject = header(fields, "Subject") or "without a subject"
            if writer.write(f"{number:05d} {subject[:MAX_NAME].replace('/', '_')}.eml", BytesIO(message).read):
                lines.append(f"- {subject} ({header(fields, 'From')}, {header(fields, 'Date')})")
        if not writer.members:
            raise EmptyFile(f"{source.name} is a mailbox without messages.", "Leave it out.")
        more = [f"… and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
        listing = Element("list", "\n".join([*lines[:LISTED], *more]))
        yield ParsedPage(None, (listing,), title=PurePosixPath(source.name).name, members=tuple(writer.members))


def _messages(source: Source) -> Iterator[bytes]:
    """Messages begin with a line "From …" after an empty line; such lines inside them are written ">From …"."""
    current: list[bytes] = []
    size, blank = 0, True
    with source.path.open("rb") as file:
        while line := file.readline(1 << 20):
            if blank and line.startswith(b"From "):
                if current:
                    yield b"".join(current)
                current, size = [], 0
            else:
                current.append(line[1:] if line.startswith(b">From ") else line)
                size += len(line)
                if size > MAX_MESSAGE:
                    raise LimitExceeded(
                        f"{source.name} has a message of more than {MAX_MESSAGE / 1e6:,.0f} MB.",
                        "Save its attachments as files.",
                    )
            blank = not line.strip()
    if current:
        yield b"".join(current)
