"""Sets of ir_datasets, over sets registered here with files of this machine; nothing is fetched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eval.datasets.corpus import TextCorpus
from eval.datasets.load import load
from rag.errors import BadRequest, ExtraMissing, Unavailable


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Registers a set of three files and gives its name."""
    ir = pytest.importorskip("ir_datasets")
    from ir_datasets.formats import TrecQrels, TsvDocs, TsvQueries
    from ir_datasets.util import LocalDownload

    names: list[str] = []

    def file(name: str, content: str) -> Any:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return LocalDownload(tmp_path / name)

    def register(qrels: str = "1 0 d1 2\n1 0 d2 0\n", *, with_qrels: bool = True) -> str:
        name = f"tuwen-test-{len(names)}"
        parts = [
            TsvDocs(file("docs.tsv", "d1\ta duck swims\nd2\t鸭子\n"), lang="en"),
            TsvQueries(file("queries.tsv", "1\tduck?\n2\tnot judged\n"), lang="en"),
        ]
        if with_qrels:
            parts.append(TrecQrels(file("qrels", qrels), {}))
        ir.registry.register(name, ir.datasets.base.Dataset(*parts))
        names.append(name)
        return name

    yield register
    for name in names:
        del ir.registry._registered[name]


def test_a_registered_set(registered: Callable[..., str]) -> None:
    found = load(f"ir:{registered()}")
    assert [(q.id, q.text, q.language) for q in found.questions] == [("1", "duck?", "en")]
    assert found.documents == {"1": {"d1": 2, "d2": 0}}
    assert isinstance(found.corpus, TextCorpus)
    assert found.corpus.texts == {"d1": "a duck swims", "d2": "鸭子"}
    # As the command line passes it on.
    assert load(Path(f"ir:{found.name.removeprefix('ir-')}")).digest == found.digest


def test_judgements_of_what_is_not_there_are_told(registered: Callable[..., str]) -> None:
    found = load(f"ir:{registered('1 0 d1 1' + chr(10) + '1 0 d9 1' + chr(10))}")
    assert found.documents == {"1": {"d1": 1}}
    assert "d9" in found.warnings[0]
    with pytest.raises(BadRequest, match="no judgements of its own documents"):
        load(f"ir:{registered('7 0 d9 1')}")


def test_parts_that_are_missing_and_names_that_are_none(registered: Callable[..., str]) -> None:
    with pytest.raises(BadRequest, match="has no qrels"):
        load(f"ir:{registered(with_qrels=False)}")
    with pytest.raises(BadRequest, match="no 'no/such/set'"):
        load("ir:no/such/set")


def test_a_failed_download_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline() -> int:
        raise RuntimeError("All download sources failed")

    source = SimpleNamespace(docs_count=offline)
    source.has_docs = source.has_queries = source.has_qrels = lambda: True
    monkeypatch.setitem(sys.modules, "ir_datasets", SimpleNamespace(load=lambda name: source))  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="All download sources failed"):
        load("ir:beir/scifact/test")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)  # type: ignore[arg-type]
    with pytest.raises(ExtraMissing) as caught:
        load("ir:beir/scifact/test")
    assert "tuwen[ir]" in caught.value.remedy
