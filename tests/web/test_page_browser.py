"""The page in a real browser against a real server: asked, streamed, cited, looked at, uploaded, deleted.

The server runs without weights (hashed words, extractive answers), so that only the page is on trial.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("selenium", reason="needs selenium")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "examples" / "corpus"
WITHOUT_WEIGHTS = {
    "TUWEN_ENCODER__KIND": "hashing",
    "TUWEN_GENERATOR__KIND": "extractive",
    "TUWEN_PICTURES__DESCRIBER": "none",
    "TUWEN_PICTURES__OCR": "false",
}
NICKNAME = "What nickname did the asteroid found on 14 October get?"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """The URL of `tuwen serve`, once it is ready."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tuwen.py"), "serve", "--host", "127.0.0.1", "--port", "0", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            url = json.loads(process.stdout.readline())["url"]
            _wait_until_ready(url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `tuwen serve` with two documents."""
    environment = {**os.environ, **WITHOUT_WEIGHTS, "TUWEN_DATA": str(tmp_path_factory.mktemp("data"))}
    files = [str(CORPUS / "observatory" / "annual-report-2025.pdf"), str(CORPUS / "tuwen" / "quick-start.md")]
    tuwen = [sys.executable, str(ROOT / "tuwen.py")]
    subprocess.run([*tuwen, "ingest", *files], env=environment, check=True, timeout=120, capture_output=True)
    with serving(environment) as url:
        yield url


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False  # the address is announced just before the server accepts connections


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while not _is_ready(url):
        assert time.monotonic() < deadline, "the server did not become ready"
        time.sleep(0.2)


@contextmanager
def browsing(
    profile: Path, language: str = "en-US", width: int = 1400, height: int = 900
) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync", f"user-data-dir={profile}", f"lang={language}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield browser
        # A violation of the policy, a missing file and a script error are all logged as severe.
        assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    finally:
        browser.quit()


class Page:
    """What a person does with the page."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def wait(self, condition: Callable[[], Any], seconds: float = 30) -> Any:
        return WebDriverWait(self.browser, seconds, poll_frequency=0.1).until(lambda _: condition())

    def id(self, name: str) -> WebElement:
        return self.browser.find_element(By.ID, name)

    def all(self, selector: str) -> list[WebElement]:
        return [e for e in self.browser.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()]

    def open(self, url: str) -> None:
        self.browser.get(url)
        self.wait(lambda: self.all("#welcome h1"))

    def ask(self, question: str) -> WebElement:
        before = len(self.all(".turn"))
        self.id("question").send_keys(question, Keys.ENTER)
        self.wait(lambda: len(self.all(".turn")) > before and self.all("#send") and not self.all(".turn .busy"))
        return self.all(".turn")[-1]

    def script(self, code: str, *arguments: Any) -> Any:
        return self.browser.execute_script(code, *arguments)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browsing(tmp_path / "profile") as browser:
        yield Page(browser)


def test_a_hit_says_how_it_was_found(page: Page, server: str) -> None:
    page.open(server)
    page.id("question").send_keys(NICKNAME)
    page.id("find").click()
    turn = page.wait(lambda: page.all(".turn .hits li") and page.all(".turn")[-1])
    first = turn.find_elements(By.CSS_SELECTOR, ".hits > li")[0]
    summary = first.find_element(By.CSS_SELECTOR, ".why summary")
    assert not first.find_element(By.CSS_SELECTOR, ".why-table").is_displayed()
    # With the keyboard alone: from the card to what says how it was found, and open.
    page.script("arguments[0].focus()", first.find_element(By.CSS_SELECTOR, ".card"))
    page.browser.switch_to.active_element.send_keys(Keys.TAB)
    assert page.browser.switch_to.active_element == summary
    summary.send_keys(Keys.ENTER)
    rows = [
        [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
        for row in first.find_elements(By.CSS_SELECTOR, ".why-table tbody tr")
    ]
    steps = {row[0]: row[1:] for row in rows}
    assert list(steps)[-1] == "all together"
    assert {"meaning", "words"} <= steps.keys()
    assert steps["all together"][0].startswith("1 of ")
    assert float(steps["words"][1]) > 0
    page.id("language").click()
    assert summary.text == "检索过程"


def test_a_citation_of_a_streamed_answer_opens_the_page_with_its_box(page: Page, server: str) -> None:
    page.open(server)
    # Every state of the answer on the way, as a person would see it grow.
    page.script(
        "window.seen = []; new MutationObserver(() => { const a = document.querySelector('.turn .answer');"
        "a && window.seen.push(a.textContent.length); }).observe(document.getElementById('turns'),"
        "{ childList: true, subtree: true, characterData: true });"
    )
    turn = page.ask(NICKNAME)
    assert "Teacup" in turn.find_element(By.CSS_SELECTOR, ".answer").text
    lengths = sorted({length for length in page.script("return window.seen") if length})
    assert lengths, "the answer was never drawn"

    marker = page.all(".turn button.marker")[0]
    marker.click()
    page.wait(lambda: page.script("const i = document.querySelector('#viewer img'); return i && i.naturalWidth > 100"))
    assert page.id("viewer-name").text.endswith("annual-report-2025.pdf")
    assert "Teacup" in page.id("viewer-quote").text
    shown, box = page.all("#viewer-body img")[0].rect, page.all("#viewer-body rect")[0].rect
    assert box["width"] > 50
    assert box["height"] > 10
    for side, length in (("x", "width"), ("y", "height")):
        assert shown[side] - 1 <= box[side]
        assert box[side] + box[length] <= shown[side] + shown[length] + 1

    page.id("viewer-as-text").click()
    page.wait(lambda: page.all("#viewer-body .cited mark"))
    assert "Teacup" in page.all("#viewer-body .cited mark")[0].text
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait(lambda: not page.id("viewer").is_displayed())
    assert page.browser.switch_to.active_element == marker


def test_a_document_without_pages_opens_as_text_with_the_quote_marked(page: Page, server: str) -> None:
    page.open(server)
    page.ask("Which environment variable names the data directory?")
    mine = [card for card in page.all(".citations .card") if "quick-start.md" in card.text]
    mine[0].click()
    mark = page.wait(lambda: page.all("#viewer-body mark, #viewer-body .marked"))
    assert len(mark[0].text) > 10
    assert mark[0].text in page.id("viewer-quote").text
    assert not page.all("#viewer-paging, #viewer-zooming")


def test_an_abstained_answer_looks_different_and_shows_what_was_nearest(page: Page, server: str) -> None:
    page.open(server)
    turn = page.ask("Who won the football world cup in 1954?")
    assert "abstained" in str(turn.get_attribute("class"))
    assert turn.find_element(By.CSS_SELECTOR, ".verdict").is_displayed()
    assert not page.all(".turn button.marker")


def test_earlier_turns_go_along_with_a_question(page: Page, server: str) -> None:
    page.open(server)
    page.script(
        "window.sent = []; const real = window.fetch; window.fetch = (path, options) => {"
        "if (String(path).includes('query')) window.sent.push(JSON.parse(options.body)); return real(path, options); };"
    )
    page.ask(NICKNAME)
    page.ask("Who gave it?")
    first, second = page.script("return window.sent")
    assert first["conversation_id"] == second["conversation_id"]
    kept = httpx.get(f"{server}/v1/conversations/{first['conversation_id']}").json()["turns"]
    assert [turn["question"] for turn in kept] == [NICKNAME, "Who gave it?"]
    assert kept[1]["searched"] != "Who gave it?", "it was read with the question before it"
    page.id("new").click()
    page.ask(NICKNAME)
    assert page.script("return window.sent.at(-1).conversation_id") != first["conversation_id"]


def test_upload_look_and_delete(page: Page, server: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "字条.md", tmp_path / "broken.pdf"
    good.write_text("# A note\n\nThe <b>kettle</b> is in the cellar.\n", encoding="utf-8")
    bad.write_bytes(b"%PDF-1.7\nnothing that could be read")
    page.open(f"{server}/?collection=uploads")
    assert "uploads" in page.id("welcome").text
    page.id("chooser").send_keys(f"{good}\n{bad}")

    def state(name: str) -> str:
        return str(page.script(f"return document.querySelector('.file[data-name=\"{name}\"]')?.dataset.status ?? ''"))

    page.wait(lambda: state(good.name) == "published" and state(bad.name) == "failed", 60)
    problem = page.all(".file .problem")[0]
    assert "broken.pdf" in problem.text
    assert len(problem.find_elements(By.TAG_NAME, "p")[1].text) > 10, "a failure comes with a remedy"

    page.all(f'.file[data-name="{good.name}"] .open')[0].click()
    page.wait(lambda: page.all("#viewer-body .passage"))
    # Markup of a document is shown as it is written, or as its text: never as elements of this page.
    assert "kettle" in page.id("viewer-body").text
    assert page.script("return document.querySelectorAll('#viewer-body b').length") == 0

    page.script(f"document.querySelector('.file[data-name=\"{good.name}\"] [data-part=delete]').click()")
    assert good.name in page.id("delete-text").text
    page.id("delete-no").click()
    assert state(good.name) == "published"
    page.script(f"document.querySelector('.file[data-name=\"{good.name}\"] [data-part=delete]').click()")
    page.id("delete-yes").click()
    page.wait(lambda: state(good.name) == "")
    page.wait(lambda: not page.id("viewer").is_displayed())


def test_an_uploaded_pdf_is_shown_as_a_page(page: Page, server: str) -> None:
    page.open(f"{server}/?collection=reports")
    page.id("chooser").send_keys(str(CORPUS / "observatory" / "annual-report-2025.pdf"))
    row = page.wait(lambda: page.all('.file[data-status="published"], .file[data-status="failed"]'), 60)[0]
    assert row.get_attribute("data-status") == "published", row.text
    page.all(".file .open")[0].click()
    page.wait(lambda: page.script("const i = document.querySelector('#viewer img'); return i && i.naturalWidth > 100"))


def test_a_failed_file_can_be_taken_off_the_list(page: Page, server: str, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing that could be read")
    page.open(f"{server}/?collection=failures")
    page.id("chooser").send_keys(str(tmp_path / "broken.pdf"))
    page.wait(lambda: page.all('.file[data-status="failed"]'), 60)
    page.script("document.querySelector('.file [data-part=delete]').click()")
    page.id("delete-yes").click()
    page.wait(lambda: not page.all("dialog[open]"))
    page.wait(lambda: not page.all(".file"), 10)


def test_in_chinese_an_empty_collection_says_what_to_do(server: str, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile", "zh-CN") as browser:
        page = Page(browser)
        page.open(f"{server}/?collection=empty")
        assert page.script("return document.documentElement.lang") == "zh-CN"
        assert "tuwen ingest" in page.id("welcome").text
        assert "还没有" in page.id("welcome").text
        page.id("language").click()
        assert "nothing to ask yet" in page.id("welcome").text
        assert page.id("send").text == "Ask"


def test_on_a_telephone_the_source_covers_the_page_and_nothing_is_cut_off(server: str, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile", width=390, height=800) as browser:
        page = Page(browser)
        page.open(server)
        page.ask(NICKNAME)
        page.all(".turn button.marker")[0].click()
        page.wait(lambda: page.all("#viewer-body rect"))
        assert page.id("viewer").rect["width"] == 390
        assert page.script("return document.getElementById('talk').inert")
        assert page.script("return document.documentElement.scrollWidth") <= 390
        page.id("viewer-close").click()
        assert not page.script("return document.getElementById('talk').inert")


def test_the_active_models_are_named(page: Page, server: str) -> None:
    page.open(server)
    page.wait(lambda: page.all("#models-dot.ready"))
    page.id("models-button").click()
    time.sleep(0.2)
    said = page.id("models-list").text
    assert "hashing" in said
    assert "extractive" in said
    assert "CLIP" not in said


# --- stored conversations ----------------------------------------------------------------------------------------------

TELESCOPE = "How many visitors came to the observatory in 2025?"


def _texts(page: Page, selector: str) -> list[str]:
    """Read in one go: the page draws lists anew."""
    found = f"[...document.querySelectorAll({json.dumps(selector)})].filter(e => e.checkVisibility())"
    return [str(text) for text in page.script(f"return {found}.map(e => e.textContent.trim())")]


def _click(page: Page, selector: str, nth: int = 0) -> None:
    page.wait(lambda: len(_texts(page, selector)) > nth)
    page.script(f"document.querySelectorAll({json.dumps(selector)})[{nth}].click()")


def _questions(page: Page) -> list[str]:
    return _texts(page, ".turn [data-part='question']")


def _talks(page: Page) -> list[str]:
    return _texts(page, "#talks .talk [data-part='name']")


def test_a_conversation_is_kept_listed_and_opened_again(page: Page, server: str) -> None:
    page.open(server)
    page.ask(NICKNAME)
    page.wait(lambda: NICKNAME in _talks(page)[:1])
    assert "conversation=" in page.browser.current_url
    page.browser.refresh()
    page.wait(lambda: page.all(".turn [data-part='citations'] li"))
    assert _questions(page) == [NICKNAME]
    _click(page, "#new")
    assert page.all(".turn") == []
    assert "conversation=" not in page.browser.current_url
    page.ask(TELESCOPE)
    page.wait(lambda: _talks(page)[:2] == [TELESCOPE, NICKNAME])
    _click(page, "#talks .talk .open", 1)
    page.wait(lambda: _questions(page) == [NICKNAME])
    # A citation of the stored answer opens its page.
    _click(page, ".turn [data-part='citations'] .card")
    page.wait(lambda: page.all("#viewer svg rect"))


def test_a_turn_is_edited_asked_again_and_both_versions_stay(page: Page, server: str) -> None:
    page.open(server)
    page.ask(NICKNAME)
    _click(page, ".turn [data-part='edit']")
    field = page.all(".turn [data-part='edited']")[0]
    field.clear()
    field.send_keys(TELESCOPE)
    _click(page, ".turn [data-part='editing'] .primary")
    page.wait(lambda: _texts(page, "[data-part='version']") == ["2 / 2"])
    assert _questions(page) == [TELESCOPE]
    _click(page, "[data-part='older']")
    page.wait(lambda: _questions(page) == [NICKNAME])
    assert _texts(page, "[data-part='version']") == ["1 / 2"]
    _click(page, ".turn [data-part='again']")
    page.wait(lambda: _texts(page, "[data-part='version']") == ["3 / 3"])


def test_a_conversation_is_renamed_exported_and_deleted(page: Page, server: str) -> None:
    page.open(server)
    page.ask(NICKNAME)
    _click(page, "#talks .shown [data-part='rename']")
    field = page.all("#talks .shown [data-part='title']")[0]
    field.clear()
    field.send_keys("小行星", Keys.ENTER)
    page.wait(lambda: _talks(page)[:1] == ["小行星"])
    href = str(page.all("#talks .shown [data-part='markdown']")[0].get_attribute("href"))
    assert httpx.get(href).text.startswith("# 小行星\n")
    count = len(_talks(page))
    _click(page, "#talks .shown [data-part='delete']")
    page.wait(lambda: page.all("#forget-yes"))
    assert "小行星" in page.id("forget-text").text
    page.id("forget-yes").click()
    page.wait(lambda: len(_talks(page)) == count - 1)
    assert page.all(".turn") == []


def test_a_conversation_is_about_chosen_documents(page: Page, server: str) -> None:
    page.open(server)
    page.id("scope").click()
    page.wait(lambda: page.all("#scoping-files label"))
    next(label for label in page.all("#scoping-files label") if "quick-start" in label.text).click()
    page.all("#scoping .primary")[0].click()
    page.wait(lambda: page.id("scope").text == "Asks one document")
    page.ask(NICKNAME)
    talk = page.browser.current_url.split("conversation=")[1].split("&")[0]
    kept = httpx.get(f"{server}/v1/conversations/{talk}").json()
    assert {hit["document"]["name"] for hit in kept["turns"][0]["context"]} == {"quick-start.md"}
    page.browser.refresh()
    page.wait(lambda: page.all(".turn") and page.id("scope").text == "Asks one document")
