"""What every Reranker keeps, and what the remote one does when its server misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from rag.errors import EncoderUnavailable
from rag.fakes import FakeReranker
from rag.protocols import Reranker
from rag.rerankers.remote import RemoteReranker

TEXTS = ["the cat sleeps", "backups run every night", "", "a dog and a cat"]


def _cohere(request: httpx.Request) -> httpx.Response:
    body = json.loads(request.content)
    scores = FakeReranker().score(body["query"], body["documents"])
    rows = [{"index": i, "relevance_score": score} for i, score in enumerate(scores)]
    return httpx.Response(200, json={"results": sorted(rows, key=lambda row: -row["relevance_score"])})


def _tei(request: httpx.Request) -> httpx.Response:
    body = json.loads(request.content)
    scores = FakeReranker().score(body["query"], body["texts"])
    return httpx.Response(200, json=[{"index": i, "score": score} for i, score in enumerate(scores)][::-1])


def _remote(
    handler: Callable[[httpx.Request], httpx.Response], shape: str = "cohere", batch_size: int = 64
) -> RemoteReranker:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    return RemoteReranker(
        "http://rank/v1", "m", shape=shape, batch_size=batch_size, client=client, sleep=lambda _: None  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    "reranker",
    [FakeReranker(), _remote(_cohere), _remote(_tei, "tei"), _remote(_cohere, batch_size=3)],
    ids=["fake", "cohere", "tei", "cohere in batches"],
)
def test_one_score_a_text_in_order(reranker: Reranker) -> None:
    scores = reranker.score("When do backups run?", TEXTS)
    assert len(scores) == len(TEXTS)
    assert max(range(len(TEXTS)), key=scores.__getitem__) == 1
    assert reranker.score("When do backups run?", []) == []
    assert reranker.name


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 0, "relevance_score": 1.0}]},
        {"results": [{"index": 0}]},
        {"detail": "no such model"},
        [],
    ],
)
def test_an_incomplete_answer_is_an_error(answer: object) -> None:
    with pytest.raises(EncoderUnavailable, match=r"not one score for each text.*retrieval\.reranker_url"):
        _remote(lambda _: httpx.Response(200, json=answer)).score("q", ["a", "b"])


def test_a_busy_server_is_asked_again_and_given_up() -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(503) if len(calls) < 3 else _cohere(request)

    assert len(_remote(handler).score("cat", TEXTS)) == 4
    with pytest.raises(EncoderUnavailable, match="503"):
        _remote(lambda _: httpx.Response(503)).score("cat", TEXTS)
