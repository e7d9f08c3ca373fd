"""Pictures described by a vision model while they are ingested: found by what it wrote, which is marked as its guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag.answers import EVERYTHING, Query
from rag.documents import ImageChunk
from rag.errors import GeneratorUnavailable
from rag.fake_generator import Reply, ScriptedServer
from tests.support.light import LIGHT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    Image.new("RGB", (120, 90), "red").save(made / "a.png")
    (made / "b.md").write_text("# Herons\n\nHerons eat fish.\n")
    return made


def service(tmp_path: Path, url: str, **more: Any) -> Service:
    vision = {"model": "scripted", "base_url": url, "retries": 0, **more}
    return open_service(load(tmp_path / "data", {**LIGHT, "vision": vision}))


def test_a_picture_is_found_by_its_description(tmp_path: Path, folder: Path) -> None:
    with (
        ScriptedServer(Reply(("Five ravens ", "sit around a bear."))) as server,
        service(tmp_path, server.base_url) as opened,
    ):
        report = opened.ingest(find([folder]))
        assert report.states["published"] == 2
        found = opened.search(Query("ravens around a bear", top_k=1), access=EVERYTHING).hits[0].chunk
        assert isinstance(found, ImageChunk)
        entry = next(entry for entry in found.entries if entry.kind == "description")
        assert entry.text == "Five ravens sit around a bear."
        assert "scripted" in entry.source
        parts = server.requests[0]["messages"][-1]["content"]
        assert [part["type"] for part in parts] == ["text", "image_url", "text"]
        assert "scripted" in opened.active()["image_describer"]
        assert opened.ingest(find([folder])).states["unchanged"] == 2
    assert len(server.requests) == 1


def test_a_model_that_sees_nothing_leaves_the_picture_and_a_warning(tmp_path: Path, folder: Path) -> None:
    with (
        ScriptedServer(Reply(status=400, body="it is not a multimodal model")) as server,
        service(tmp_path, server.base_url) as opened,
    ):
        warned: list[str] = []
        report = opened.ingest(find([folder]), on_event=lambda event: warned.extend(event.warnings))
        assert report.states["published"] == 2
        assert any("not a multimodal model" in text and "vision.model" in text for text in warned)


def test_a_server_that_is_away_stops_the_run_and_nothing_is_published_without(tmp_path: Path, folder: Path) -> None:
    with ScriptedServer() as server:
        address = server.base_url
    with service(tmp_path, address) as opened:
        with pytest.raises(GeneratorUnavailable, match=r"vision\.base_url"):
            opened.ingest(find([folder / "a.png"]))
        assert not opened.documents()
    with ScriptedServer(Reply(("A red sign.",))) as server, service(tmp_path, server.base_url) as opened:
        assert opened.ingest(find([folder / "a.png"])).states["published"] == 1
