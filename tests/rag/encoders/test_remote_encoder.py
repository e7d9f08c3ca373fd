from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from rag.encoders.remote import RemoteTextEncoder
from rag.errors import EncoderUnavailable


def _encoder(
    handler: Callable[[httpx.Request], httpx.Response], pauses: list[float] | None = None, dimension: int = 2
) -> RemoteTextEncoder:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    sleep = pauses.append if pauses is not None else lambda _: None
    return RemoteTextEncoder(
        "http://embed/v1/", "bge-m3", dimension=dimension, api_key="secret", batch_size=2, client=client, sleep=sleep
    )


def _answer(request: httpx.Request) -> httpx.Response:
    texts = json.loads(request.content)["input"]
    return httpx.Response(200, json={"data": [{"index": i, "embedding": [3.0, 4.0]} for i in range(len(texts))]})


def test_batches_key_and_unit_length() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _answer(request)

    vectors = _encoder(handler).encode_passages(["a", "b", "c"])
    assert vectors.ravel().tolist() == pytest.approx([0.6, 0.8] * 3)
    assert [len(json.loads(request.content)["input"]) for request in seen] == [2, 1]
    assert str(seen[0].url) == "http://embed/v1/embeddings"
    assert seen[0].headers["authorization"] == "Bearer secret"


def test_a_busy_server_is_asked_again() -> None:
    answers = [httpx.Response(503), httpx.Response(429, headers={"retry-after": "7"})]
    pauses: list[float] = []
    encoder = _encoder(lambda request: answers.pop(0) if answers else _answer(request), pauses)
    assert encoder.encode_queries(["a"]).shape == (1, 2)
    assert pauses == [0.5, 7.0]


def test_a_dead_server_is_given_up() -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ConnectError("refused")

    with pytest.raises(EncoderUnavailable, match=r"http://embed/v1.*refused.*encoder\.base_url"):
        _encoder(handler).encode_queries(["a"])
    assert len(calls) == 4


def test_a_refusal_is_not_repeated() -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(401, text="bad key")

    with pytest.raises(EncoderUnavailable, match="401: bad key"):
        _encoder(handler).encode_queries(["a"])
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"data": [{"index": 0, "embedding": [1.0, 2.0, 3.0]}]}, "3 dimensions"),
        ({"data": []}, "0 vectors came for 1 texts"),
        ({"error": "no such model"}, "no embeddings in its answer"),
        ({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, "zero or not finite"),
        ({"data": [{"index": 0, "embedding": "AAAA"}]}, "no embeddings in its answer"),
    ],
)
def test_a_wrong_answer_is_an_error(answer: object, says: str) -> None:
    with pytest.raises(EncoderUnavailable, match=says):
        _encoder(lambda _: httpx.Response(200, json=answer)).encode_queries(["a"])


def test_an_answer_that_is_no_json() -> None:
    with pytest.raises(EncoderUnavailable, match="not JSON"):
        _encoder(lambda _: httpx.Response(200, text="<html>")).encode_queries(["a"])


def test_the_dimension_is_asked_when_not_given() -> None:
    assert _encoder(_answer, dimension=0).space.dimension == 2


def test_the_estimate_of_tokens_is_not_below_the_words() -> None:
    assert _encoder(_answer).count_tokens(["one two three"])[0] >= 3
