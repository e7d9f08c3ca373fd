"""LlamaIndex's retriever, in process and over HTTP, and inside what LlamaIndex builds on retrievers. It has no suite of its own for them."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("llama_index.core", reason="LlamaIndex is not installed")

from llama_index.core import get_response_synthesizer
from llama_index.core.evaluation import RetrieverEvaluator
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import ImageNode, MetadataMode, QueryBundle

from api.client import Client
from api.plugins.llamaindex import TuwenRetriever
from rag.errors import BadRequest
from tests.support.plugin_clients import opened

QUESTION = "How much bamboo does a panda eat?"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Client]]:
    with opened(tmp_path_factory.mktemp("plugins")) as made:
        yield made


@pytest.fixture(params=["local", "http"])
def client(request: pytest.FixtureRequest, clients: dict[str, Client]) -> Client:
    return clients[request.param]


def test_a_node_carries_what_a_citation_needs_and_shows_a_model_little_of_it(client: Client) -> None:
    found = TuwenRetriever(client).retrieve(QUESTION)
    node, said = found[0].node, found[0].node.metadata
    assert "38 kilograms" in node.get_content()
    assert (said["source"], said["headings"], said["boxes"]) == ("pandas.md", ["Pandas"], [])
    assert node.node_id == said["chunk_id"]
    assert node.ref_doc_id == said["document_id"]
    assert found[0].score == said["score"] > 0
    assert [n.score for n in found] == sorted((n.score for n in found), reverse=True)
    read = node.get_content(MetadataMode.LLM)
    assert "pandas.md" in read
    assert said["chunk_id"] not in read


def test_a_picture_is_an_image_node(client: Client, clients: dict[str, Client]) -> None:
    (found,) = TuwenRetriever(client, filter={"media_type": ["image/png"]}).retrieve("red panda")
    assert isinstance(found.node, ImageNode)
    assert found.node.metadata["boxes"] == [[1, 0, 0, 40, 30]]
    if client is clients["http"]:
        assert found.node.image_url == f"{client.where}/v1/images/{found.node.node_id}"
    else:
        assert Image.open(io.BytesIO(base64.b64decode(found.node.image or ""))).size == (40, 30)


def test_numbers_filters_and_asynchronous_calls(client: Client) -> None:
    retriever = TuwenRetriever(client, similarity_top_k=1, filter={"name": ["tea.md"]})
    assert [n.node.metadata["source"] for n in asyncio.run(retriever.aretrieve(QUESTION))] == ["tea.md"]
    with pytest.raises(BadRequest):
        TuwenRetriever(client, similarity_top_k=0).retrieve(QUESTION)


def test_a_picture_as_the_question_is_sent_with_its_words(tmp_path: Path) -> None:
    picture = tmp_path / "asked.png"
    Image.new("RGB", (8, 8)).save(picture)
    sent: list[Any] = []

    class Recording:
        def search(self, body: Any) -> dict[str, Any]:
            sent.append(body)
            return {"hits": []}

    TuwenRetriever(Recording()).retrieve(QueryBundle("like this", image_path=str(picture)))  # type: ignore[arg-type]
    assert sent[0].query == "like this"
    assert base64.b64decode(sent[0].image) == picture.read_bytes()


def test_a_query_engine_answers_from_it_and_names_its_sources(client: Client) -> None:
    retriever = TuwenRetriever(client, similarity_top_k=2)
    engine = RetrieverQueryEngine(retriever, get_response_synthesizer(llm=MockLLM()))
    answered = engine.query(QUESTION)
    assert "38 kilograms" in str(answered)  # the mock gives its prompt back
    assert answered.source_nodes[0].node.metadata["source"] == "pandas.md"
    assert len(answered.source_nodes) == 2


def test_the_evaluator_of_llamaindex_knows_its_ids(client: Client) -> None:
    retriever = TuwenRetriever(client, similarity_top_k=2)
    wanted = retriever.retrieve("newborn cub weighs")[0].node.node_id
    evaluator = RetrieverEvaluator.from_metric_names(["mrr", "hit_rate"], retriever=retriever)
    assert evaluator.evaluate("newborn cub weighs", [wanted]).metric_vals_dict == {"mrr": 1.0, "hit_rate": 1.0}


def test_it_can_be_fused_with_other_retrievers(client: Client) -> None:
    one, other = TuwenRetriever(client, similarity_top_k=2), TuwenRetriever(client, filter={"name": ["tea.md"]})
    fused = QueryFusionRetriever(
        [one, other], llm=MockLLM(), num_queries=1, mode="reciprocal_rerank", use_async=False, similarity_top_k=5
    )
    assert {n.node.metadata["source"] for n in fused.retrieve(QUESTION)} >= {"pandas.md", "tea.md"}
