"""Which judgements count as relevant: a grade of 1 or more, as trec_eval's default (`-l 1`).

A grade of 0 or below says that a person looked and found the document not relevant; without a judgement a document is
not relevant either.
"""

from __future__ import annotations

from collections.abc import Mapping


def relevant(judged: Mapping[str, int]) -> frozenset[str]:
    return frozenset(document for document, grade in judged.items() if grade > 0)
