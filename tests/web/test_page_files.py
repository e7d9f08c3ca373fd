"""The page is plain files that work offline under a strict policy: what can be seen without a browser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.page import page as sent_page
from api.service import open_service
from api.settings import load

WEB = Path(__file__).parents[2] / "api" / "web"
PAGES = {"index.html": "app.js", "review.html": "review.js"}
"""Each page with the script that it starts."""
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(WEB.glob("*.js"))}
CODE = {name: text for name, text in SCRIPTS.items() if name != "messages.js"}


def _reached(start: str) -> set[str]:
    """The script and all that it imports, directly or not."""
    found, waiting = {start}, [start]
    while waiting:
        for name in re.findall(r"from \"\./([\w.]+)\"", SCRIPTS[waiting.pop()]):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.parts: dict[str, set[str]] = {}
        self._template = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "template":
            self._template = given["id"]
        if "data-part" in given:
            self.parts.setdefault(self._template, set()).add(given["data-part"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._template = ""


@dataclass(frozen=True)
class _Whole:
    """A page as it is sent, its elements, and the scripts that run in it."""

    name: str
    html: str
    tags: list[tuple[str, dict[str, str]]]
    parts: dict[str, set[str]]
    code: dict[str, str]


def _read(name: str) -> _Whole:
    html = sent_page(name)
    parser = _Page()
    parser.feed(html)
    code = {script: CODE[script] for script in _reached(PAGES[name]) & set(CODE)}
    return _Whole(name, html, parser.tags, parser.parts, code)


@pytest.fixture(scope="module", params=sorted(PAGES))
def page(request: pytest.FixtureRequest) -> _Whole:
    return _read(request.param)


@pytest.fixture(scope="module")
def messages() -> dict[str, dict[str, str]]:
    text = SCRIPTS["messages.js"]
    found: dict[str, dict[str, str]] = json.loads(text[text.index("{\n") : text.rindex("}") + 1])
    return found


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in WEB.iterdir():
        text = path.read_text(encoding="utf-8")
        # The name of SVG's namespace is no address that anything is fetched from.
        urls = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w{2,}[^\s\"')]*", text)) - {"http://www.w3.org/2000/svg"}
        assert not {url for url in urls if not url.startswith("// ")}, path.name


def test_the_panel_of_sources_is_written_once(page: _Whole) -> None:
    assert [given["id"] for tag, given in page.tags if tag == "aside"].count("viewer") == 1
    assert page.html.count("</aside>") == (WEB / page.name).read_text(encoding="utf-8").count("</aside>") + 1
    assert "viewer.html" not in page.html


def test_every_file_that_the_page_names_is_there(page: _Whole) -> None:
    named = {given[a] for _, given in page.tags for a in ("src", "href") if given.get(a, "").startswith("static/")}
    assert {f"static/{PAGES[page.name]}", "static/style.css"} <= named
    assert all((WEB / name.removeprefix("static/")).is_file() for name in named)


def test_no_script_and_no_style_stands_in_the_page_itself(page: _Whole) -> None:
    for tag, given in page.tags:
        assert tag != "style"
        assert "style" not in given
        assert not [name for name in given if name.startswith("on")], given
        if tag == "script":
            assert given["src"]
    assert not re.search(r"<script[^>]*>\s*[^<\s]", page.html)


def test_text_never_becomes_markup() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|DOMParser|"
        r"createContextualFragment|setAttribute\(\s*[\"'`](?:on|style)"
    )
    assert not [(name, match.group()) for name, text in SCRIPTS.items() for match in forbidden.finditer(text)]


def test_ids_are_unique_and_each_one_that_the_script_uses_is_there(page: _Whole) -> None:
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    used = {name for text in page.code.values() for name in re.findall(r"(?:byId|copyOf)\(\"([\w-]+)\"\)", text)}
    assert len(used) > 40
    assert used <= set(ids)
    referred = {
        name
        for _, given in page.tags
        for attribute in ("for", "aria-labelledby", "aria-controls", "popovertarget")
        for name in given.get(attribute, "").split()
    }
    assert referred <= set(ids)


def test_each_part_that_the_script_uses_is_in_a_template(page: _Whole) -> None:
    parts = set().union(*page.parts.values())
    code = [text for name, text in page.code.items() if name != "dom.js"]  # its example is no use
    used = {name for text in code for name in re.findall(r"part\([\w.]+, \"([\w-]+)\"\)", text)}
    assert len(used) > 2
    assert used <= parts


def test_modules_import_what_others_export() -> None:
    for name, text in SCRIPTS.items():
        for names, module in re.findall(r"import \{([^}]*)\} from \"\./([\w.]+)\"", text):
            exported = set(re.findall(r"export (?:async )?(?:function\*? |const |class )(\w+)", SCRIPTS[module]))
            assert {n.strip() for n in names.split(",") if n.strip()} <= exported, (name, module)
        for alias, module in re.findall(r"import \* as (\w+) from \"\./([\w.]+)\"", text):
            exported = set(re.findall(r"export (?:async )?(?:function\*? |const |class )(\w+)", SCRIPTS[module]))
            assert set(re.findall(rf"(?<![./\w]){alias}\.(\w+)", text)) <= exported, (name, module)


def test_both_languages_say_the_same(messages: dict[str, dict[str, str]]) -> None:
    english, chinese = messages["en"], messages["zh"]
    assert {key for key in english if not key.endswith(".one")} == set(chinese)
    for key, text in chinese.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[key])), key
    # Chinese shown to somebody who cannot read it would be found out late.
    assert not [key for key, text in english.items() if key != "language.other" and re.search(r"[\u3400-\u9fff]", text)]


def test_every_text_that_is_asked_for_exists_and_every_text_is_asked_for(messages: dict[str, dict[str, str]]) -> None:
    keys = {key.removesuffix(".one") for key in messages["en"]}
    literal = {key for text in CODE.values() for key in re.findall(r"\"([a-z]+(?:\.[a-z_]+)+)\"", text)}
    sent = "".join(_read(name).html for name in PAGES)
    in_page = set(re.findall(r"data-text=\"([\w.]+)\"", sent)) | set(re.findall(r"\[\"([\w.]+)\"\]", sent))
    families = {prefix for text in CODE.values() for prefix in re.findall(r"`([a-z]+\.(?:[a-z_]+\.)*)\$\{", text)}
    asked = {key for key in literal if key.split(".")[0] in {known.split(".")[0] for known in keys}} | in_page
    assert asked <= keys
    assert not {key for key in keys - asked if not any(key.startswith(prefix) for prefix in families)} - {
        # made of another key: `${verdict}.title`
        "citation.verified.title",
        "citation.unverified.title",
    }


def test_the_server_sends_the_page_with_a_policy_that_forbids_inline_code(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        {"encoder": {"kind": "hashing"}, "generator": {"kind": "extractive"}, "pictures": {"describer": "none"}},
    )
    with open_service(settings) as service:
        client = TestClient(create_app(service))
        for address, name in (("/", "index.html"), ("/review", "review.html")):
            answer = client.get(address)
            assert answer.status_code == 200
            assert answer.text == _read(name).html
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        kinds = {".js": "javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        for path in WEB.iterdir():
            if path.suffix in kinds:
                sent = client.get(f"/static/{path.name}")
                assert sent.status_code == 200, path.name
                assert kinds[path.suffix] in sent.headers["content-type"]
