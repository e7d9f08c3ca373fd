"""The command line as a person or a script uses it: a process of its own, its exit status, its JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.light import LIGHT_ENVIRONMENT

ROOT = Path(__file__).parents[2]


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUWEN_")}
    return kept | LIGHT_ENVIRONMENT | {"TUWEN_DATA": str(data), "PYTHONPATH": str(ROOT)}


def tuwen(data: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tuwen.py"), *arguments],
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    body: dict[str, Any] = (
        json.loads(done.stdout) if done.stdout.startswith("{") else {"out": done.stdout + done.stderr}
    )
    return body


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tuwen.py"), "serve", "--port", "0", "--json"],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False).status_code == 200:
                break
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield url
    process.send_signal(signal.SIGINT)
    process.wait(30)


@pytest.mark.slow
def test_from_files_to_an_answer(data: Path, folder: Path) -> None:
    report = tuwen(data, "ingest", str(folder), "--json", status=1)
    assert (report["published"], report["failed"]) == (2, 1)
    assert report["failures"][0]["name"] == "broken.pdf"
    assert report["failures"][0]["error"]["remedy"]
    again = tuwen(data, "ingest", str(folder), "--json", status=1)
    assert (again["unchanged"], again["embedded"]) == (2, 0)
    hits = tuwen(data, "search", "How much bamboo does a panda eat?", "--json")["hits"]
    by_vectors = ("search", "How much bamboo does a panda eat?", "--scheme", "vector", "--explain")
    assert {source for hit in tuwen(data, *by_vectors, "--json")["hits"] for source in hit["sources"]} == {"dense"}
    told = tuwen(data, *by_vectors)["out"]
    assert "dense #1 " in told
    assert "(en; scheme vector, fusion convex, reranker " in told
    assert " not let through)" in told
    assert hits[0]["document"]["name"] == "pandas.md"
    answer = tuwen(data, "ask", "How many kilograms of bamboo does a giant panda eat a day?", "--json")
    assert "38 kilograms" in answer["answer"]
    assert answer["citations"][0]["verified"]
    shown = tuwen(data, "ask", "茶园建于哪一年？")["out"]
    assert "1952年" in shown
    assert "verified" in shown
    files = {f["name"]: f for f in tuwen(data, "documents", "list", "--json")["files"]}
    assert files["broken.pdf"]["status"] == "failed"
    assert len(tuwen(data, "documents", "show", files["pandas.md"]["id"], "--json")["chunks"]) >= 1
    health = tuwen(data, "doctor", "--json")
    assert (health["documents"], health["problems"]) == (2, [])
    assert tuwen(data, "doctor", "--rebuild", "--json")["rebuilt"] == health["chunks"]
    tuwen(data, "documents", "delete", files["pandas.md"]["id"])
    assert tuwen(data, "doctor", "--json")["documents"] == 1


def test_wrong_use_and_failure_have_their_exit_status(data: Path) -> None:
    assert "No such command" in tuwen(data, "nonsense", status=2)["out"]
    tuwen(data, "search", "x", "--top-k", "0", status=2)
    assert "no question" in tuwen(data, "search", "--json", status=1)["error"]["message"]
    missing = tuwen(data, "search", "x", "--json", status=1)["error"]
    assert missing["type"] == "NotFound"
    assert "tuwen ingest" in missing["remedy"]
    nowhere = tuwen(data, "ingest", "nowhere/at/all", "--json", status=1)["error"]
    assert "nowhere" in nowhere["message"]
    unreachable = tuwen(data, "search", "x", "--server", "http://127.0.0.1:1", "--json", status=1)["error"]
    assert unreachable["type"] == "Unavailable"


@pytest.mark.slow
def test_commands_talk_to_the_server_that_owns_the_directory(server: str, data: Path, folder: Path) -> None:
    report = tuwen(data, "ingest", str(folder), "--json", status=1)
    assert (report["published"], report["failed"]) == (2, 1)
    assert tuwen(data, "ingest", str(folder), "--json", status=1)["unchanged"] == 2
    assert tuwen(data, "search", "bamboo", "--json")["hits"][0]["document"]["name"] == "pandas.md"
    assert "100 grams" in tuwen(data, "ask", "How much does a newborn cub weigh?", "--json")["answer"]
    id_ = next(f["id"] for f in tuwen(data, "documents", "list", "--json")["files"] if f["name"] == "tea.md")
    tuwen(data, "documents", "delete", id_)
    assert httpx.get(f"{server}/v1/files/{id_}", trust_env=False).status_code == 404
    owned = tuwen(data, "doctor", "--json", status=1)["error"]
    assert owned["type"] == "DirectoryOwned"
    assert "tuwen serve" in owned["message"]
    assert tuwen(data, "search", "bamboo", "--server", server, "--json")["hits"]


def test_an_interrupted_upload_is_ingested_after_a_restart(data: Path) -> None:
    """Accepted, then killed before anything was done: the next server finds it in the queue."""
    from api.settings import load
    from ingest.jobs import Jobs
    from rag.stores.library import SqliteLibrary

    library = SqliteLibrary(load(data).data)
    path = data / "note.txt"
    path.write_text("The lighthouse has 214 steps.")
    jobs = Jobs(library)
    accepted = jobs.accept(path, "note.txt", "default")
    jobs.take("default")
    library.close()
    path.unlink()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tuwen.py"), "serve", "--port", "0", "--json"],
        env=environment(data),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    deadline = time.monotonic() + 60
    state = ""
    while state != "published" and time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            state = httpx.get(f"{url}/v1/files/{accepted.id}", trust_env=False).json()["status"]
        except httpx.HTTPError:
            continue
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert state == "published"
