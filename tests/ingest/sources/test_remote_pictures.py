"""Pictures beside a remote document are read from its place, by the same rules, and from nowhere else."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from PIL import Image

from ingest.files import InputFile
from ingest.parsers.html import HtmlParser
from ingest.parsers.markdown import MarkdownParser
from ingest.protocols import Limits, ParsedPage, Source, Stopped
from ingest.sources import pictures
from ingest.sources.guarded import PublicTransport
from ingest.sources.objects import FsspecRemote
from ingest.sources.pictures import fetch_pictures
from ingest.sources.remote import Remote
from ingest.sources.web import WebRemote


def png(side: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def web(answer: Callable[[httpx.Request], httpx.Response]) -> WebRemote:
    return WebRemote(transport=httpx.MockTransport(answer), sleep=lambda _: None)


def read(
    remote: Remote, folder: Path, url: str, name: str, text: str, limits: Limits | None = None
) -> tuple[list[ParsedPage], dict[str, Path | str]]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    limits = limits or Limits()
    found = fetch_pictures(InputFile(path, name, url), remote, folder, limits, lambda: False)
    parser: Any = HtmlParser() if "<html" in text else MarkdownParser()
    kind = "text/html" if "<html" in text else "text/markdown"
    return list(parser.parse(Source(path, name, kind, limits, pictures=found))), found


def figures(pages: list[ParsedPage]) -> list[bool]:
    return [element.image is not None for page in pages for element in page.elements if element.kind == "figure"]


TEXT = """# Stones

![The first](img/one.png)

![The second](<img/two words.png> "title")

![The third][three]

<img src="img/one.png?size=2&amp;x=1" alt="The fourth">

