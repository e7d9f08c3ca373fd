"""Lists of addresses: what is on them, how large it may be, what is tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ingest.protocols import Limits, Stopped
from ingest.sources.web import WebRemote, name_of
from rag.errors import BadRequest, LimitExceeded, Unreachable

Answer = Callable[[httpx.Request], httpx.Response]


def web(answer: Answer, slept: list[float] | None = None) -> WebRemote:
    return WebRemote(
        transport=httpx.MockTransport(answer), sleep=(slept if slept is not None else list[float]()).append
    )


def text(body: str, **headers: str) -> Answer:
    return lambda _: httpx.Response(200, text=body, headers=headers)


def test_a_list_names_its_files() -> None:
    listed = "# reports\nhttps://example.org/a/b.pdf\n\n  https://example.org/c.html\nhttps://example.org/d?id=7\n"
    found = list(web(text(listed)).files("https://example.org/list.txt"))
    assert [file.source for file in found] == [
        "https://example.org/a/b.pdf",
        "https://example.org/c.html",
        "https://example.org/d?id=7",
    ]
    assert [file.name for file in found][:2] == ["example.org/a/b.pdf", "example.org/c.html"]
    assert all(file.remote for file in found)


@pytest.mark.parametrize(
    "answer",
    [text("A text, and no list."), lambda _: httpx.Response(200, content=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})],
)  # fmt: skip
def test_what_is_no_list_is_a_file(answer: Answer) -> None:
    assert [file.source for file in web(answer).files("https://example.org/notes.txt")] == [
        "https://example.org/notes.txt"
    ]


def test_a_bad_line_is_named() -> None:
    with pytest.raises(BadRequest, match=r"line 3: 'ftp://example\.org/b'"):
        list(web(text("#\nhttps://example.org/a\nftp://example.org/b\n")).files("https://example.org/list.txt"))


def test_names_cannot_leave_their_folder_and_differ_by_their_question() -> None:
    assert name_of("https://example.org/../../etc/passwd") == "example.org/etc/passwd"
    assert name_of("https://example.org/%2e%2e/x") == "example.org/x"
    assert name_of("https://example.org/docs/") == "example.org/docs/index.html"
    assert name_of("https://example.org") == "example.org/index.html"
    first, second = name_of("https://example.org/get.pdf?id=1"), name_of("https://example.org/get.pdf?id=2")
    assert first != second
    assert first.endswith(".pdf")


def test_the_limit_holds_whatever_is_announced(tmp_path: Path) -> None:
    def endless(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    asked = Endless.given = 0
    path = tmp_path / "file"
    with pytest.raises(LimitExceeded, match="more than the 1 MB"):
        web(endless).fetch("https://example.org/big", path, Limits(bytes=1_000_000), lambda: False)
    assert asked <= Endless.given <= 1_200_000
    assert not path.exists()
    announced = web(lambda _: httpx.Response(200, headers={"Content-Length": "2000000"}, stream=Endless()))
    Endless.given = 0
    with pytest.raises(LimitExceeded):
        announced.fetch("https://example.org/big", path, Limits(bytes=1_000_000), lambda: False)
    assert Endless.given == 0


class Endless(httpx.SyncByteStream):
    given = 0

    def __iter__(self):  # type: ignore[no-untyped-def]
        while True:
            Endless.given += 65_536
            yield b"x" * 65_536


def test_a_slow_server_is_left_and_a_cancelled_file_is_not_read_on(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="longer than"):
        web(lambda _: httpx.Response(200, stream=Endless())).fetch(
            "https://example.org/slow", tmp_path / "file", Limits(seconds=0), lambda: False
        )
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Stopped):
        web(lambda _: httpx.Response(200, stream=Endless())).fetch(
            "https://example.org/x", tmp_path / "file", Limits(), cancelled.is_set
        )
    assert list(tmp_path.iterdir()) == []


def test_what_may_pass_is_tried_again_and_what_may_not_is_not(tmp_path: Path) -> None:
    asked: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return httpx.Response(503 if len(asked) < 3 else 200, text="here")

    slept: list[float] = []
    web(answer, slept).fetch("https://example.org/a", tmp_path / "file", Limits(), lambda: False)
    assert (tmp_path / "file").read_text() == "here"
    assert slept == [1.0, 2.0]
    asked.clear()
    with pytest.raises(Unreachable, match="answered 404"):
        web(lambda _: asked.append(1) or httpx.Response(404)).fetch(  # type: ignore[func-returns-value]
            "https://example.org/a", tmp_path / "file", Limits(), lambda: False
        )
    assert len(asked) == 1
    with pytest.raises(Unreachable, match="answered 500"):
        web(lambda _: httpx.Response(500)).fetch("https://example.org/a", tmp_path / "f", Limits(), lambda: False)


def test_redirects_in_a_circle_end(tmp_path: Path) -> None:
    around = web(lambda request: httpx.Response(302, headers={"Location": str(request.url)}))
    with pytest.raises(Unreachable, match="redirects"):
        around.fetch("https://example.org/a", tmp_path / "file", Limits(), lambda: False)


def test_the_mark_is_the_tag_or_a_time_that_is_not_of_just_now() -> None:
    assert web(text("", ETag='"7"')).mark("https://example.org/a") == 'ETag "7"'
    dated = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT", "Content-Length": "5"}
    assert web(text("12345", **dated)).mark("https://example.org/a") == "2015-10-21T07:28:00+00:00 5"
    assert web(text("", **{"Last-Modified": "Wed, 21 Oct 2099 07:28:00 GMT"})).mark("https://example.org/a") == ""
    assert web(text("")).mark("https://example.org/a") == ""
    assert web(lambda _: httpx.Response(405)).mark("https://example.org/a") == ""
