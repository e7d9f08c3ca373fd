"""Pages for a report come from the index that a run was made with, in this process or over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.app import create_app
from api.service import Service, open_service
from api.settings import load
from eval.runner import default_settings, page_images, run
from tests.support.light import LIGHT

REPORT = Path(__file__).parents[2] / "examples" / "corpus" / "observatory" / "annual-report-2025.pdf"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    (folder / "corpus").mkdir(parents=True)
    (folder / "corpus" / "report.pdf").write_bytes(REPORT.read_bytes())
    question = {"id": "1", "question": "How many clear nights?", "answer": "161", "source": "report.pdf", "page": 1}
    (folder / "questions.jsonl").write_text(json.dumps(question), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_pages_from_the_index_of_the_bench(labelled: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    result = run(labelled, settings=load(tmp_path / "own", LIGHT), cache=cache)
    index = result["config"]["system"]["index"]
    with page_images(index, cache=cache) as draw:
        assert draw is not None
        page = draw("report.pdf", 1)
        assert page is not None
        assert page.startswith(PNG)
        assert draw("report.pdf", 99) is None
        assert draw("another.pdf", 1) is None
    # While somebody else works with the index there are no pages, and no error.
    with open_service(load(cache / "indexes" / index, LIGHT)), page_images(index, cache=cache) as draw:
        assert draw is None


def test_an_index_that_is_gone_and_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with page_images("0123456789abcdef", cache=tmp_path) as draw:
        assert draw is None
    assert not list(tmp_path.iterdir())
    with page_images("", "http://127.0.0.1:9", cache=tmp_path) as draw:
        assert draw is None


@contextmanager
def serving(service: Service) -> Iterator[str]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(create_app(service), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.slow
def test_pages_over_http(labelled: Path, tmp_path: Path) -> None:
    with open_service(load(tmp_path / "served", LIGHT)) as service, serving(service) as url:
        run(labelled, server=url, cache=tmp_path / "cache", out=tmp_path / "run")
        with page_images("", url) as draw:
            assert draw is not None
            page = draw("report.pdf", 1)
            assert page is not None
            assert page.startswith(PNG)
            assert draw("report.pdf", 99) is None


def test_defaults_are_those_of_the_profile_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUWEN_RETRIEVAL__RRF_K", "7")
    assert default_settings("embedded")["retrieval"]["rrf_k"] == 60.0
    assert default_settings("standard")["profile"] == "standard"
    assert "data" not in default_settings("embedded")
