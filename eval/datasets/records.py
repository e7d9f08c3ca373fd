"""One object a question, from JSONL, a JSON list or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.datasets.csv_rows import csv_rows
from eval.datasets.lines import Place, json_objects

SUFFIXES = frozenset({".jsonl", ".json", ".csv", ".tsv"})


def records(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Raises BadRequest naming file and line."""
    return csv_rows(path) if path.suffix.casefold() in {".csv", ".tsv"} else json_objects(path)
