"""Questions without a model: one kind of evidence a file, all in `RULES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from eval.generate.candidate import Candidate, Kind, SourcePassage
from eval.generate.rules.captions import captions
from eval.generate.rules.definitions import definitions
from eval.generate.rules.headings import headings
from eval.generate.rules.tables import tables

RULES: dict[Kind, Callable[[SourcePassage], Iterator[Candidate]]] = {
    "heading": headings,
    "definition": definitions,
    "table": tables,
    "caption": captions,
}

__all__ = ["RULES"]
