"""What words cannot find: a passage in another language than the question shares no words with it, however well it answers.

Fusion rewards what several retrievers agree on, so such a passage would lose to every passage of the question's own language that
both vectors and words found. It is given, for words, the rank that its vector has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def beyond_words(rankings: Mapping[str, Sequence[str]], languages: Mapping[str, str], question: str) -> dict[str, int]:
    """Ranks (from 1) to assume in `lexical`, of chunks found by `dense` alone whose language is not the `question`'s."""
    if "lexical" not in rankings:
        return {}
    by_words = set(rankings["lexical"])
    return {
        chunk_id: rank
        for rank, chunk_id in enumerate(rankings.get("dense", ()), start=1)
        if chunk_id not in by_words and languages.get(chunk_id, question) != question
    }
