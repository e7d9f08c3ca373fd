"""Whether two data directories hold the same: documents, elements, chunks, entries, words, vectors and blobs, row by row.

Two ingests of the same files differ in times and row numbers, which are left out. Vectors of int8 weights depend a little on the other
texts of their forward, so they are compared by their angle; everything else has to be equal to the byte.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Limit, arguments, report

_ROWS = {
    "documents": "SELECT id, collection, name, media_type, sha256, settings, size, title, language, page_count, metadata, "
    "source, warnings, container FROM documents",
    "pages": "SELECT document_id, number, width, height, source FROM pages",
    "elements": "SELECT document_id, ordinal, kind, text, page, boxes, level, caption, image_sha256 FROM elements",
    "chunks": "SELECT id, document_id, ordinal, kind, text, context, headings, page, boxes, tokens, language, digest, "
    "window_first, window_last, image_sha256, media_type, width, height FROM chunks",
    "entries": "SELECT c.id, e.ordinal, e.kind, e.text, e.source, e.digest FROM entries e JOIN chunks c ON c.rowid = e.chunk",
    "words": "SELECT c.id, l.words, l.collection FROM lexemes l JOIN chunks c ON c.rowid = l.chunk",
    "blobs": "SELECT document_id, sha256 FROM blobs",
    "failures": "SELECT collection, name, sha256, settings, error FROM failures",
}
LEAST_COSINE = 0.97
"""Below this two vectors are not of one text. Two ingests of 15 real files gave 0.9897 for the text that suffered most from int8."""


def differences(first: Path, second: Path) -> dict[str, int]:
    """For each kind of row how many stand in one directory only, or more often; for vectors how many point elsewhere."""
    found: dict[str, int] = {}
    with closing(_open(first)) as one, closing(_open(second)) as other:
        for name, query in _ROWS.items():
            found[name] = _unequal(one.execute(query).fetchall(), other.execute(query).fetchall())
        found["vectors"], _ = _vectors(one, other)
    found["blob files"] = len(_files(first / "blobs") ^ _files(second / "blobs"))
    return found


def least_cosine(first: Path, second: Path) -> float:
    """Of the vectors of one text in both directories; 1.0 where there are none."""
    with closing(_open(first)) as one, closing(_open(second)) as other:
        return _vectors(one, other)[1]


def _open(data: Path) -> sqlite3.Connection:
    path = data / "library.sqlite3"
    if not path.is_file():
        raise SystemExit(f"{data} holds no library")
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _unequal(one: list[Any], other: list[Any]) -> int:
    counts: dict[Any, int] = {}
    for row in one:
        counts[row] = counts.get(row, 0) + 1
    for row in other:
        counts[row] = counts.get(row, 0) - 1
    return sum(abs(count) for count in counts.values())


def _vectors(one: sqlite3.Connection, other: sqlite3.Connection) -> tuple[int, float]:
    query = "SELECT space_id, digest, vector FROM embeddings"
    left = {(space, key): vector for space, key, vector in one.execute(query)}
    right = {(space, key): vector for space, key, vector in other.execute(query)}
    wrong, least = len(left.keys() ^ right.keys()), 1.0
    for key in left.keys() & right.keys():
        if left[key] == right[key]:
            continue
        a, b = (np.frombuffer(side[key], "<f4") for side in (left, right))
        cosine = float(a @ b / max(1e-9, np.linalg.norm(a) * np.linalg.norm(b))) if len(a) == len(b) else 0.0
        least = min(least, cosine)
        wrong += cosine < LEAST_COSINE
    return wrong, least


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    args = parser.parse_args()
    found = differences(args.first, args.second)
    figures = {"least cosine of two vectors of one text": least_cosine(args.first, args.second)}
    return report("stores", figures, [Limit(name, count, 0) for name, count in found.items()], args.json)


if __name__ == "__main__":
    sys.exit(main())
