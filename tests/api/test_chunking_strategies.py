"""The chunking strategy as a setting: all of them can be chosen, and what one matches small is read large."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from api import wiring
from api.service import open_service
from api.settings import IngestSettings, load
from ingest.files import find
from rag.answers import EVERYTHING, Answer, Query
from rag.documents import Chunk
from rag.errors import BadSetting, ExtraMissing
from rag.fakes import HashingTextEncoder
from tests.support.light import LIGHT

ENCODER = HashingTextEncoder()
TOOLS = wiring.TextTools(ENCODER.count_tokens, ENCODER.encode_passages)
NAMES: Sequence[str] = get_args(IngestSettings.model_fields["strategy"].annotation)
PACKAGES = {"langchain": "langchain_text_splitters", "llama-index": "llama_index"}


def chosen(tmp_path: Path, **ingest: Any) -> Any:
    return load(tmp_path / "data", LIGHT | {"ingest": ingest})


def test_every_name_has_its_line_in_the_mapping() -> None:
    assert set(NAMES) == set(wiring.CHUNKERS)


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_can_be_chosen(tmp_path: Path, name: str) -> None:
    settings = chosen(tmp_path, strategy=name, chunk_tokens=64)
    package = PACKAGES.get(name)
    if package and importlib.util.find_spec(package) is None:
        with pytest.raises(ExtraMissing, match=name):
            wiring.chunker(settings, TOOLS)
        return
    version = wiring.chunker(settings, TOOLS).version
    assert version != wiring.chunker(chosen(tmp_path, strategy=name, chunk_tokens=65), TOOLS).version


@pytest.mark.parametrize(
    "ingest",
    [
        {"chunk_tokens": 100, "chunk_overlap": 60},
        {"strategy": "parent-child", "chunk_tokens": 300, "parent_tokens": 200},
    ],
)
def test_sizes_that_contradict_each_other_are_refused(tmp_path: Path, ingest: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match="ingest"):
        wiring.chunker(chosen(tmp_path, **ingest), TOOLS)


@pytest.mark.parametrize("strategy", ["parent-child", "sentence-window"])
def test_small_to_match_large_to_read_small_to_cite(tmp_path: Path, strategy: str) -> None:
    sentences = [
        f"Remark {n} is about the {word} of the garden." for n, word in enumerate("wall gate path pond roof".split())
    ]
    (tmp_path / "garden.md").write_text("# Garden\n\n" + "\n\n".join(sentences) + "\n")
    settings = chosen(tmp_path, strategy=strategy, chunk_tokens=32, parent_tokens=300)
    with open_service(settings) as service:
        service.ingest(find([tmp_path / "garden.md"]))
        stored = service.library.chunks(service.library.documents()[0].document.id)
        question = "Which remark is about the pond of the garden?"
        *_, answer = service.answer(Query(question, top_k=3, explain=True), access=EVERYTHING)
    assert len(stored) >= 2
    assert isinstance(answer, Answer)
    prompt = "\n".join(content for _, content in answer.prompt)
    assert all(sentence in prompt for sentence in sentences[1:]), "what stands around it is read"
    best = answer.context[0].chunk
    assert isinstance(best, Chunk)
    assert sentences[0] not in best.text, "what is matched is small"
    cited = [citation for citation in answer.citations if "pond" in citation.quote]
    assert cited
    holding = next(chunk for chunk in stored if chunk.id == cited[0].chunk_id)
    assert "pond" in holding.text
