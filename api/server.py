"""`tuwen serve`: the application in uvicorn, the directory owned, the URL announced."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import time
import webbrowser

import httpx
import uvicorn

from api import terminal
from api.app import create_app
from api.service import open_service
from api.settings import Settings
from rag.errors import BadSetting


def run(settings: Settings, *, open_page: bool = False, ask_first: str = "", as_json: bool = False) -> None:
    """Serves until it is interrupted. Raises DirectoryOwned, BadSetting when the port is taken."""
    logging.getLogger().setLevel(logging.INFO)
    for quiet in ("httpx", "chromadb", "RapidOCR"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    listening = _listen(settings.http.host, settings.http.port)
    with listening, open_service(settings, "tuwen serve") as service:
        host, port = listening.getsockname()[:2]
        url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
        config = uvicorn.Config(create_app(service), log_level="warning", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        service.lock.announce(url, "tuwen serve")
        if as_json:
            sys.stdout.write(json.dumps({"url": url}) + "\n")
            sys.stdout.flush()
        else:
            terminal.out.print(f"Tuwen listens on [bold]{url}[/] (data: {settings.data}; Ctrl-C ends it)")
        threading.Thread(target=_greet, args=(url, open_page, ask_first), daemon=True).start()
        server.run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadSetting(
            f"Nothing can listen on {host}:{port}: {error.strerror}.",
            "Choose another port with --port, or host with --host.",
        ) from error
    return listening


def _greet(url: str, open_page: bool, question: str) -> None:
    """What a person sees first: the answer to a question, and the page."""
    with httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
        ready = _wait_until_ready(client)
        if ready is None:
            return
        if question:
            terminal.out.print(f"\n[bold]{question}[/]")
            response = client.post("/v1/query", json={"question": question})
            body = response.json()
            if response.is_success:
                terminal.out.print(body["answer"], markup=False)
                terminal.show_citations(body)
            else:
                terminal.err.print(body["error"]["message"], body["error"]["remedy"])
        terminal.out.print(f"\nAsk your own at [bold]{url}[/]")
    if open_page:
        webbrowser.open(url)


def _wait_until_ready(client: httpx.Client) -> dict[str, object] | None:
    for _ in range(1200):
        try:
            response = client.get("/readyz")
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        if response.is_success:
            body: dict[str, object] = response.json()
            return body
        trouble = response.json()["error"]
        if "remedy" in trouble:
            terminal.err.print(f"[red]{trouble['message']}[/]\n→ {trouble['remedy']}")
            return None
        time.sleep(0.25)
    return None
