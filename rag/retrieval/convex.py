"""Convex combination of normalised scores: Bruch, Gai and Ingber, ACM TOIS 2023 (doi:10.1145/3596512).

score(d) = Σ_f  w_f · n_f(d) / Σ_f w_f,  with n_f in [0, 1] and f over the families `meaning`, `words`, `pixels`, and each further retriever.

Ranks forget by how much one passage is better than the next; scores do not. The price is that scores have to be made comparable:
- `dense` and `entries` are cosines of one space, so they are one family on one scale, and a picture that nothing of fits does not
  become a 1 because it is the best of the pictures. The scale runs from the last passage that `dense` recalled to the best.
- `words`: the scale runs from the passage at `depth` to the best; from 0, which BM25 gives to a passage without a word of the question,
  when fewer were found.
- `pixels`: cosines of another space, from the last to the best; a further retriever likewise, whatever its scores are.

A passage in another language than the question shares no words with it, however well it answers (a name or a number at most), so
for words it counts at least as it does for meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from rag.retrieval.fuse import Fused

Scored = Sequence[tuple[str, float]]

MEANING, WORDS, PIXELS = ("dense", "entries"), ("lexical",), ("pixels",)
KNOWN = frozenset((*MEANING, *WORDS, *PIXELS))


class Convex:
    """The families that feedback leaves alone are scored once; `meaning` is given anew for each `scores` and `fused`.

    The scales are made from the first `depth` of each ranking, so that asking for more does not change the order of what comes
    first. `foreign` are the chunks whose language is not the question's. A retriever without a weight counts 1; with 0, nothing.
    """

    def __init__(
        self,
        rankings: Mapping[str, Scored],
        *,
        depth: int = 100,
        weights: Mapping[str, float] | None = None,
        foreign: Collection[str] = (),
    ) -> None:
        self._weights, self._depth, self._foreign = weights or {}, depth, foreign
        self._words = _family(WORDS, rankings, self._weights, depth)
        others = [PIXELS, *((name,) for name in rankings if name not in KNOWN)]
        self._others = [_family(members, rankings, self._weights, depth) for members in others]

    def scores(self, meaning: Mapping[str, Scored]) -> dict[str, float] | None:
        """By chunk id, in no order, of what has a score; None where nothing that counts was found."""
        near, weight = _family(MEANING, meaning, self._weights, self._depth)
        found, of_words = self._words
        total = weight + of_words + sum(of_others for _, of_others in self._others)
        if not total:
            return None
        sums = dict(near)
        if of_words:
            words = found
            if found and near:
                words, ratio = dict(found), of_words / weight
                for chunk_id in self._foreign:
                    if chunk_id in near:
                        words[chunk_id] = max(words.get(chunk_id, 0.0), near[chunk_id] * ratio)
            _add(sums, words)
        for others, _ in self._others:
            _add(sums, others)
        return {chunk_id: score / total for chunk_id, score in sums.items()}

    def fused(self, meaning: Mapping[str, Scored], ranks: Mapping[str, Mapping[str, int]]) -> list[Fused]:
        """All that have `ranks` and were found by a retriever that counts: by score in [0, 1], best first; equal scores by id."""
        scores, weights = self.scores(meaning), self._weights
        if scores is None:
            return []
        counting = ranks if not weights else {id_: found for id_, found in ranks.items() if _counts(found, weights)}
        # Tuples are sorted without a function to be called for each: an id comes once, so that ranks are never compared.
        placed = sorted([(-scores.get(chunk_id, 0.0), chunk_id, found) for chunk_id, found in counting.items()])
        return [Fused(chunk_id, -score, found) for score, chunk_id, found in placed]


def convex_combination(
    rankings: Mapping[str, Scored],
    *,
    depth: int = 100,
    weights: Mapping[str, float] | None = None,
    foreign: Collection[str] = (),
) -> list[Fused]:
    """Without feedback: chunk ids by combined score in [0, 1], best first; equal scores by id."""
    return Convex(rankings, depth=depth, weights=weights, foreign=foreign).fused(rankings, ranks_of(rankings))


def _add(sums: dict[str, float], scores: Mapping[str, float]) -> None:
    for chunk_id, score in scores.items():
        sums[chunk_id] = sums.get(chunk_id, 0.0) + score


def ranks_of(rankings: Mapping[str, Scored]) -> dict[str, dict[str, int]]:
    """The rank, from 1, at which each retriever found a chunk, by chunk id and retriever."""
    ranks: dict[str, dict[str, int]] = {}
    for name, ranking in rankings.items():
        for rank, (chunk_id, _) in enumerate(ranking, start=1):
            ranks.setdefault(chunk_id, {}).setdefault(name, rank)
    return ranks


def _family(
    members: Sequence[str], rankings: Mapping[str, Scored], weights: Mapping[str, float], depth: int
) -> tuple[dict[str, float], float]:
    """Weighted scores in [0, weight] of what a family found, and its weight: 0 when it found nothing."""
    present = [(name, rankings[name], weights.get(name, 1.0)) for name in members if rankings.get(name)]
    present = [member for member in present if member[2] > 0]
    if not present:
        return {}, 0.0
    # The first member that found something gives the scale's foot.
    foot = present[0][1][: max(1, depth)]
    low = 0.0 if members == WORDS and len(foot) < depth else foot[-1][1]
    high = max(ranking[0][1] for _, ranking, _ in present)
    best: dict[str, float] = {}
    for _, ranking, weight in present:
        scores = np.array([score for _, score in ranking], np.float64)
        normal = np.ones_like(scores) if high <= low else np.clip((scores - low) / (high - low), 0.0, 1.0)
        for (chunk_id, _), score in zip(ranking, (weight * normal).tolist(), strict=True):
            if score >= best.get(chunk_id, 0.0):
                best[chunk_id] = score
    return best, max(weight for _, _, weight in present)


def _counts(found: Mapping[str, int], weights: Mapping[str, float]) -> bool:
    return any(weights.get(name, 1.0) > 0 for name in found)
