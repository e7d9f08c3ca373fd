"""What a vision model is shown of the example corpus."""

import base64
import io
from pathlib import Path

from PIL import Image

from api.service import open_service
from api.settings import load
from ingest.files import find
from rag.answers import EVERYTHING, Answer, Query
from rag.fake_generator import Reply, ScriptedServer
from tests.support.light import LIGHT


def test_a_vision_model_is_shown_figures_and_the_tables_place_on_its_page(tmp_path: Path) -> None:
    pictured = Path(__file__).parents[2] / "examples" / "corpus"
    with ScriptedServer(Reply(("It is so [1].",))) as scripted:
        generator = {"kind": "openai", "base_url": scripted.base_url, "model": "scripted", "images": 2}
        overrides = LIGHT | {"generator": generator | {"order": "document"}, "answer": {"cache": 0, "abstain": False}}
        with open_service(load(tmp_path / "data", overrides), "a test") as service:
            service.ingest(find([pictured / "observatory"]))
            for question in ("Which table of the annual report lists the nights?", "What does the photograph show?"):
                list(service.answer(Query(question), access=EVERYTHING))
        contents = [body["messages"][-1]["content"] for body in scripted.requests]
    shown = [part for content in contents if isinstance(content, list) for part in content]
    urls = [part["image_url"]["url"] for part in shown if part["type"] == "image_url"]
    assert urls
    for url in urls:
        with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as opened:
            assert opened.width * opened.height <= 750_000
    labels = [
        part["text"] for part in shown if part["type"] == "text" and part["text"].startswith("Picture of passage")
    ]
    assert len(labels) == len(urls)


def test_a_server_that_sees_nothing_answers_without_pictures_and_it_is_said(tmp_path: Path) -> None:
    corpus = Path(__file__).parents[2] / "examples" / "corpus" / "observatory"
    blind = Reply(status=400, body="scripted is not a multimodal model")
    with ScriptedServer(blind, Reply(("It is so [1].",))) as scripted:
        generator = {"kind": "openai", "base_url": scripted.base_url, "model": "scripted", "images": 2}
        overrides = LIGHT | {"generator": generator, "answer": {"cache": 0, "abstain": False}}
        with open_service(load(tmp_path / "data", overrides), "a test") as service:
            service.ingest(find([corpus]))
            *_, answer = service.answer(Query("What does the photograph show?"), access=EVERYTHING)
        shown = [
            sum(part["type"] == "image_url" for part in content) if isinstance(content, list) else 0
            for content in (body["messages"][-1]["content"] for body in scripted.requests)
        ]
    assert shown[0] > 0
    assert shown[-1] == 0
    assert isinstance(answer, Answer)
    (note,) = [note for note in answer.notes if "pictures" in note]
    assert "not a multimodal model" in note
    assert "generator.images" in note
