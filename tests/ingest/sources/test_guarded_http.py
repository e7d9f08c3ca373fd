"""No address, name, redirect or change of mind of a name server leads to a private network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from ingest.sources import guarded
from ingest.sources.guarded import Forbidden, PublicTransport, is_public


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def plain(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_addresses_in_every_dress(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_asked_whatever_it_is_called(host: str) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        plain(handler)

    refused = pytest.raises((Forbidden, httpx.ConnectError, httpx.InvalidURL))
    with serving(answer) as port, httpx.Client(transport=PublicTransport(), trust_env=False) as client, refused:
        client.get(f"http://{host}:{port}/")
    assert asked == []


def test_one_private_address_among_public_ones_is_enough() -> None:
    transport = PublicTransport(lambda *_: ["1.1.1.1", "10.0.0.1"])
    with httpx.Client(transport=transport) as client, pytest.raises(Forbidden, match=r"10\.0\.0\.1"):
        client.get("http://example.org/")


def test_a_redirect_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if handler.path == "/out":
            handler.send_response(302)
            handler.send_header("Location", f"http://inside.test:{port}/secret")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            plain(handler)

    with serving(answer) as port:
        # The outside is played by this machine; every other name is judged as it is.
        places = {"outside.test": ["127.0.0.1"], "inside.test": ["127.0.0.2"]}
        transport = PublicTransport(lambda host, _: places[host])
        monkeypatch.setattr(guarded, "is_public", lambda address: address == "127.0.0.1")
        with httpx.Client(transport=transport, follow_redirects=True, trust_env=False) as client:
            assert client.get(f"http://outside.test:{port}/fine").text == "ok"
            with pytest.raises(Forbidden, match=r"inside\.test"):
                client.get(f"http://outside.test:{port}/out")
    assert asked == ["/fine", "/out"]


def test_a_name_that_changes_its_address_is_judged_where_it_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with serving(plain) as port:
        monkeypatch.setattr(guarded, "is_public", lambda address: address == "127.0.0.1")
        with httpx.Client(transport=PublicTransport(lambda *_: next(answers)), trust_env=False) as client:
            first = client.get(f"http://rebind.test:{port}/", headers={"Connection": "close"})
            assert first.text == "ok"
            with pytest.raises(Forbidden):
                client.get(f"http://rebind.test:{port}/")
