"""Settings of a sweep: named, checked, changed and put to use; an index is shared by all that it does not depend on."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings, load
from eval.runner import LocalWorkshop, changed, index_key, use_settings, value_of
from rag.errors import BadRequest
from tests.support.light import LIGHT


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    return load(tmp_path / "own", LIGHT)


def test_settings_are_changed_by_name(base: Settings) -> None:
    new = changed(base, {"retrieval.rrf_k": 5, "retrieval.weights.dense": 2, "retrieval.retrievers": ["lexical"]})
    assert (new.retrieval.rrf_k, new.retrieval.weights, new.retrieval.retrievers) == (5, {"dense": 2}, ("lexical",))
    assert new.ingest == base.ingest
    assert value_of(new, "retrieval.retrievers") == ["lexical"]
    assert value_of(base, "retrieval.weights.dense") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retrieval.rrfk": 5}, r"`retrieval\.rrfk`"),
        ({"rrf_k": 5}, "`rrf_k`"),
        ({"retrieval": 5}, "`retrieval`"),
        ({"retrieval.rrf_k.more": 5}, r"`retrieval\.rrf_k\.more`"),
        ({"models.dir": "/"}, r"`models\.dir`"),
        ({"retrieval.rrf_k": "many"}, r"`retrieval\.rrf_k` .*'many'"),
        ({"retrieval.weights.colour": 1}, r"retrieval\.weights\.colour"),
        ({"ingest.strategy": "magic"}, r"`ingest\.strategy` .*'magic'"),
        ({"ingest.chunk_tokens": 3}, r"`ingest\.chunk_tokens` .*3"),
    ],
)
def test_a_wrong_setting_is_named(base: Settings, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        changed(base, changes)


def test_an_index_depends_on_what_is_in_it_only(base: Settings) -> None:
    def key(**changes: Any) -> str:
        return index_key(changed(base, {name.replace("__", "."): value for name, value in changes.items()}), "corpus")

    same = key()
    assert key(retrieval__rrf_k=5) == key(generator__passages=2) == key(answer__abstain=False) == same
    assert key(encoder__threads=3) == key(ingest__workers=4) == key(ingest__worker_memory=10) == same
    different = {
        key(ingest__chunk_tokens=128),
        key(ingest__chunk_overlap=20),
        key(ingest__strategy="page"),
        key(ingest__limits__pages=3),
        key(pictures__ocr=True),
        key(encoder__kind="onnx"),
        index_key(base, "another corpus"),
    }
    assert len(different | {same}) == 8
    # Pages know no overlap: one index for all.
    assert key(ingest__strategy="page", ingest__chunk_overlap=20) == key(ingest__strategy="page")


def test_the_workshop_says_what_stands_now(base: Settings, tmp_path: Path) -> None:
    shop = LocalWorkshop(base, tmp_path, "corpus")
    assert shop.values(["retrieval.rrf_k", "ingest.chunk_tokens"], {"retrieval.rrf_k": 7}) == {
        "retrieval.rrf_k": 7,
        "ingest.chunk_tokens": base.ingest.chunk_tokens,
    }
    assert "data" not in shop.describe({})["settings"]
    assert not tmp_path.joinpath("indexes").exists()


def test_use_writes_only_what_differs(base: Settings) -> None:
    base.data.mkdir()
    file = base.data / "tuwen.toml"
    file.write_text("# by hand\n[retrieval]\nweights = {lexical = 0.5}\ndepth = 80\n", encoding="utf-8")
    settings = load(base.data, LIGHT)
    used = use_settings(settings, {"retrieval.rrf_k": 60, "retrieval.weights.dense": 2, "retrieval.depth": 40})
    assert used == {
        "file": str(file),
        "settings": {"retrieval.weights.dense": 2, "retrieval.depth": 40},
        "ingest_again": False,
    }
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    assert written == {"retrieval": {"weights": {"lexical": 0.5, "dense": 2}, "depth": 40}}
    assert "# by hand" in file.read_text(encoding="utf-8")
    again = use_settings(settings, {"ingest.chunk_tokens": 128})
    assert again["ingest_again"]
    assert load(base.data).ingest.chunk_tokens == 128
    assert use_settings(load(base.data), {"ingest.chunk_tokens": 128})["settings"] == {}
