"""A service that needs no weights: hashing encoder, extractive generator, real parsers, real stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.service import Service, open_service
from api.settings import load
from tests.support.light import LIGHT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    (made / "pandas.md").write_text(
        "# Pandas\n\nA giant panda eats about 38 kilograms of bamboo a day. It lives in Sichuan.\n\n"
        "## Cubs\n\nA newborn cub weighs 100 grams.\n",
        encoding="utf-8",
    )
    (made / "tea.md").write_text("# 茶园\n\n这座茶园建于1952年，每年生产二十吨绿茶。\n", encoding="utf-8")
    (made / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really\n")
    return made


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with open_service(load(tmp_path / "data", LIGHT), "a test") as made:
        yield made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Service]:
    """A service with the files ingested. Read only."""
    from ingest.files import find

    with open_service(load(tmp_path_factory.mktemp("data"), LIGHT), "a test") as made:
        made.ingest(find([folder]))
        yield made
