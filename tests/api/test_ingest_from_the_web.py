"""A list of addresses, from the command's own client to the second run that reads nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.client import LocalClient
from api.service import open_service
from api.settings import load
from rag.errors import BadRequest, Unavailable
from tests.support.light import LIGHT

Site = dict[str, tuple[str, str]]


@pytest.fixture
def site() -> Iterator[tuple[str, Site, list[str]]]:
    """Its address, what it holds (tag and text by path), and what it was asked."""
    pages: Site = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            tag, text = pages.get(self.path, ("", ""))
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
            if tag:
                self.send_header("ETag", tag)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(text.encode())

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", pages, asked
    server.shutdown()
    server.server_close()


def settings(data: Path, **sources: Any) -> Any:
    return load(data, LIGHT | {"ingest": {"sources": sources}})


def test_listed_read_once_and_read_again_when_changed(tmp_path: Path, site: tuple[str, Site, list[str]]) -> None:
    url, pages, asked = site
    pages["/list.txt"] = ("", f"# two\n{url}/a.txt\n{url}/b.txt\n{url}/gone.txt\n")
    pages["/a.txt"], pages["/b.txt"] = ('"1"', "The first text of the web."), ('"1"', "The second text of the web.")
    with open_service(settings(tmp_path / "data", http=True, private_addresses=True), "a test") as service:
        client = LocalClient(service)

        def ingest() -> Any:
            asked.clear()
            return client.ingest([f"{url}/list.txt"], "default", lambda _: None, retry_failed=False)

        report = ingest()
        assert report.states == {"published": 2, "failed": 1}
        assert "answered 404" in report.failures[0].message
        assert [file["name"] for file in client.documents(None)] == ["127.0.0.1/a.txt", "127.0.0.1/b.txt"]
        assert ingest().states == {"unchanged": 2, "failed": 1}
        assert [line for line in asked if line.startswith("GET")] == ["GET /list.txt", "GET /gone.txt"]
        pages["/b.txt"] = ('"2"', "The second text of the web, changed.")
        assert ingest().states == {"unchanged": 1, "published": 1, "failed": 1}
        assert "GET /b.txt" in asked
        assert "GET /a.txt" not in asked
        assert {job["name"]: job["status"] for job in client.jobs(None)}["127.0.0.1/gone.txt"] == "failed"
        with pytest.raises(BadRequest, match="cannot be told"):
            client.ingest([f"{url}/list.txt"], "default", lambda _: None, retry_failed=False, sync=True)


@pytest.mark.parametrize(
    ("sources", "error", "said"),
    [
        ({}, BadRequest, "not read"),
        # Naming the scheme does not open it by another door.
        ({"schemes": ["http", "s3"]}, BadRequest, "not read"),
        ({"http": True}, Unavailable, "not on the public internet"),
    ],
)
def test_closed_unless_it_is_opened(
    tmp_path: Path, site: tuple[str, Site, list[str]], sources: dict[str, Any], error: type[Exception], said: str
) -> None:
    url, pages, asked = site
    pages["/list.txt"] = ("", "x")
    with open_service(settings(tmp_path / "data", **sources), "a test") as service, pytest.raises(error, match=said):
        LocalClient(service).ingest([f"{url}/list.txt"], "default", lambda _: None, retry_failed=False)
    assert asked == []
