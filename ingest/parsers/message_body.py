"""The parts of a MIME message (RFC 2045 to 2049): what is its text, what belongs into the text, what is attached."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.header import decode_header
from email.message import Message

from ingest.decoding import read_text

MAX_PARTS = 5_000


@dataclass
class Body:
    """`texts` are `(plain or html, bytes, charset)` in order; `pictures` by the links that name them; `attachments` with their
    file names, which may be empty."""

    texts: list[tuple[str, bytes, str]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    attachments: list[tuple[str, Message]] = field(default_factory=list)
    _parts: int = 0

    @classmethod
    def of(cls, message: Message) -> Body:
        """Raises RecursionError, ValueError for what no mail program writes."""
        body = cls()
        body._take(message)
        return body

    def _take(self, part: Message) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ValueError("too many parts")
        kind, name = part.get_content_type(), file_name(part)
        if kind == "message/rfc822" or (kind.startswith("message/") and part.is_multipart()):
            self.attachments.append((name, part))
        elif part.is_multipart():
            children = [child for child in part.get_payload() if isinstance(child, Message)]
            if kind == "multipart/alternative":
                self._alternative(children)
            else:
                for child in children:
                    self._take(child)
        elif part.get_content_disposition() == "attachment":
            self.attachments.append((name, part))
        elif kind in ("text/plain", "text/html") and not (name and self.texts):
            self.texts.append((kind.removeprefix("text/"), self.bytes_of(part), str(part.get_content_charset() or "")))
        elif kind.startswith("image/") and (part.get("Content-ID") or part.get("Content-Location")):
            data = self.bytes_of(part)
            if identifier := str(part.get("Content-ID") or "").strip().strip("<>"):
                self.pictures[f"cid:{identifier}"] = data
            if location := str(part.get("Content-Location") or "").strip():
                self.pictures[location] = data
        elif kind != "text/css":
            self.attachments.append((name, part))

    def _alternative(self, children: list[Message]) -> None:
        """The same content in several forms, the richest last: HTML where it says something, otherwise the first that does."""
        forms: list[Body] = []
        for child in children:
            form = Body(_parts=self._parts)
            form._take(child)
            self._parts = form._parts
            forms.append(form)
        html = [form for form in forms if any(kind == "html" and data.strip() for kind, data, _ in form.texts)]
        plain = [form for form in forms if any(data.strip() for _, data, _ in form.texts)]
        chosen = (html or plain or [Body()])[0]
        self.texts.extend(chosen.texts)
        for form in forms:
            self.pictures.update(form.pictures)
            self.attachments.extend(form.attachments)

    @staticmethod
    def bytes_of(part: Message) -> bytes:
        """The content of a part without its transfer encoding."""
        if part.is_multipart():
            inner = part.get_payload(0)
            return inner.as_bytes() if isinstance(inner, Message) else b""
        data = part.get_payload(decode=True)
        return data if isinstance(data, bytes) else b""


def file_name(part: Message) -> str:
    """The name of an attachment, decoded; empty when it has none."""
    try:
        given = part.get_filename() or ""
        decoded = [
            text if isinstance(text, str) else text.decode(charset or "utf-8", "surrogateescape")
            for text, charset in decode_header(given)
        ]
        text = "".join(decoded).encode("utf-8", "surrogateescape")
        return " ".join((read_text(text) or "").split())
    except Exception:  # a name that cannot be read is none
        return ""
