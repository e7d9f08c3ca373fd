"""The report in a real browser: offline, paged by keys, filtered, narrow, dark and on paper."""

from __future__ import annotations

import base64
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="needs selenium")

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from eval.report.html import html
from eval.report.report import figures
from tests.eval.test_report_html import hostile_run, page_png
from tests.support.run_folders import lost, record, unanswerable, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    records = [
        *(record(n) for n in range(4)),
        *(lost(n) for n in (11, 12)),
        lost(13, "fused away", question="2025 年春茶是哪一天开采的？"),
        unanswerable(14, abstained=False),
        unanswerable(15, abstained=True),
    ]
    base = write_run(folder / "base", [lost(n) for n in range(4)])
    numbers = figures(write_run(folder / "run", records), against=base)
    page = folder / "report.html"
    page.write_text(html(numbers, page_image=lambda name, number: page_png()), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync", "hide-scrollbars", f"user-data-dir={profile}"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER)) as opened:
        yield opened


def show(browser: webdriver.Chrome, page: Path, width: int = 1280, mark: str = "") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri() + mark)


def requested(browser: webdriver.Chrome) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith("data:")]


def visible(browser: webdriver.Chrome) -> list[str]:
    return [
        one.get_attribute("id") or "" for one in browser.find_elements(By.CSS_SELECTOR, ".case") if one.is_displayed()
    ]


def press(browser: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def test_offline_and_without_complaints(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    assert requested(browser) == [report.as_uri()]
    assert browser.get_log("browser") == []
    assert browser.find_element(By.CSS_SELECTOR, "body").value_of_css_property("max-width") != "none"


def test_keys_turn_the_failures(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    assert visible(browser) == ["case-1"]
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert visible(browser) == ["case-3"]
    assert browser.find_element(By.ID, "place").text == "3 of 4"
    assert browser.current_url.endswith("#case-3")
    press(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert visible(browser) == ["case-3"]
    # The address leads back to it.
    show(browser, report, mark="#case-2")
    assert visible(browser) == ["case-2"]


def test_filters(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    Select(browser.find_element(By.ID, "by-class")).select_by_value("fused away")
    assert browser.find_element(By.ID, "place").text == "1 of 1"
    (shown,) = visible(browser)
    assert "春茶" in browser.find_element(By.ID, shown).text
    Select(browser.find_element(By.ID, "by-kind")).select_by_value("unanswerable")
    assert visible(browser) == []
    assert "none" in browser.find_element(By.ID, "place").text


def test_pages_are_shown_and_enlarged(browser: webdriver.Chrome, report: Path) -> None:
    show(browser, report)
    page = browser.find_element(By.CSS_SELECTOR, "#case-1 svg.page")
    small = page.size["width"]
    assert small > 200
    browser.find_element(By.CSS_SELECTOR, "#case-1 .enlarge").click()
    assert page.size["width"] > 2 * small


@pytest.mark.parametrize("width", [1280, 800, 390, 320])
def test_no_width_needs_scrolling_sideways(browser: webdriver.Chrome, report: Path, width: int) -> None:
    show(browser, report, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def colours(browser: webdriver.Chrome, scheme: str) -> dict[str, tuple[float, ...]]:
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    script = """
      const of = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
      return {paper: of("body", "backgroundColor"), ink: of("body", "color"), muted: of(".byline", "color"),
              link: of("a", "color"), plot: of(".plot .f-c1", "fill"), axis: of(".plot .f-ink", "fill"),
              badge: of(".badge", "backgroundColor")}"""
    found: dict[str, str] = browser.execute_script(script)
    return {name: tuple(float(part) for part in value[4:-1].split(",")) for name, value in found.items()}


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """WCAG 2.2, "contrast ratio"."""

    def light(colour: tuple[float, ...]) -> float:
        linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: webdriver.Chrome, report: Path, scheme: str) -> None:
    show(browser, report)
    found = colours(browser, scheme)
    paper = found.pop("paper")
    assert (sum(paper) > 600) == (scheme == "light")
    for name, colour in found.items():
        assert contrast(colour, paper) >= 4.5, name


def test_on_paper_all_failures_are_there(browser: webdriver.Chrome, report: Path, tmp_path: Path) -> None:
    import pypdfium2

    show(browser, report)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False})
    pdf = pypdfium2.PdfDocument(base64.b64decode(printed["data"]))
    text = " ".join(page.get_textpage().get_text_range() for page in pdf)
    for question in ("Question 11?", "Question 12?", "2025 年春茶是哪一天开采的？", "Question 14?"):
        assert question in text
    # What is folded on the screen is open on paper, too: the questions that got better.
    assert "Question 0?" in text
    assert "Arrow keys" not in text
    assert len(pdf) < 15
    pdf.close()


def test_a_hostile_report_runs_nothing(browser: webdriver.Chrome, tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    page.write_text(html(figures(hostile_run(tmp_path / "run"))), encoding="utf-8")
    show(browser, page)
    # An alert would make this raise.
    assert browser.find_elements(By.CSS_SELECTOR, ".case")
    assert requested(browser) == [page.as_uri()]
    assert browser.get_log("browser") == []


def test_the_policy_stops_what_an_escape_would_let_through(
    browser: webdriver.Chrome, report: Path, tmp_path: Path
) -> None:
    """The second line of defence, with the first one taken away: markup put into a finished report by hand."""
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = f"http://127.0.0.1:{server.server_port}"
        planted = (
            f'<main id="main"><script>document.title="run"</script><img src="{there}/a" onerror="document.title=1">'
            f'<link rel="stylesheet" href="{there}/b"><iframe src="{there}/c"></iframe><p style="color:red" id="p">x</p>'
        )
        page = tmp_path / "planted.html"
        page.write_text(report.read_text(encoding="utf-8").replace('<main id="main">', planted), encoding="utf-8")
        show(browser, page)
        assert "Tuwen evaluation report" in browser.title
        assert browser.find_element(By.ID, "p").value_of_css_property("color") != "rgba(255, 0, 0, 1)"
        server.shutdown()
    assert asked == []
