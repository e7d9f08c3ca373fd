"""Prompts of one's own: read when the settings are, shown by an explained answer, part of what makes two runs the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.feedback import fingerprint
from api.service import Service, open_service
from api.settings import load, public
from ingest.files import find
from rag.errors import BadSetting
from rag.prompts import BUILT_IN
from rag.response_cache import NOTE
from tests.support.light import LIGHT

BAMBOO = {"question": "How much bamboo does a giant panda eat a day?"}


def use(data: Path, text: str) -> None:
    data.mkdir(parents=True, exist_ok=True)
    (data / "house.toml").write_text(text, encoding="utf-8")
    (data / "tuwen.toml").write_text("[answer]\nprompts = 'house.toml'\n")


def test_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    use(tmp_path, '[en.answer]\nquestion = "Answer!"\n')
    with pytest.raises(BadSetting, match=r"house\.toml: en\.answer\.question lacks the placeholder \{question\}"):
        load(tmp_path)


def test_what_the_file_says_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    plain = load(tmp_path / "plain", LIGHT)
    assert public(plain)["answer"]["prompts"] == BUILT_IN.version
    prints = {fingerprint(plain)}
    for word in ("Be brief.", "Be long."):
        use(tmp_path, f'[en.answer]\nsystem = "{word}"\n')
        prints.add(fingerprint(load(tmp_path, LIGHT)))
    assert len(prints) == 3


def test_an_explained_answer_shows_the_prompt_and_its_version(filled: Service) -> None:
    explained = TestClient(create_app(filled)).post("/v1/query", json=BAMBOO | {"explain": True}).json()["explain"]
    assert explained["prompts"] == BUILT_IN.version
    assert explained["prompt"][0]["content"] == BUILT_IN.text("en", "answer.system")


def test_a_file_reaches_the_generator_and_its_answers_are_kept_apart(tmp_path: Path, folder: Path) -> None:
    use(tmp_path, 'version = "7"\n[en.answer]\nsystem = "Be brief."\n')
    with open_service(load(tmp_path, LIGHT), "a test") as own:
        own.ingest(find([folder / "pandas.md"]))
        http = TestClient(create_app(own))
        explained = http.post("/v1/query", json=BAMBOO | {"explain": True}).json()["explain"]
        assert explained["prompts"].startswith("house.toml 7, ")
        assert explained["prompt"][0]["content"] == "Be brief."
        http.post("/v1/query", json=BAMBOO)
        assert NOTE in http.post("/v1/query", json=BAMBOO).json()["notes"]
        object.__setattr__(own.engine, "prompts", BUILT_IN)
        assert NOTE not in http.post("/v1/query", json=BAMBOO).json()["notes"]