![Elsewhere](https://other.example/five.png)

[three]: /site/图.png
"""


def test_markdown_of_a_site(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=png())

    pages, _ = read(web(answer), tmp_path, "https://docs.example/a/b.md", "docs.example/a/b.md", TEXT)
    assert figures(pages) == [True, True, True, True, False]
    assert asked == [
        "https://docs.example/a/img/one.png",
        "https://docs.example/a/img/two%20words.png",
        "https://docs.example/site/%E5%9B%BE.png",
        "https://docs.example/a/img/one.png?size=2&x=1",
    ]
    assert "other.example/five.png is on the network" in " ".join(pages[0].warnings)


def test_html_of_a_site(tmp_path: Path) -> None:
    page = (
        '<html><body><h1>Stones</h1><p>Text of the page.</p><img src="../one.png" alt="The first stone"></body></html>'
    )

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://docs.example/one.png"
        return httpx.Response(200, content=png())

    pages, _ = read(web(answer), tmp_path, "https://docs.example/a/", "docs.example/a/index.html", page)
    assert figures(pages) == [True]


def test_objects_of_a_store(tmp_path: Path) -> None:
    remote = FsspecRemote("memory")
    for name in ("notes/img/one.png", "notes/img/two words.png", "notes/图.png"):
        remote._fs.pipe(f"/bucket/{tmp_path.name}/{name}", png())
    url = f"memory://bucket/{tmp_path.name}/notes/b.md"
    text = TEXT.replace("/site/", "/notes/")
    pages, _ = read(remote, tmp_path, url, "notes/b.md", text)
    assert figures(pages) == [True, True, True, True, False]


@pytest.mark.parametrize(
    "link",
    [
        "../../secret/one.png",
        "img/../../../secret/one.png",
        "%2e%2e/%2e%2e/secret/one.png",
        "/../secret/one.png",
        "memory://bucket/secret/one.png",
        "x::memory://bucket/secret/one.png",
        "//secret/one.png",
        "file:///etc/passwd",
        "..\\..\\secret\\one.png",
    ],
)
def test_nothing_above_the_place_of_a_store(tmp_path: Path, link: str) -> None:
    remote = FsspecRemote("memory")
    remote._fs.pipe("/bucket/secret/one.png", png())
    url = f"memory://bucket/{tmp_path.name}/notes/b.md"
    pages, found = read(remote, tmp_path, url, "notes/b.md", f"# A\n\nText.\n\n![one]({link})\n")
    assert figures(pages) == [False]
    assert not [path for path in found.values() if isinstance(path, Path)]
    assert pages[0].warnings


@pytest.mark.parametrize(
    "link",
    [
        "//169.254.169.254/latest/one.png",
        "http://localhost/one.png",
        "http://docs.example/one.png",
        "https://docs.example:8443/one.png",
        "https://docs.example@127.0.0.1/one.png",
        "///127.0.0.1/one.png",
        "javascript:alert(1)",
        "ftp://docs.example/one.png",
    ],
)
def test_no_other_server_is_asked(tmp_path: Path, link: str) -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, content=png())

    pages, _ = read(web(answer), tmp_path, "https://docs.example/a/b.md", "b.md", f"# A\n\nText.\n\n![one]({link})\n")
    assert {(url.scheme, url.netloc) for url in asked} <= {("https", b"docs.example")}
    assert pages[0].warnings or figures(pages) in ([], [True])


def test_a_private_address_is_not_asked_for_a_picture_either(tmp_path: Path) -> None:
    """The document was public; by the time of its picture its name leads inside."""
    remote = WebRemote(transport=PublicTransport(lambda *_: ["10.0.0.7"]), sleep=lambda _: None)
    pages, found = read(remote, tmp_path, "https://docs.example/a/b.md", "b.md", "# A\n\nText.\n\n![one](one.png)\n")
    assert figures(pages) == [False]
    assert "was not fetched: docs.example is at 10.0.0.7, which is not on the public internet" in pages[0].warnings[0]
    assert list(found) == ["one.png"]


def test_a_redirect_to_a_private_address_is_not_followed(tmp_path: Path) -> None:
    class Redirecting(PublicTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "docs.example":
                return httpx.Response(302, headers={"Location": "http://127.0.0.1:9/one.png"}, request=request)
            return super().handle_request(request)

    remote = WebRemote(transport=Redirecting(), sleep=lambda _: None)
    pages, _ = read(remote, tmp_path, "https://docs.example/a/b.md", "b.md", "# A\n\nText.\n\n![one](one.png)\n")
    assert figures(pages) == [False]
    assert "127.0.0.1" in pages[0].warnings[0]


def test_what_cannot_be_had_is_said_of_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST", 4)

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name == "gone.png":
            return httpx.Response(404)
        return httpx.Response(200, content={"text.png": b"no picture", "long.png": b"x" * 5_000}.get(name, png()))

    text = "# A\n\nText.\n\n" + "\n\n".join(
        f"![{name}]({name}.png)" for name in ("one", "gone", "text", "long", "late", "later")
    )
    pages, _ = read(web(answer), tmp_path, "https://docs.example/b.md", "b.md", text, Limits(bytes=4_000))
    assert figures(pages) == [True, False, False, False, False, False]
    said = " ".join(pages[0].warnings)
    assert "The picture gone.png was not fetched: the server answered 404." in said
    assert "The picture text.png cannot be read" in said
    assert "The picture long.png is larger than the limit bytes" in said
    assert "The picture late.png was not fetched: the document has more than 4." in said


def test_all_of_them_share_what_one_document_may_take(tmp_path: Path) -> None:
    size = len(png(300))
    text = "# A\n\nText.\n\n" + "\n\n".join(f"![{n}]({n}.png)" for n in range(5))
    pages, found = read(
        web(lambda _: httpx.Response(200, content=png(300))),
        tmp_path,
        "https://docs.example/b.md",
        "b.md",
        text,
        Limits(unpacked_bytes=2 * size),
    )
    assert figures(pages) == [True, True, False, False, False]
    assert "took all that is allowed" in str(found["4.png"])


def test_a_cancelled_file_fetches_no_further_picture(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("# A\n\n![one](one.png)\n")
    remote = web(lambda _: httpx.Response(200, content=png()))
    with pytest.raises(Stopped):
        fetch_pictures(InputFile(path, "b.md", "https://docs.example/b.md"), remote, tmp_path, Limits(), lambda: True)


def test_other_kinds_of_files_are_not_looked_into(tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    path = tmp_path / "file"
    for data, name in (
        (b"%PDF-1.7 ![a](b.png)", "a.pdf"),
        (b"plain words, no markup ![a](b.png)", "a.txt"),
        (b"", "a.md"),
    ):
        path.write_bytes(data)
        assert (
            fetch_pictures(
                InputFile(path, name, f"https://x.example/{name}"), web(refuse), tmp_path, Limits(), lambda: False
            )
            == {}
        )


def test_hostile_markup_is_read_in_no_time(tmp_path: Path) -> None:
    import time

    path = tmp_path / "file"
    remote = SimpleNamespace(beside=lambda *_: (), fetch=None)
    for text in (
        "![" * 200_000,
        "<img " * 100_000,
        "[" * 500_000,
        "<img src=" + "a" * 500_000,
        "![a](" * 100_000,
        "![a](" + "(" * 300_000,
    ):
        path.write_text("# Title\n\n" + text)
        began = time.process_time()
        fetch_pictures(InputFile(path, "a.md", "https://x.example/a.md"), remote, tmp_path, Limits(), lambda: False)
        assert time.process_time() - began < 5


def test_a_store_tells_where_a_link_may_lead() -> None:
    def beside(link: str, name: str = "a/b.md") -> Iterator[str]:
        return iter(FsspecRemote("memory").beside("memory://bucket/top/a/b.md", name, link))

    assert list(beside("img/x.png")) == ["memory://bucket/top/a/img/x.png", "memory://bucket/top/a/x.png"]
    assert list(beside("/img/x.png")) == ["memory://bucket/top/img/x.png", "memory://bucket/top/a/x.png"]
    assert list(beside("../x.png")) == ["memory://bucket/top/x.png", "memory://bucket/top/a/x.png"]
    assert list(beside("../../x.png")) == ["memory://bucket/top/a/x.png"]
    assert list(beside("../x.png", "b.md")) == ["memory://bucket/top/a/x.png"]
    assert list(beside("b.md")) == []
