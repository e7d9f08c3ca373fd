"""The steps of fine ranking: order, weight, what is left out, pictures within their places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Hit
from rag.documents import Chunk, DocumentRef, ImageChunk, ImageData
from rag.fakes import FakeAligner
from rag.retrieval.align import align_all, align_pictures
from rag.retrieval.rerank import from_the_other_language, rerank

DOCUMENT = DocumentRef("d", "d.md", "text/markdown", "default")


class Given:
    """Gives the scores it was made with, for as many texts as it has."""

    name = "given"

    def __init__(self, *scores: float) -> None:
        self.scores = scores

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        return list(self.scores[: len(texts)])


class Sizes:
    """Likes a picture by its number of bytes."""

    name = "sizes"

    def align(self, question: str, items: Sequence[ImageData]) -> list[float]:
        return [float(len(item.data)) for item in items]


def text(name: str, score: float, words: str = "") -> Hit:
    return Hit(Chunk(name, "d", 0, "text", words or name), DOCUMENT, score)


def image(name: str, score: float, size: int = 1) -> Hit:
    return Hit(ImageChunk(name, "d", 0, "hash", "image/png", size, size, ()), DOCUMENT, score)


def picture(chunk: ImageChunk) -> ImageData | None:
    return ImageData(b"x" * chunk.width, "image/png", 1, 1) if chunk.width < 100 else None


def ids(hits: Sequence[Hit]) -> str:
    return "".join(hit.chunk.id for hit in hits)


COARSE = [text("a", 1.0), text("b", 0.75), text("c", 0.5), text("d", 0.25)]


def test_a_weight_blends_fine_and_coarse_scores() -> None:
    fine = Given(0.0, 0.2, 1.0, 0.9)
    assert ids(rerank(fine, "q", COARSE, 4)) == "cdba"
    # Coarse over the four: 1, 2/3, 1/3, 0. With half each: a .5, b .4333, c .6667, d .45.
    blended = rerank(fine, "q", COARSE, 4, weight=0.5)
    assert ids(blended) == "cadb"
    assert [hit.score for hit in blended] == pytest.approx([2 / 3, 0.5, 0.45, 0.4333333])
    assert ids(rerank(fine, "q", COARSE, 4, weight=0.0)) == "abcd"


def test_what_a_budget_left_out_stays_in_its_order_behind() -> None:
    assert ids(rerank(Given(0.1, 0.9), "q", COARSE, 4)) == "bacd"
    assert ids(rerank(Given(), "q", COARSE, 4)) == "abcd"
    assert ids(rerank(Given(0.1, 0.9, 0.5), "q", COARSE, 2)) == "bacd"


@given(st.lists(st.floats(-10, 10), max_size=6), st.floats(0, 1), st.integers(1, 6))
def test_nothing_is_lost_and_scores_fall(scores: list[float], weight: float, depth: int) -> None:
    hits = rerank(Given(*scores), "q", COARSE, depth, weight=weight)
    assert sorted(ids(hits)) == list("abcd")
    assert all(first.score >= second.score for first, second in pairwise(hits))


def test_pictures_change_places_among_themselves_only() -> None:
    hits = [text("a", 0.9), image("P", 0.8, 1), text("b", 0.7), image("Q", 0.6, 9), image("R", 0.1, 5), text("c", 0.0)]
    found = align_pictures("q", hits, Sizes(), picture, depth=6, weight=1.0)
    assert ids(found) == "aQbRPc"
    assert [hit.score for hit in found] == [hit.score for hit in hits]
    # P has coarse 1 and fine 0, Q .714 and 1, R 0 and .5: with a fifth of the fine one P stays first.
    assert ids(align_pictures("q", hits, Sizes(), picture, depth=6, weight=0.2)) == "aPbQRc"
    assert ids(align_pictures("q", hits, Sizes(), picture, depth=3)) == ids(hits)
    assert ids(align_pictures("q", [image("P", 1, 100)], Sizes(), picture, depth=3)) == "P"


def test_everything_is_aligned_pictures_by_their_pixels_too() -> None:
    hits = [text("a", 0.9, "a dog"), text("b", 0.5, "a cat sleeps"), image("P", 0.4, 1), image("Q", 0.3, 9)]
    assert ids(align_all("cat", hits, FakeAligner())) == "baPQ"
    # By words all but b have 0; by pixels Q has 1 and P 0, halved.
    found = align_all("cat", hits, FakeAligner(), Sizes(), picture)
    assert [(hit.chunk.id, hit.score) for hit in found] == [("b", 1.0), ("Q", 0.5), ("a", 0.0), ("P", 0.0)]
    assert align_all("cat", [], FakeAligner()) == []


@pytest.mark.parametrize(
    ("asked", "languages", "foreign"),
    [
        ("zh", ["en"] * 5, True),
        ("en", ["zh"] * 4 + ["en"], True),
        ("en", ["zh"] * 3 + ["en"], False),
        ("zh", ["en", "zh"], False),
        ("zh", ["mul", "mul"], False),
        ("en", ["ja", "ja"], False),
        ("ja", ["en", "en"], False),
        ("zh", [], False),
    ],
)
def test_most_of_the_first_passages_are_in_the_other_language(asked: str, languages: list[str], foreign: bool) -> None:
    assert from_the_other_language(asked, languages) is foreign


def test_pictures_keep_their_places_among_reranked_passages() -> None:
    hits = [image("p", 0.2), text("a", 0.9), image("q", 0.8), text("b", 0.7), text("c", 0.6), image("r", 0.5)]
    ranked = rerank(Given(0.1, 0.3), "q", hits, 4)
    assert ids(ranked) == "pbqacr"
    assert [hit.score for hit in ranked] == [0.3, 0.3, 0.3, 0.1, 0.1, 0.1]
    assert rerank(Given(), "q", hits[:1], 4) == hits[:1]
