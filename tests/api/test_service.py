"""The service over a change of models: nothing is mixed silently, a rebuild mends it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from api import wiring
from api.service import open_service
from api.settings import load
from ingest.files import find
from rag.answers import EVERYTHING, Query
from rag.errors import BadSetting, DirectoryOwned, SpaceMismatch
from rag.fake_images import FakeImageEncoder
from rag.fakes import HashingTextEncoder
from tests.support.light import LIGHT


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("red", "green", "blue"):
        Image.new("RGB", (80, 60), name).save(folder / f"{name}.png")
    return folder


def test_pixels_are_searched_beside_words(tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "image_encoder", lambda _: FakeImageEncoder())
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        service.ingest(find([pictures]))
        hit = service.search(Query("something green", top_k=1), access=EVERYTHING).hits[0]
        assert hit.document.name == "green.png"
        assert "pixels" in hit.ranks
        assert service.verify() == []


def test_a_new_image_encoder_asks_for_a_rebuild(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        service.ingest(find([pictures]))
    monkeypatch.setattr(wiring, "image_encoder", lambda _: FakeImageEncoder())
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        with pytest.raises(SpaceMismatch, match="None of the 3 pictures"):
            service.search(Query("green"), access=EVERYTHING)
        service.rebuild()
        assert service.search(Query("blue", top_k=1), access=EVERYTHING).hits[0].document.name == "blue.png"


def test_a_new_text_encoder_asks_for_a_rebuild(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        service.ingest(find([folder]))
    monkeypatch.setitem(wiring.TEXT_ENCODERS, "hashing", lambda _: HashingTextEncoder(dimension=128))
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        with pytest.raises(SpaceMismatch, match=r"embedded by another model.*doctor --rebuild"):
            service.search(Query("bamboo"), access=EVERYTHING)
        service.rebuild()
        assert service.search(Query("bamboo", top_k=1), access=EVERYTHING).hits[0].document.name == "pandas.md"
        assert service.verify() == []


def test_a_damaged_index_is_made_anew_from_the_library(tmp_path: Path, folder: Path) -> None:
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        service.ingest(find([folder]))
    database = tmp_path / "data" / "index" / "chroma.sqlite3"
    database.write_bytes(b"damaged" * 1000)
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        assert service.search(Query("bamboo", top_k=1), access=EVERYTHING).hits[0].document.name == "pandas.md"
        assert service.verify() == []


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    with (
        open_service(load(tmp_path / "data", LIGHT), "the first"),
        pytest.raises(DirectoryOwned, match=r"owned by process \d+ \(`the first`"),
    ):
        open_service(load(tmp_path / "data", LIGHT))
    open_service(load(tmp_path / "data", LIGHT)).close()


def test_a_chunk_cannot_be_longer_than_the_encoder_reads(tmp_path: Path, folder: Path) -> None:
    settings = load(tmp_path / "data", LIGHT | {"ingest": {"chunk_tokens": 5000}})
    with open_service(settings) as service, pytest.raises(BadSetting, match=r"ingest\.chunk_tokens.*512"):
        service.ingest(find([folder]))


def test_deleting_leaves_nothing_on_disk(tmp_path: Path, folder: Path) -> None:
    with open_service(load(tmp_path / "data", LIGHT)) as service:
        service.ingest(find([folder]))
        for stored in service.documents():
            service.delete(stored.document.id)
        assert list(service.library.blobs.all()) == []
        assert service.examine() == []
        count: Callable[[str], int] = lambda table: (  # noqa: E731
            service.library.database.reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        )
        assert {table: count(table) for table in ("chunks", "embeddings", "lexemes", "elements", "outbox")} == {
            "chunks": 0, "embeddings": 0, "lexemes": 0, "elements": 0, "outbox": 0,
        }  # fmt: skip
