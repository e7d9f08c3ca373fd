"""One small library, reached in process and over a real socket, for the retrievers of other frameworks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from PIL import Image

from api.app import create_app
from api.client import Client, HttpClient, LocalClient
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from tests.support.light import LIGHT

TEXTS = {
    "pandas.md": "# Pandas\n\nA giant panda eats about 38 kilograms of bamboo a day.\n\n## Cubs\n\nA newborn cub weighs 100 grams.\n",
    "tea.md": "# 茶园\n\n这座茶园建于1952年，每年生产二十吨绿茶。\n",
}


@contextmanager
def opened(folder: Path) -> Iterator[dict[str, Client]]:
    """Clients by `local` and `http`, over the files above and a picture called `red panda.png`."""
    files = folder / "files"
    files.mkdir()
    for name, text in TEXTS.items():
        (files / name).write_text(text, encoding="utf-8")
    Image.new("RGB", (40, 30), "brown").save(files / "red panda.png")
    with open_service(load(folder / "data", LIGHT), "a test") as service:
        service.ingest(find([files]))
        with served(service) as url:
            remote = HttpClient(url)
            yield {"local": LocalClient(service), "http": remote}
            remote.close()


@contextmanager
def served(service: Service) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
