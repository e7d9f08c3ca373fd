"""The remembering encoder: what is encoded once is not encoded again, by whomever; a damaged file costs time, never a wrong vector."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.encoders.cached import CachedTextEncoder
from rag.fakes import HashingTextEncoder
from rag.protocols import Vectors


class Counting(HashingTextEncoder):
    def __init__(self, dimension: int = 32) -> None:
        super().__init__(dimension)
        self.encoded: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        return super().encode_passages(texts)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deeper" / "vectors.sqlite3"


def test_a_text_is_encoded_once_by_all_who_share_the_file(path: Path) -> None:
    first, second = Counting(), Counting()
    one, other = CachedTextEncoder(first, path), CachedTextEncoder(second, path)
    texts = ["a cat", "什么", "a cat", ""]
    expected = HashingTextEncoder(32).encode_passages(texts)
    assert np.array_equal(one.encode_passages(texts), expected)
    assert first.encoded == ["a cat", "什么", ""]
    assert np.array_equal(other.encode_passages([*texts, "new"])[:4], expected)
    assert second.encoded == ["new"]


def test_questions_are_never_remembered(path: Path) -> None:
    cached = CachedTextEncoder(Counting(), path)
    asked = cached.encode_queries(["a cat"])
    assert not np.allclose(asked, cached.encode_passages(["a cat"]))
    assert np.array_equal(asked, cached.encode_queries(["a cat"]))


def test_spaces_do_not_meet(path: Path) -> None:
    small, large = Counting(32), Counting(64)
    assert CachedTextEncoder(small, path).encode_passages(["x"]).shape == (1, 32)
    assert CachedTextEncoder(large, path).encode_passages(["x"]).shape == (1, 64)
    assert (small.encoded, large.encoded) == (["x"], ["x"])


def test_a_damaged_file_is_made_anew(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    inner = Counting()
    CachedTextEncoder(inner, path).encode_passages(["x"])
    assert "made anew" in caplog.text
    CachedTextEncoder(inner, path).encode_passages(["x"])
    assert inner.encoded == ["x"]


def test_a_vector_of_the_wrong_length_is_not_used(path: Path) -> None:
    inner = Counting()
    cached = CachedTextEncoder(inner, path)
    expected = cached.encode_passages(["x"])
    with sqlite3.connect(path) as db:
        db.execute("UPDATE vectors SET vector = ?", (b"\0" * 12,))
    assert np.array_equal(cached.encode_passages(["x"]), expected)
    assert inner.encoded == ["x", "x"]


def test_the_oldest_are_forgotten(path: Path) -> None:
    inner = Counting()
    cached = CachedTextEncoder(inner, path, limit_bytes=10 * 32 * 4)
    for number in range(30):
        cached.encode_passages([f"text {number}"])
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM vectors").fetchone()[0] <= 10
    inner.encoded.clear()
    cached.encode_passages(["text 29", "text 0"])
    assert inner.encoded == ["text 0"]


def test_threads_share_one(path: Path) -> None:
    cached = CachedTextEncoder(Counting(), path)
    texts = [f"text {number % 7}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: cached.encode_passages([text])[0], texts))
    assert np.array_equal(np.stack(found), HashingTextEncoder(32).encode_passages(texts))
