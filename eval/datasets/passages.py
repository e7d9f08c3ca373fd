"""The documents of a set whose questions bring their passage along: each different passage is a document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from eval.datasets import values
from eval.datasets.corpus import TextCorpus
from eval.datasets.description import Description
from eval.datasets.fields import Fields
from eval.datasets.records import records
from rag.errors import BadRequest


def passage_id(passage: str) -> str:
    """Stays the same wherever the passage stands in the file."""
    return hashlib.sha256(passage.strip().encode()).hexdigest()[:12]


def passage_corpus(paths: Sequence[Path], description: Description) -> TextCorpus:
    """Raises BadRequest naming file and line."""
    texts: dict[str, str] = {}
    for path in paths:
        fields = Fields(description.fields, description.source)
        for _, record in records(path):
            for passage in values.listed(fields.read(record).get("passage")):
                texts[passage_id(str(passage))] = str(passage).strip()
    if not texts:
        raise BadRequest(f"{description.source}: no question has a passage.", "Correct `passage` in [fields].")
    return TextCorpus(description.root, texts)
