"""Extractive compression: of a passage, the sentences that the question is about (as RECOMP's extractive side does with an encoder, Xu et
al. 2023, arXiv:2310.04408; here by words, since encoding fifty sentences costs more than reading them).

A sentence scores by the question's words that it has, each by how rare it is among the sentences of the passage, and half by its
neighbours: an answer often stands beside the words that were asked with.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from math import log

from rag.stems import stems
from rag.words import sentence_spans

GAP = " … "


def compress(text: str, asked: AbstractSet[str], share: float) -> str:
    """The best sentences, `share` in (0, 1] of the characters at most but at least one, in their order, `…` where something was left out.
    `asked` are the stems of the question; a text without any of them is left alone, as one in another language is."""
    spans = sentence_spans(text)
    held = [asked & set(stems(text[start:end])) for start, end in spans]
    if share >= 1 or len(spans) < 2 or not any(held):
        return text
    rarity = {word: log(1 + len(spans) / sum(word in words for words in held)) for word in set().union(*held)}
    own = [sum(rarity[word] for word in words) for words in held]
    around = [own[place] + (sum(own[max(0, place - 1) : place + 2]) - own[place]) / 2 for place in range(len(own))]
    room, kept = share * len(text), set[int]()
    for place in sorted(range(len(spans)), key=lambda one: (-around[one], one)):
        length = spans[place][1] - spans[place][0]
        if kept and (length > room or around[place] <= 0):
            continue
        kept.add(place)
        room -= length
    pieces: list[str] = []
    last = -1
    for place in sorted(kept):
        start, end = spans[place]
        between = text[spans[last][1] : start] if place == last + 1 and last >= 0 else GAP
        pieces += [between, text[start:end]] if pieces or place else [text[start:end]]
        last = place
    return "".join(pieces).strip() + ("" if last == len(spans) - 1 else GAP.rstrip())
