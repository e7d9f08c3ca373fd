"""What every TextEncoder keeps, the shipped fake included."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from rag.encoders.batching import BatchingEncoder
from rag.encoders.cached import CachedTextEncoder
from rag.encoders.e5_build import ensure_e5
from rag.encoders.query_cache import QueryCachedEncoder
from rag.encoders.remote import RemoteTextEncoder
from rag.encoders.text_onnx import OnnxTextEncoder
from rag.fakes import HashingTextEncoder
from rag.protocols import TextEncoder
from rag.weights import Manifest, locate

TEXTS = ["a cat sat", "什么是向量数据库", "the data is stored in a table of rows", "", "x", "存储"]


def _server(request: httpx.Request) -> httpx.Response:
    """Embeds by the fake, out of order, as a server may."""
    texts = json.loads(request.content)["input"]
    vectors = HashingTextEncoder(32).encode_passages(texts) * 3
    rows = [{"index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]
    return httpx.Response(200, json={"data": rows[::-1]})


def _remote() -> RemoteTextEncoder:
    client = httpx.Client(transport=httpx.MockTransport(_server))
    return RemoteTextEncoder("http://embed/v1", "m", query_prefix="search ", batch_size=4, client=client)


@pytest.fixture(
    params=[
        "hashing",
        "onnx",
        "onnx-plain",
        "remote",
        "cached",
        "batching",
        "query-cached",
        pytest.param("e5", marks=pytest.mark.model),
    ],
    scope="module",
)
def encoder(
    request: pytest.FixtureRequest, tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TextEncoder]:
    if request.param == "hashing":
        yield HashingTextEncoder(64)
    elif request.param == "cached":
        yield CachedTextEncoder(HashingTextEncoder(64), tmp_path_factory.mktemp("cache") / "vectors.sqlite3")
    elif request.param == "batching":
        yield BatchingEncoder(HashingTextEncoder(64))
    elif request.param == "query-cached":
        yield QueryCachedEncoder(HashingTextEncoder(64), 3)
    elif request.param == "remote":
        yield _remote()
    elif request.param == "e5":
        yield OnnxTextEncoder(_real_model_dir())
    else:
        yield OnnxTextEncoder(tiny_model_dir, threads=1, centre_languages=request.param == "onnx")


def _real_model_dir() -> Path:
    models = os.environ.get("TUWEN_MODELS__DIR")
    if not models:
        pytest.skip("TUWEN_MODELS__DIR names no directory with weights")
    name = "multilingual-e5-small"
    return ensure_e5(locate(name, Path(models)), Manifest.load().get(name).sha256, Path(models) / "built")


def test_shape_type_and_length(encoder: TextEncoder) -> None:
    for encode in (encoder.encode_queries, encoder.encode_passages):
        vectors = encode(TEXTS)
        assert vectors.shape == (len(TEXTS), encoder.space.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_nothing_gives_nothing(encoder: TextEncoder) -> None:
    assert encoder.encode_queries([]).shape == (0, encoder.space.dimension)
    assert encoder.encode_passages([]).shape == (0, encoder.space.dimension)
    assert encoder.count_tokens([]) == []


def test_order_is_kept_whatever_the_batch(encoder: TextEncoder) -> None:
    others = ["", "river stone winter paper music", "horse"]
    texts = [f"{word} {other}" for other in others for word in ("cat", "dog", "数据", "zebra")]
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    # int8 activations share one scale a batch, so a text's neighbours move its vector a little.
    assert (together * alone).sum(axis=1).min() > 0.97
    assert (together @ alone.T).argmax(axis=1).tolist() == list(range(len(texts)))


def test_same_text_same_vector(encoder: TextEncoder) -> None:
    assert np.array_equal(encoder.encode_queries(["a cat"]), encoder.encode_queries(["a cat"]))


def test_a_question_is_not_a_passage(encoder: TextEncoder) -> None:
    assert not np.allclose(encoder.encode_queries(["a cat"]), encoder.encode_passages(["a cat"]), atol=1e-4)


def test_long_and_odd_text_is_encoded(encoder: TextEncoder) -> None:
    odd = ["word " * 3000, "数" * 4000, "\x00\x01", "\U0001f600" * 50, "a\u0301" * 40, "\n\t "]
    vectors = encoder.encode_passages(odd)
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_tokens_are_counted_for_each_text(encoder: TextEncoder) -> None:
    counts = encoder.count_tokens(["cat", "cat cat cat", "数据库存储"])
    assert len(counts) == 3
    assert 0 < counts[0] < counts[1]
    assert encoder.max_tokens > 0


def test_threads_do_not_mix_results(encoder: TextEncoder) -> None:
    texts = [f"{word} sits" for word in ("cat", "dog", "fish", "bird", "数据", "存储")] * 4
    expected = [encoder.encode_queries([text]) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: encoder.encode_queries([text]), texts))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))


def test_the_space_is_stable(encoder: TextEncoder) -> None:
    assert encoder.space == encoder.space
    assert len(encoder.space.id) == 16


@pytest.mark.model
def test_e5_finds_the_meaning_in_either_language() -> None:
    e5 = OnnxTextEncoder(_real_model_dir())
    passages = [
        "Backups run every night at two.",
        "每天凌晨两点进行备份。",
        "The museum is closed on Monday.",
        "博物馆周一闭馆。",
    ]
    scores = e5.encode_queries(["When are backups made?", "什么时候备份？"]) @ e5.encode_passages(passages).T
    assert {frozenset(row.argsort()[-2:].tolist()) for row in scores} == {frozenset({0, 1})}
