"""The examples of docs/plugins.md, run as they stand: only the address of the server is another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.client import HttpClient, LocalClient
from api.service import open_service
from api.settings import load
from ingest.files import find
from tests.support.light import LIGHT, LIGHT_ENVIRONMENT
from tests.support.plugin_clients import served

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n+```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEYS = set(
    re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", PAGE.partition("## What is found")[2], re.MULTILINE)))
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example corpus in `.tuwen`."""
    folder = tmp_path_factory.mktemp("docs")
    with open_service(load(folder / ".tuwen", LIGHT), "a test") as service:
        corpus = ROOT / "examples" / "corpus"
        service.ingest(
            file for file in find([corpus]) if file.path.suffix in (".pdf", ".md") and "scan" not in file.name
        )
    return folder


def test_both_frameworks_are_shown() -> None:
    assert [("langchain" in code, "llamaindex" in code) for code, _ in EXAMPLES] == [(True, False), (False, True)]


@pytest.mark.parametrize(("code", "shown"), EXAMPLES, ids=["langchain", "llamaindex"])
def test_an_example_prints_what_the_page_shows(
    code: str, shown: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("langchain_core.retrievers" if "langchain" in code else "llama_index.core")
    monkeypatch.chdir(place)
    for name, value in LIGHT_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    if "http://127.0.0.1:8080" in code:
        with open_service(load(place / ".tuwen"), "a test") as service, served(service) as url:
            exec(code.replace("http://127.0.0.1:8080", url), {})
    else:
        exec(code, {})
    printed, expected = capsys.readouterr().out.splitlines(), shown.splitlines()
    assert len(printed) == len(expected)
    # The encoder that needs no weights finds other passages than the one that the page was written with: form is compared, not place.
    for line in [*printed, *expected]:
        name, page, rest = line.split(" ", 2)
        assert (ROOT / "examples" / "corpus" / name).is_file()
        assert page == "None" or int(page) > 0
        assert rest.startswith("[") if "boxes" in code else rest in ("TextNode", "ImageNode")


def test_every_key_that_is_documented_is_there(place: Path) -> None:
    from api.plugins.finding import metadata, search

    with open_service(load(place / ".tuwen", LIGHT), "a test") as service:
        client = LocalClient(service)
        hit = search(client, "asteroid nickname", collection="default", top_k=1)[0]
        remote = HttpClient("http://127.0.0.1:1")
        assert metadata(hit | {"kind": "image"}, remote, "default").keys() == KEYS
        remote.close()
