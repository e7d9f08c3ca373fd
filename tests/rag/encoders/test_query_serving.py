"""What stands between callers and the encoder: remembering questions, and encoding those of several callers together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rag.encoders.batching import BatchingEncoder
from rag.encoders.query_cache import QueryCachedEncoder
from rag.errors import EncoderUnavailable
from rag.fakes import HashingTextEncoder
from rag.protocols import Vectors


class Watched(HashingTextEncoder):
    """Notes each forward. The first waits until `go` is set; one with the word `bad` in it fails."""

    def __init__(self) -> None:
        super().__init__(32)
        self.forwards: list[list[str]] = []
        self.entered, self.go = threading.Event(), threading.Event()
        self.go.set()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.forwards.append(list(texts))
        self.entered.set()
        assert self.go.wait(10)
        if any("bad" in text for text in texts):
            raise EncoderUnavailable("No.", "Try again.")
        return super().encode_queries(texts)


def test_a_question_is_encoded_once() -> None:
    inner = Watched()
    encoder = QueryCachedEncoder(inner, 10)
    first = encoder.encode_queries(["a", "b", "a"])
    again = encoder.encode_queries(["b", "c", "a"])
    assert inner.forwards == [["a", "b"], ["c"]]
    assert np.array_equal(first[[1, 0]], again[[0, 2]])
    assert np.array_equal(first[0], first[2])


def test_the_longest_unused_question_is_forgotten() -> None:
    inner = Watched()
    encoder = QueryCachedEncoder(inner, 2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode_queries([text])
    assert inner.forwards == [["a"], ["b"], ["c"], ["b"]]


def test_more_questions_than_are_remembered() -> None:
    texts = [str(n) for n in range(20)]
    found = QueryCachedEncoder(HashingTextEncoder(32), 3).encode_queries(texts)
    assert np.array_equal(found, HashingTextEncoder(32).encode_queries(texts))


def test_what_a_caller_does_to_a_vector_stays_with_the_caller() -> None:
    encoder = QueryCachedEncoder(HashingTextEncoder(32), 3)
    before = encoder.encode_queries(["a"]).copy()
    encoder.encode_queries(["a"])[:] = 0
    assert np.array_equal(encoder.encode_queries(["a"]), before)


def test_who_comes_during_a_forward_goes_along_in_the_next() -> None:
    inner = Watched()
    encoder = BatchingEncoder(inner, max_batch=3)
    inner.go.clear()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(encoder.encode_queries, ["first"])
        assert inner.entered.wait(10)
        others = [pool.submit(encoder.encode_queries, [f"word{n}"]) for n in range(5)]
        while len(encoder._waiting) < 5:
            threading.Event().wait(0.005)
        inner.go.set()
        assert first.result(10).shape == (1, 32)
        for n, other in enumerate(others):
            assert np.array_equal(other.result(10), HashingTextEncoder(32).encode_queries([f"word{n}"]))
    assert [len(texts) for texts in inner.forwards] == [1, 3, 2]


def test_nobody_gets_another_ones_error() -> None:
    inner = Watched()
    encoder = BatchingEncoder(inner)
    inner.go.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(encoder.encode_queries, ["first"])
        assert inner.entered.wait(10)
        good, bad = pool.submit(encoder.encode_queries, ["good"]), pool.submit(encoder.encode_queries, ["bad"])
        while len(encoder._waiting) < 2:
            threading.Event().wait(0.005)
        inner.go.set()
        assert first.result(10).shape == good.result(10).shape == (1, 32)
        with pytest.raises(EncoderUnavailable):
            bad.result(10)
    assert encoder.encode_queries(["afterwards"]).shape == (1, 32)


def test_under_many_callers_each_gets_their_own() -> None:
    encoder = BatchingEncoder(HashingTextEncoder(32), max_batch=4)
    texts = [f"word{n} and word{n + 1}" for n in range(300)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: encoder.encode_queries([text])[0], texts))
    assert np.array_equal(np.stack(found), HashingTextEncoder(32).encode_queries(texts))
