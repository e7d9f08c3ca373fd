"""The vectors of a question's candidates, as the steps after fusion read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.protocols import Vectors


@dataclass(frozen=True, slots=True)
class Near:
    """Unit vectors `[n, dimension]`, and the row of each chunk id; a picture has none."""

    rows: Mapping[str, int]
    vectors: Vectors

    @classmethod
    def of(cls, ids: Sequence[str], vectors: Vectors) -> Near:
        return cls({id_: row for row, id_ in enumerate(ids)}, vectors)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def __contains__(self, id_: str) -> bool:
        return id_ in self.rows

    def of_ids(self, ids: Sequence[str]) -> Vectors:
        """`[len(ids), dimension]`; all have to be there."""
        return self.vectors[[self.rows[id_] for id_ in ids]]


NOTHING_NEAR = Near({}, np.empty((0, 0), np.float32))
