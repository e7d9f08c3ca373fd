"""Convex combination of normalised scores: Bruch, Gai and Ingber, ACM TOIS 2023 (doi:10.1145/3596512).

score(d) = Σ_f  w_f · n_f(d) / Σ_f w_f,  with n_f in [0, 1] and f over the families `meaning`, `words` and `pixels`.

Ranks forget by how much one passage is better than the next; scores do not. The price is that scores have to be made comparable:
- `dense` and `entries` are cosines of one space, so they are one family on one scale, and a picture that nothing of fits does not
  become a 1 because it is the best of the pictures. The scale runs from the last passage that `dense` recalled to the best.
- `words`: the scale runs from the passage at `depth` to the best; from 0, which BM25 gives to a passage without a word of the question,
  when fewer were found.
- `pixels`: cosines of another space, from the last to the best.

A passage in another language than the question shares no words with it, however well it answers (a name or a number at most), so
for words it counts at least as it does for meaning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from rag.retrieval.fuse import Fused

Scored = Sequence[tuple[str, float]]

MEANING, WORDS, PIXELS = ("dense", "entries"), ("lexical",), ("pixels",)


def convex_combination(
    rankings: Mapping[str, Scored],
    *,
    depth: int = 100,
    weights: Mapping[str, float] | None = None,
    foreign: Collection[str] = (),
    told: Mapping[str, Mapping[str, int]] | None = None,
) -> list[Fused]:
    """Chunk ids by combined score in [0, 1], best first; equal scores by id. A retriever without a weight counts 1; with 0, nothing.

    The scales are made from the first `depth` of each ranking, so that asking for more does not change the order of what comes
    first. `foreign` are the chunks whose language is not the question's. `told` are the ranks to tell, by chunk id, where they are not
    those of `rankings`.
    """
    weights = weights or {}
    scores = combined_scores(rankings, depth=depth, weights=weights, foreign=foreign)
    if scores is None:
        return []
    ranks = ranks_of(rankings) if told is None else told
    fused = [
        Fused(chunk_id, scores.get(chunk_id, 0.0), found)
        for chunk_id, found in ranks.items()
        if not weights or _counts(found, weights)
    ]
    fused.sort(key=_place)
    return fused


def combined_scores(
    rankings: Mapping[str, Scored],
    *,
    depth: int = 100,
    weights: Mapping[str, float] | None = None,
    foreign: Collection[str] = (),
) -> dict[str, float] | None:
    """The scores alone, in no order, of what has one; None where nothing that counts was found."""
    weights = weights or {}
    families = [_family(members, rankings, weights, depth) for members in (MEANING, WORDS, PIXELS)]
    total = sum(weight for _, weight in families)
    if not total:
        return None
    meaning, words = families[0][0], families[1][0]
    if words and meaning and families[1][1]:
        ratio = families[1][1] / families[0][1] if families[0][1] else 0.0
        for chunk_id in foreign:
            if chunk_id in meaning:
                words[chunk_id] = max(words.get(chunk_id, 0.0), meaning[chunk_id] * ratio)
    scored = [found for found, weight in families if weight]
    sums = dict(scored[0])
    for found in scored[1:]:
        for chunk_id, score in found.items():
            sums[chunk_id] = sums.get(chunk_id, 0.0) + score
    return {chunk_id: score / total for chunk_id, score in sums.items()}


def _place(one: Fused) -> tuple[float, str]:
    return -one.score, one.chunk_id


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
