"""What every Aligner keeps, the formula of late interaction, and what is kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fakes import FakeAligner, HashingTextEncoder
from rag.protocols import Aligner, Tokens
from rag.rerankers.late_interaction import LateInteraction, attention, max_similarity

ENCODER = HashingTextEncoder()


def late(**options: object) -> LateInteraction[str]:
    return LateInteraction("hashing", ENCODER.question_tokens, ENCODER.passage_tokens, str, **options)  # type: ignore[arg-type]


ALIGNERS: list[Aligner[str]] = [
    FakeAligner(),
    late(),
    late(pooled=0.0, temperature=0.1),
    late(window=2),
    late(cache_bytes=0, window=1),
]


@pytest.mark.parametrize("aligner", ALIGNERS, ids=["fake", "late", "attention", "sentences", "no cache"])
class TestContract:
    def test_one_score_an_item_in_order(self, aligner: Aligner[str]) -> None:
        texts = ["the cat sleeps", "backups run every night", "", "a dog and a cat"]
        scores = aligner.align("When do backups run?", texts)
        assert len(scores) == len(texts)
        assert max(range(4), key=scores.__getitem__) == 1
        assert aligner.align("When do backups run?", []) == []
        assert all(np.isfinite(score) for score in scores)

    def test_a_score_does_not_depend_on_the_others(self, aligner: Aligner[str]) -> None:
        texts = ["a cat", "a dog", "a cat", "a night of backups " * 20]
        together = aligner.align("cat", texts)
        assert together == pytest.approx([aligner.align("cat", [text])[0] for text in texts], abs=2e-3)
        assert together[0] == together[2]

    def test_it_has_a_name(self, aligner: Aligner[str]) -> None:
        assert aligner.name


def test_late_interaction_by_hand() -> None:
    question = Tokens(np.eye(2, dtype=np.float32), np.array([0.8, 0.6], np.float32))
    item = Tokens(np.array([[0.6, 0.8], [1.0, 0.0]], np.float32), np.array([0.6, 0.8], np.float32))
    # Best matches 1.0 and 0.8, their mean 0.9; pooled 0.48 + 0.48 = 0.96.
    assert max_similarity(question.tokens, item.tokens, attention(question, None)) == pytest.approx(0.9)
    # Attention: softmax of (0.8, 0.6) / 0.1.
    heavy = exp(8) / (exp(8) + exp(6))
    assert attention(question, 0.1) == pytest.approx([heavy, 1 - heavy], rel=1e-4)
    aligner = LateInteraction("x", lambda _: [question], lambda _: [item], str, pooled=0.25, temperature=0.1)
    expected = 0.25 * 0.96 + 0.75 * (heavy * 1.0 + (1 - heavy) * 0.8)
    assert aligner.align("q", ["i"]) == pytest.approx([expected], abs=1e-3)
    # Of three sentences, the second without a token of its own: [a], [b, c].
    apart = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], np.float32)
    weights, sentences = np.array([0.5, 0.5], np.float32), np.array([0, 2, 2], np.int32)
    assert max_similarity(question.tokens, apart, weights) == pytest.approx(1.0)
    # First: 1 and 0. Second: 0 and 1.
    assert max_similarity(question.tokens, apart, weights, sentences, 1) == pytest.approx(0.5)
    assert max_similarity(question.tokens, apart, weights, sentences, 2) == pytest.approx(1.0)
    assert max_similarity(question.tokens, apart, weights, sentences, 9) == pytest.approx(1.0)
    nothing = np.zeros((0, 2), np.float32)
    assert max_similarity(nothing, item.tokens, nothing[:, 0]) == 0.0


@given(st.integers(1, 5), st.integers(1, 7), st.integers(0, 10_000))
def test_an_item_is_never_nearer_than_itself(tokens: int, others: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    question, item = (rng.normal(size=(n, 8)).astype(np.float32) for n in (tokens, others))
    question /= np.linalg.norm(question, axis=1, keepdims=True)
    item /= np.linalg.norm(item, axis=1, keepdims=True)
    weights = np.full(tokens, 1 / tokens, np.float32)
    found = max_similarity(question, item, weights)
    assert -1 - 1e-6 <= found <= max_similarity(question, question, weights) + 1e-6
    # More of an item cannot make it match worse.
    assert max_similarity(question, np.vstack([item, question]), weights) >= found - 1e-6


def test_what_was_encoded_is_kept_up_to_a_bound() -> None:
    encoded: list[str] = []

    def items(texts: Sequence[str]) -> list[Tokens]:
        encoded.extend(texts)
        return ENCODER.passage_tokens(texts)

    size = 256 * 2  # one word in 16 bits
    aligner = LateInteraction("x", ENCODER.question_tokens, items, str, cache_bytes=2 * size)
    aligner.align("cat", ["cat", "dog"])
    aligner.align("cat", ["cat", "cat"])
    assert encoded == ["cat", "dog"]
    aligner.align("cat", ["bird"])  # the dog was used the longest ago
    aligner.align("cat", ["cat", "dog"])
    assert encoded == ["cat", "dog", "bird", "dog"]


def test_an_answer_in_one_place_is_better_than_its_words_all_over() -> None:
    scattered = "The cat sat. " + "Nobody came. " * 9 + "Backups fail. " + "It rained. " * 9 + "The night was dark."
    together = "It rained. " * 9 + "The cat watched backups at night. " + "Nobody came. " * 10
    whole, near = late(pooled=0.0), late(pooled=0.0, window=2)
    question = "cat backups night"
    assert whole.score(question, [scattered]) == pytest.approx(whole.score(question, [together]), abs=1e-3)
    assert near.score(question, [together])[0] > near.score(question, [scattered])[0] + 0.2


@given(st.lists(st.text("ab c.。", max_size=12), min_size=1, max_size=4), st.integers(1, 4))
def test_a_window_never_gains(texts: list[str], window: int) -> None:
    """What is found within some sentences is found within all."""
    whole, near = late(pooled=0.0).score("a b", texts), late(pooled=0.0, window=window).score("a b", texts)
    assert all(part <= full + 1e-3 for part, full in zip(near, whole, strict=True))
