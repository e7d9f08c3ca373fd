"""What the corpus says about Tuwen agrees with the code: sizes, limits, settings."""

from __future__ import annotations

import re
import tomllib

import pytest
from example_sources import CORPUS, pages_of
from lxml import html

from api.settings import Settings
from ingest.protocols import Limits

MANIFEST = CORPUS.parents[1] / "rag" / "weights" / "manifest.toml"
PAGES = {path.name: pages_of(f"tuwen/{path.name}")[None] for path in (CORPUS / "tuwen").iterdir()}


def test_the_models_page_gives_the_sizes_and_licences_of_the_manifest() -> None:
    page = html.fromstring((CORPUS / "tuwen/models-and-profiles.html").read_bytes())
    rows = {row[1].text_content().split(",")[0].casefold(): row for row in page.xpath("//tbody/tr")}
    for model in tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["model"]:
        if model["profile"] != "embedded":
            continue
        row = next(row for name, row in rows.items() if model["name"].startswith(name))
        size = sum(file["size"] for file in model["file"])
        wanted = f"{size / 1e9:.2f} GB" if size > 1e9 else f"{size / 1e6:.0f} MB"
        assert row[2].text_content() == wanted
        assert row[3].text_content() == model["licence"]


def test_the_limits_page_gives_the_defaults() -> None:
    limits, page = Limits(), PAGES["文件是怎样读入的.md"]
    for cell in (
        f"{limits.bytes // 1_000_000} MB",
        f"{limits.pages:,} 页",
        f"{limits.pixels // 100_000_000} 亿像素",
        f"{limits.seconds:.0f} 秒",
        f"{limits.unpacked_bytes // 1_000_000_000} GB",
    ):
        assert f"| {cell} |" in page


def test_the_defaults_named_are_the_defaults() -> None:
    settings = Settings.model_construct()
    assert f"http://{settings.http.host}:{settings.http.port}>" in PAGES["quick-start.md"]
    assert f"`./{settings.data}`" in PAGES["quick-start.md"]
    assert f"1 / ({settings.retrieval.rrf_k:.0f} + *r*)" in PAGES["how-an-answer-is-made.md"]
    assert f"默认是 `{settings.generator.kind}`" in PAGES["快速入门.md"]
    assert f"called {settings.profile}" in PAGES["models-and-profiles.html"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_variable_named_is_a_setting(name: str) -> None:
    for variable in re.findall(r"TUWEN_([A-Z_]+)", PAGES[name]):
        section, _, field = variable.lower().partition("__")
        assert section in Settings.model_fields
        if field:
            assert hasattr(getattr(Settings.model_construct(), section), field)
