"""Mail: headers, the best of several bodies, inline pictures, attachments as files of their own, mailboxes, saved pages."""

from __future__ import annotations

import base64
import io
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from ingest.parsers.mailbox import MailboxParser
from ingest.parsers.message import MessageParser
from ingest.protocols import ParsedPage, Source
from rag.errors import CorruptFile, EmptyFile, LimitExceeded
from tests.ingest.parsers.contract import check_parser, check_refused, parse, source, texts

_TYPE = "message/rfc822"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    return out.getvalue()


def message(subject: str = "港口报价 Prices", text: str = "Dear Bo,\n\nplain words.\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "安娜 <anna@port.example>", "Bo <bo@x.example>", subject
    made["Date"], made["Message-ID"] = "Tue, 05 Mar 2024 10:00:00 +0800", "<1@x>"
    made.set_content(text)
    return made


def read(tmp_path: Path, data: bytes, members: bool = True) -> ParsedPage:
    path = tmp_path / "mail.eml"
    path.write_bytes(data)
    return parse(MessageParser(), Source(path, "mail.eml", _TYPE, members=tmp_path / "m" if members else None))[0]


def test_contract() -> None:
    check_parser(MessageParser())
    check_parser(MailboxParser())


def test_a_plain_message(tmp_path: Path) -> None:
    page = read(tmp_path, message().as_bytes())
    assert page.title == "港口报价 Prices"
    assert page.metadata["author"] == "安娜 <anna@port.example>"
    assert texts([page]) == [
        "From: 安娜 <anna@port.example>\nTo: Bo <bo@x.example>\nDate: Tue, 05 Mar 2024 10:00:00 +0800\nSubject: 港口报价 Prices",
        "Dear Bo,",
        "plain words.",
    ]


def test_html_wins_and_shows_its_inline_picture(tmp_path: Path) -> None:
    made = message()
    made.add_alternative(
        "<p>See <b>this</b>: <img src='cid:one' alt='a red field'></p><table><tr><th>a</th><th>b</th></tr>"
        "<tr><td>1</td><td>2</td></tr></table><img src='http://tracker/x.gif'>",
        subtype="html",
    )
    made.get_payload()[1].add_related(picture(), "image", "png", cid="<one>")  # type: ignore[index, union-attr]
    page = read(tmp_path, made.as_bytes())
    assert [e.kind for e in page.elements] == ["list", "paragraph", "figure", "table"]
    assert page.elements[1].text == "See this:"
    assert page.elements[2].image is not None
    assert not page.members
    assert any("nothing is fetched" in warning for warning in page.warnings)


def test_attachments_become_files(tmp_path: Path) -> None:
    made = message()
    made.add_attachment(b"%PDF-1.4", "application", "pdf", filename="报价 1/2.pdf")
    made.add_attachment(b"x", "application", "octet-stream", filename="../../up.bin")
    made.add_attachment(message("Inner", "Of tides."))
    page = read(tmp_path, made.as_bytes())
    assert [member.name for member in page.members] == ["报价 1_2.pdf", "_.._up.bin", "Inner.eml"]
    assert all(member.path.is_relative_to(tmp_path / "m") for member in page.members)
    assert page.elements[-1].text.startswith("Attachments:\n- 报价 1_2.pdf")
    inner = read(tmp_path, page.members[-1].path.read_bytes())
    assert inner.title == "Inner"
    assert texts([inner])[-1] == "Of tides."


def test_too_deep_inside_attachments_are_only_listed(tmp_path: Path) -> None:
    made = message()
    made.add_attachment(b"x", "application", "pdf", filename="a.pdf")
    page = read(tmp_path, made.as_bytes(), members=False)
    assert not page.members
    assert "- a.pdf" in page.elements[-1].text
    assert "archive_depth" in page.warnings[0]


@pytest.mark.parametrize("charset", ["gb18030", "utf-8", "iso-8859-1"])
def test_wrong_and_missing_charsets(tmp_path: Path, charset: str) -> None:
    """The bytes are GBK whatever the header says, and the subject is raw bytes."""
    text = "这是我们的国家的城市，他们在这里工作。"
    head = f"From: a@b\nTo: c@d\nMessage-ID: <1>\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n"
    page = read(tmp_path, head.encode() + "Subject: 我们的问题\n\n".encode("gb18030") + text.encode("gb18030"))
    assert page.title == "我们的问题"
    assert page.elements[-1].text == text


def test_a_saved_web_page(tmp_path: Path) -> None:
    data = (
        b"From: <Saved by Blink>\r\nSnapshot-Content-Location: http://x/\r\nSubject: The page\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="B"\r\n\r\n--B\r\nContent-Type: text/html\r\nContent-Location: http://x/\r\n\r\n'
        b"<html><body><h1>The page</h1><img src='http://x/p.png' alt='red'></body></html>\r\n--B\r\nContent-Type: image/png\r\n"
        b"Content-Transfer-Encoding: base64\r\nContent-Location: http://x/p.png\r\n\r\n"
    )
    page = read(tmp_path, data + base64.encodebytes(picture()) + b"\r\n--B--\r\n")
    assert [(e.kind, e.text) for e in page.elements] == [("heading", "The page"), ("figure", "red")]
    assert page.elements[1].image is not None


def test_broken_and_empty_messages(tmp_path: Path) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n--x--")
    check_refused(MessageParser(), source(path, _TYPE), EmptyFile)
    head = b"Content-Type: multipart/mixed; boundary="
    path.write_bytes(b"".join(head + b'"b%d"\n\n--b%d\n' % (n, n) for n in range(3_000)))
    check_refused(MessageParser(), source(path, _TYPE), CorruptFile)


def test_a_mailbox_is_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "all.mbox"
    body = message("Two", "A line.\n\nFrom here on it is quoted.\n").as_bytes().replace(b"\nFrom here", b"\n>From here")
    path.write_bytes(b"From a Mon\n" + message("One").as_bytes() + b"\nFrom b Tue\n" + body)
    page = parse(MailboxParser(), Source(path, "all.mbox", "application/mbox", members=tmp_path / "m"))[0]
    assert [member.name for member in page.members] == ["00001 One.eml", "00002 Two.eml"]
    assert "- Two (安娜 <anna@port.example>, Tue, 05 Mar 2024 10:00:00 +0800)" in page.elements[0].text
    assert "From here on it is quoted." in texts([read(tmp_path, page.members[1].path.read_bytes())])[-1]
    check_refused(MailboxParser(), source(path, "application/mbox"), LimitExceeded)
