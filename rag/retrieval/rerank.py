"""Fine ranking: a reranker reads question and passage together and orders the first hits anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rag.answers import Hit
from rag.documents import Chunk
from rag.protocols import Reranker


@dataclass(frozen=True, slots=True)
class Gate:
    """How far a reranker is let through: the weight of its scores, and how many hits it orders. 0 of either keeps the coarse order."""

    weight: float
    depth: int

    @property
    def open(self) -> bool:
        return self.weight > 0 and self.depth > 0


CLOSED = Gate(0.0, 0)
FOREIGN = "foreign"
"""In place of a language: the gate of a question whose first passages are in another one."""


def from_the_other_language(asked: str, languages: Collection[str]) -> bool:
    """Whether more than three quarters of the passages are in the other of the two languages that were measured, English and Chinese. Where a
    collection has both, half of a question's first passages often are, and waiting for them gained nothing (docs/reranking.md)."""
    others = {"en": "zh", "zh": "en"}
    return sum(language == others.get(asked) for language in languages) * 4 > 3 * len(languages)


def rerank(reranker: Reranker, question: str, hits: Sequence[Hit], depth: int, *, weight: float = 1.0) -> list[Hit]:
    """The passages among the first `depth` hits by the reranker's score, within the places that passages have; pictures keep theirs, and the rest
    their order behind them. Raises what the reranker raises.

    A picture's few words (a name, a label, a line that was read on it) are no passage to compare: of 500 emoji with Chinese names, English
    names found .69 among the first five with late interaction over those words, .75 without.

    A `weight` below 1 is that of the reranker in a convex combination with the coarse scores, both brought to [0, 1] over the
    hits that were scored (Bruch, Gai and Ingber, ACM TOIS 2023). What a reranker left out, because its time was over, keeps its
    order behind what it scored. No score is above that of a better hit.
    """
    read = [(place, hit.chunk) for place, hit in enumerate(hits[:depth]) if isinstance(hit.chunk, Chunk)]
    # With the headings it stands under, as it was embedded.
    fine = reranker.score(question, [chunk.embedded_text for _, chunk in read]) if read else []
    places = [place for place, _ in read[: len(fine)]]
    scores = combined(fine, [hits[place].score for place in places], weight)
    ranked = sorted(zip(places, scores, strict=True), key=lambda pair: -pair[1])
    placed = {place: replace(hits[taken], score=score) for place, (taken, score) in zip(places, ranked, strict=True)}
    result: list[Hit] = []
    bound, last = max(scores, default=float("inf")), max(places, default=-1)
    for place, hit in enumerate(hits):
        one = placed.get(place) or replace(hit, score=bound if place < last else min(hit.score, bound))
        bound = one.score
        result.append(one)
    return result


def combined(fine: Sequence[float], coarse: Sequence[float], weight: float) -> list[float]:
    """The scores to order by: `fine` as they are at a weight of 1, and otherwise a mixture in [0, 1]."""
    if weight >= 1:
        return list(fine)
    pairs = zip(_to_unit(fine), _to_unit(coarse), strict=True)
    return [weight * new + (1 - weight) * old for new, old in pairs]


def _to_unit(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]
