"""LangChain's retriever: its own standard suite, and what the suite does not look at, in process and over HTTP."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("langchain_core.retrievers", reason="LangChain is not installed")

from api.client import Client
from api.plugins.langchain import TuwenRetriever
from rag.errors import BadRequest, NotFound
from tests.support.plugin_clients import opened

QUESTION = "How much bamboo does a panda eat?"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Client]]:
    with opened(tmp_path_factory.mktemp("plugins")) as made:
        yield made


@pytest.fixture(params=["local", "http"])
def client(request: pytest.FixtureRequest, clients: dict[str, Client]) -> Client:
    return clients[request.param]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_a_document_carries_what_a_citation_needs(client: Client) -> None:
    first = TuwenRetriever(client=client).invoke(QUESTION)[0]
    assert "38 kilograms" in first.page_content
    said = first.metadata
    assert (said["source"], said["kind"], said["collection"]) == ("pandas.md", "text", "default")
    assert said["headings"] == ["Pandas"]
    assert first.id == said["chunk_id"]
    assert said["chunk_id"].startswith(said["document_id"])
    assert 0 < said["score"] <= 1
    assert said["found_by"]["lexical"] == 1
    assert (said["page"], said["boxes"]) == (None, [])


def test_a_picture_has_its_page_its_box_and_over_http_its_url(client: Client, clients: dict[str, Client]) -> None:
    found = TuwenRetriever(client=client, filter={"media_type": ["image/png"]}).invoke("red panda")
    (said,) = [document.metadata for document in found]
    assert (said["kind"], said["page"], said["boxes"]) == ("image", 1, [[1, 0, 0, 40, 30]])
    served = {f"{clients['http'].where}/v1/images/{said['chunk_id']}"} if client is clients["http"] else set()
    assert {said[name] for name in said if name == "image_url"} == served


def test_both_ways_find_the_same(clients: dict[str, Client]) -> None:
    local, http = (TuwenRetriever(client=clients[way]).invoke("绿茶") for way in ("local", "http"))
    without_url = [d.metadata | {"image_url": ""} for d in http]
    assert [d.metadata | {"image_url": ""} for d in local] == without_url
    assert local[0].metadata["source"] == "tea.md"


def test_a_filter_and_a_number_for_one_call(client: Client) -> None:
    retriever = TuwenRetriever(client=client, k=10)
    assert {d.metadata["source"] for d in retriever.invoke(QUESTION, filter={"name": ["tea.md"]})} == {"tea.md"}
    assert len(retriever.invoke(QUESTION, k=2)) == 2
    assert len(retriever.invoke(QUESTION)) > 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"filter": {"author": ["x"]}}, BadRequest),
        ({"k": 0}, BadRequest),
        ({"k": 1000}, BadRequest),
        ({"collection": "nowhere"}, NotFound),
    ],
)
def test_what_means_nothing_is_refused_with_a_remedy(
    client: Client, wrong: dict[str, Any], error: type[BadRequest]
) -> None:
    with pytest.raises(error) as caught:
        TuwenRetriever(client=client).invoke(QUESTION, **wrong)
    assert caught.value.message
    assert caught.value.remedy


def test_in_a_chain_and_in_a_batch(client: Client) -> None:
    from langchain_core.runnables import RunnableLambda

    chain = TuwenRetriever(client=client, k=1) | RunnableLambda(lambda found: [d.metadata["source"] for d in found])
    assert chain.batch([QUESTION, "绿茶"]) == [["pandas.md"], ["tea.md"]]


def test_waiting_leaves_the_event_loop_free() -> None:
    """Two questions that each wait for the other to have begun: one after the other they would never end."""
    both = threading.Barrier(2, timeout=10)

    class Slow:
        def search(self, _: Any) -> dict[str, Any]:
            both.wait()
            return {"hits": []}

    async def ask() -> list[Any]:
        retriever = TuwenRetriever(client=Slow())
        return await asyncio.gather(retriever.ainvoke("a"), retriever.ainvoke("b"))

    assert asyncio.run(ask()) == [[], []]


def test_without_langchain_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from rag.errors import ExtraMissing

    monkeypatch.delitem(sys.modules, "api.plugins.langchain")
    monkeypatch.setitem(sys.modules, "langchain_core.retrievers", None)
    with pytest.raises(ExtraMissing) as caught:
        importlib.import_module("api.plugins.langchain")
    assert "tuwen[langchain]" in caught.value.remedy


try:
    from langchain_tests.integration_tests import RetrieversIntegrationTests
except ImportError:

    @pytest.mark.skip(reason="langchain-tests is not installed")
    def test_the_standard_suite_of_langchain() -> None: ...

else:

    class _Standard(RetrieversIntegrationTests):
        pytestmark = pytest.mark.anyio
        way = ""

        @pytest.fixture(autouse=True)
        def reach(self, clients: dict[str, Client]) -> None:
            self.client = clients[self.way]

        @property
        def retriever_constructor(self) -> type[TuwenRetriever]:
            return TuwenRetriever

        @property
        def retriever_constructor_params(self) -> dict[str, Any]:
            return {"client": self.client}

        @property
        def retriever_query_example(self) -> str:
            return QUESTION

    class TestStandardInProcess(_Standard):
        way = "local"

    class TestStandardOverHttp(_Standard):
        way = "http"
