"""The review page and the thumbs in a real browser against a real server: decided by key and mouse, only the set's file changes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

pytest.importorskip("selenium", reason="needs selenium")


def _beside(name: str) -> ModuleType:
    """The other browser test: its server settings, its browser and its Page are used here, too."""
    spec = importlib.util.spec_from_file_location("tuwen_page_browser", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


browser_test = _beside("test_page_browser")
pytestmark = browser_test.pytestmark


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL and set of a server with two documents and a set of two questions about them, and a near miss."""
    data = tmp_path_factory.mktemp("data")
    environment = {**os.environ, **browser_test.WITHOUT_WEIGHTS, "TUWEN_DATA": str(data)}
    files = [str(browser_test.CORPUS / name) for name in ("observatory/annual-report-2025.pdf", "tuwen/quick-start.md")]
    tuwen = [sys.executable, str(browser_test.ROOT / "tuwen.py")]

    def run(*arguments: str) -> None:
        subprocess.run([*tuwen, *arguments], env=environment, check=True, timeout=180, capture_output=True)

    run("ingest", *files)
    run("eval", "generate", "-n", "6", "--near-misses", "0.34")
    with browser_test.serving(environment) as url:
        yield url, data / "sets" / "default" / "questions.jsonl"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    with browser_test.browsing(tmp_path / "profile") as browser:
        yield browser_test.Page(browser)


def _states(path: Path) -> list[str]:
    return [json.loads(line)["state"] for line in path.read_text(encoding="utf-8").splitlines()]


def _press(page: Any, keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page.browser).send_keys(keys).perform()


def test_a_set_is_reviewed_by_key_and_mouse(page: Any, served: tuple[str, Path]) -> None:
    url, path = served
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {line["kind"] == "near-miss" for line in lines} == {True, False}
    page.browser.get(f"{url}/review")
    page.wait(lambda: page.all("#asked") and page.id("asked").text == lines[0]["question"])
    assert page.id("answer").text == lines[0]["answer"]
    page.wait(lambda: page.all("#passage mark, #passage .marked"))

    _press(page, "a")
    page.wait(lambda: page.id("asked").text == lines[1]["question"])
    assert _states(path)[:2] == ["accepted", "proposed"]
    page.id("reject").click()
    page.wait(lambda: page.id("asked").text == lines[2]["question"])
    assert _states(path)[1] == "rejected"

    _press(page, "e")
    field = page.id("edit-question")
    page.wait(field.is_displayed)
    field.clear()
    # Letters typed into the field are no shortcuts.
    field.send_keys("A better question about the area?", browser_test.Keys.CONTROL, browser_test.Keys.ENTER)
    page.wait(lambda: _states(path)[2] == "edited")
    changed = json.loads(path.read_text(encoding="utf-8").splitlines()[2])
    assert changed["question"] == "A better question about the area?"
    assert changed["original"]["question"] == lines[2]["question"]

    page.wait(lambda: page.id("asked").text == lines[3]["question"])
    _press(page, "b")
    page.wait(lambda: page.id("asked").text == changed["question"])
    assert lines[2]["question"] in page.id("changes").text
    after = {file: file.read_bytes() for file in path.parent.iterdir()}
    assert {file.name for file in before.keys() | after.keys() if before.get(file) != after.get(file)} == {path.name}

    # Whoever comes back goes on with the first question that is open.
    page.browser.get(f"{url}/review")
    page.wait(lambda: page.all("#asked") and page.id("asked").text == lines[3]["question"])
    assert "3 of" in page.id("progress").text
    last = page.all("#questions .open")[-1]
    last.click()
    page.wait(lambda: page.all("#answer.none"))
    assert "→" in page.id("changes").text
    assert page.script("return document.documentElement.scrollHeight") <= 900


def test_a_question_from_a_pdf_shows_its_page_with_the_box(page: Any, served: tuple[str, Path]) -> None:
    url, path = served
    page.browser.get(f"{url}/review")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    nth = next(n for n, line in enumerate(lines) if str(line["source"]).endswith(".pdf"))
    page.wait(lambda: len(page.all("#questions .open")) == len(lines))
    page.all("#questions .open")[nth].click()
    page.wait(lambda: page.script("const i = document.querySelector('#viewer img'); return i && i.naturalWidth > 100"))
    assert page.all("#viewer-body rect")[0].rect["width"] > 20


def test_thumbs_of_an_answer_and_a_citation_reach_the_server(page: Any, served: tuple[str, Path]) -> None:
    url, _ = served

    def kept() -> list[tuple[str, str, str]]:
        found = httpx.get(f"{url}/v1/feedback").json()["feedback"]
        return [(one["target"], one["rating"], one["comment"]) for one in found]

    page.open(url)
    page.ask(browser_test.NICKNAME)
    down, up = page.all(".feedback [data-part=down]")[0], page.all(".feedback [data-part=up]")[0]
    down.click()
    page.wait(lambda: kept() == [("answer", "down", "")])
    page.wait(lambda: page.all(".comment input"))
    page.all(".comment input")[0].send_keys("It was found in 2024", browser_test.Keys.ENTER)
    page.wait(lambda: kept() == [("answer", "down", "It was found in 2024")])
    up.click()
    page.wait(lambda: kept() == [("answer", "up", "It was found in 2024")])
    assert down.get_attribute("aria-pressed") == "false"
    page.all(".citations [data-part=up]")[0].click()
    page.wait(lambda: len(kept()) == 2 and kept()[1] == ("citation", "up", ""))
    up.click()
    page.wait(lambda: kept() == [("citation", "up", "")])
