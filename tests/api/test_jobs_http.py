"""The queue over HTTP: listed, changed, told as events."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import deps, errors, terminal
from api.access import OWNER
from api.reading import Reading
from api.routes import jobs as routes
from ingest.events import FileEvent
from ingest.jobs import Jobs
from rag.stores.library import SqliteLibrary

ALL = Reading(None, OWNER)  # type: ignore[arg-type]


def _app(jobs: Jobs) -> TestClient:
    app = FastAPI()
    app.state.tuwen = SimpleNamespace(jobs=jobs, runner=SimpleNamespace(wake=lambda: None))
    errors.install(app)
    app.include_router(routes.router)
    app.dependency_overrides[deps._reading] = lambda: ALL
    return TestClient(app)


def test_listed_and_changed(tmp_path: Path) -> None:
    jobs = Jobs(SqliteLibrary(tmp_path / "data"))
    (tmp_path / "a").write_text("text")
    id_ = jobs.accept(tmp_path / "a", "a.txt", "default").id
    client = _app(jobs)
    assert client.get("/v1/jobs").json()["counts"] == {"queued": 1}
    assert client.post("/v1/jobs/pause", json={"ids": [id_]}).json() == {"action": "pause", "jobs": 1}
    assert client.get("/v1/jobs", params={"status": "paused"}).json()["jobs"][0]["name"] == "a.txt"
    assert client.post("/v1/jobs/resume", json={}).json()["jobs"] == 1
    assert client.post("/v1/jobs/cancel", json={"ids": ["nothing"]}).status_code == 404
    assert client.post("/v1/jobs/burn", json={}).status_code in (400, 422)


def test_events_go_on_behind_the_last_one_seen(tmp_path: Path) -> None:
    jobs = Jobs(SqliteLibrary(tmp_path / "data"))
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        jobs.accept(tmp_path / name, name, "default")

    class Request:
        async def is_disconnected(self) -> bool:
            return False

    async def first(count: int, after: int) -> list[Any]:
        found = []
        changes = routes._changes(Request(), ALL, jobs, after, leaving := anyio.Event())  # type: ignore[arg-type]
        async for event in changes:
            found.append(json.loads(str(event.data))["name"])
            if len(found) == count:
                # The server ends: so do the events, by themselves.
                leaving.set()
        return found

    assert asyncio.run(first(2, 0)) == ["a", "b"]
    assert asyncio.run(first(1, jobs.changed_since(0)[0].revision)) == ["b"]


def test_progress_is_of_what_is_under_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = Jobs(SqliteLibrary(tmp_path / "data"))
    (tmp_path / "a").write_text("text")
    id_ = jobs.accept(tmp_path / "a", "a.pdf", "default").id
    jobs.take("default")
    jobs.tell(id_, FileEvent("a.pdf", "parsing", page=141, pages=150))
    reading = _app(jobs).get("/v1/jobs").json()["jobs"]
    jobs.tell(id_, FileEvent("a.pdf", "embedding", chunks=1_200))
    embedding = _app(jobs).get("/v1/jobs").json()["jobs"]
    assert reading[0]["progress"] == {"page": 141, "pages": 150}
    assert embedding[0]["progress"] == {"page": 150, "pages": 150, "chunks": 1_200}
    terminal.show_jobs(reading, everything=False)
    terminal.show_jobs(embedding, everything=False)
    said = capsys.readouterr().out
    assert "a.pdf: parsing, page 141 of 150" in said
    assert "a.pdf: embedding 1,200 chunks" in said
