from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from eval.metrics.similarity import cosines, embedding_similarity
from rag.fakes import HashingTextEncoder
from rag.protocols import Space, Vectors


class Planted(HashingTextEncoder):
    """Vectors as written down in the test, on the unit circle."""

    def __init__(self, angles: dict[str, float]) -> None:
        super().__init__()
        self.angles = angles
        self.encoded: list[str] = []

    @property
    def space(self) -> Space:
        return Space("planted", "0" * 64, 2, "")

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        degrees = np.radians([self.angles[text] for text in texts])
        return np.stack([np.cos(degrees), np.sin(degrees)], axis=1).astype(np.float32)


def test_by_hand() -> None:
    encoder = Planted({"a1": 0, "a2": 60, "e1": 0, "e1b": 90, "e2": 60})
    answers, expected = ["a1 [1]", "a2"], [["e1b", "e1"], ["e2"]]
    assert cosines(answers, expected, encoder) == pytest.approx([1.0, 1.0])
    assert len(encoder.encoded) == len(set(encoder.encoded))
    # Unrelated: a1 with e2 .5, a2 with e1b .866, a2 with e1 .5.
    encoder = Planted({"a1": 0, "a2": 90, "e1": 0, "e2": 60})
    base = (0.5 + 0.0) / 2
    assert embedding_similarity(["a1", "a2"], [["e1"], ["e2"]], encoder) == pytest.approx(
        [1.0, (np.cos(np.radians(30)) - base) / (1 - base)], abs=1e-6
    )


def test_no_nearer_than_others_is_zero_and_nothing_is_none() -> None:
    encoder = Planted({"a1": 0, "e1": 90, "a2": 0, "e2": 0})
    assert embedding_similarity(["a1", "a2"], [["e1"], ["e2"]], encoder) == pytest.approx([0.0, 1.0], abs=1e-6)
    found = embedding_similarity(["", "a2", "a1"], [["e1"], ["e2"], []], encoder)
    assert found[0] is found[2] is None
    assert found[1] is not None
    # One question alone has nothing to be compared with.
    assert embedding_similarity(["a1"], [["e1"]], encoder) == [None]
    assert cosines(["a1"], [["e1"]], encoder) == pytest.approx([0.0], abs=1e-6)
    assert embedding_similarity([], [], encoder) == []


def test_order_of_questions_plays_no_part() -> None:
    encoder = HashingTextEncoder()
    answers = ["the garden grew tea", "a telescope saw stars", "三十吨绿茶", "no idea at all"]
    expected = [["tea garden"], ["stars"], ["绿茶三十吨"], ["telescope"]]
    once = embedding_similarity(answers, expected, encoder)
    turned = embedding_similarity(answers[::-1], expected[::-1], encoder)
    assert once == pytest.approx(turned[::-1], abs=1e-9)
    assert all(value is not None and 0 <= value <= 1 for value in once)


def test_each_pair_of_languages_has_its_own_baseline() -> None:
    """Chinese answers all lie near each other, and so far from English ones that the common baseline would hide it."""
    angles = {f"en{n}": float(n) for n in range(8)} | {f"中文{n}": 90.0 + n for n in range(8)}
    encoder = Planted(angles)
    texts = list(angles)
    found = embedding_similarity(texts, [[text] for text in texts], encoder)
    assert found == pytest.approx([1.0] * 16, abs=1e-4)
    # The neighbour's answer is nearly as near as one's own: within one language that is worth nothing.
    wrong = embedding_similarity(texts, [[texts[n ^ 4]] for n in range(16)], encoder)
    assert max(value for value in wrong if value is not None) < 0.2
