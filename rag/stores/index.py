"""Keeps the vector index equal to the library: the outbox after every publication, a check at start, a rebuild on demand."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from rag.errors import StoreCorrupt
from rag.protocols import IndexKey, Together, Vectors, VectorStore
from rag.stores.library import SqliteLibrary

log = logging.getLogger(__name__)

_BATCH = 2_000
_REBUILD_BATCH = 5_000
_PROBES = 10
_SAME = 0.999
_ASKED = 500
"""Vectors that the graph is asked for by one call: 0.2 ms each among 1,000 vectors, 0.9 among 10,000; alone 0.8 and 3."""
_SAMPLED = 64
_NEAR = 50
"""Neighbours that each of many is asked for: what is among them is reached, and does not have to be asked for itself."""
_MENDINGS = 3
_FEW = 1_000
"""Vectors up to which each is asked for itself; also all of an index of so few at its opening, in 0.2 s: Chroma makes its graph anew each time."""


@dataclass(frozen=True, slots=True)
class IndexState:
    """How many vectors the library says an index should have, how many it has, and whether its vectors find themselves."""

    key: IndexKey
    expected: int
    found: int
    answers: bool

    @property
    def sound(self) -> bool:
        return self.answers and self.expected == self.found


@dataclass(slots=True)
class _Changes:
    """Of one index: what becomes of each vector in the end, and which were deleted on the way."""

    last: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)


def _by_index(rows: list[tuple[int, str, str, str, str]]) -> dict[tuple[str, str], _Changes]:
    """Rows of the outbox (seq, operation, collection, content, vector id) gathered by index. A call of Chroma costs as much for
    one vector as for hundreds, and new versions of documents delete and add in turns."""
    found: dict[tuple[str, str], _Changes] = {}
    for _, operation, collection, content, vector_id in rows:
        changes = found.setdefault((collection, content), _Changes())
        changes.last[vector_id] = operation
        if operation == "delete":
            changes.deleted.add(vector_id)
    return found


class VectorIndex:
    """The derived index. `spaces` names the active space of each content: text, entries and, with an image encoder, pixels."""

    def __init__(self, library: SqliteLibrary, store: VectorStore, spaces: Mapping[str, str]) -> None:
        self._library, self._store, self._spaces = library, store, dict(spaces)
        self._guard = threading.RLock()
        self._new: dict[IndexKey, set[str]] = {}
        self.last_run: dict[IndexKey, set[str]] = {}
        """What `reach` asked for last."""

    def key(self, collection: str, content: str) -> IndexKey | None:
        space_id = self._spaces.get(content)
        return IndexKey(collection, space_id, content) if space_id else None  # type: ignore[arg-type]

    def flush(self, *, again: bool = False) -> int:
        """Carries the outbox over into the index; answers how many changes. What is interrupted is carried over `again` at the
        next start."""
        done = 0
        with self._guard:
            while True:
                rows = self._library.database.reader.execute(
                    "SELECT seq, operation, collection, content, vector_id FROM outbox ORDER BY seq LIMIT ?", (_BATCH,)
                ).fetchall()
                if not rows:
                    return done
                for (collection, content), changes in _by_index(rows).items():
                    key = self.key(collection, content)
                    if key is not None:
                        self._carry(key, changes, again)
                with self._library.database.transaction() as db:
                    db.execute("DELETE FROM outbox WHERE seq <= ?", (rows[-1][0],))
                done += len(rows)

    def _carry(self, key: IndexKey, changes: _Changes, again: bool) -> None:
        # A vector that is put over itself can drop out of an HNSW graph: in 30 kills (benchmarks/kill9.py) it happened once that a chunk
        # was not found by its own vector any more (decision 6). So what is there already stays untouched.
        added = [id_ for id_, operation in changes.last.items() if operation == "upsert"]
        kept = self._unchanged(key, added if again else [id_ for id_ in added if id_ in changes.deleted])
        self._store.delete(key, sorted((changes.deleted | set(added) if again else changes.deleted) - kept))
        self._store.upsert(key, *self._library.vectors_by_id(key, [id_ for id_ in added if id_ not in kept]))
        self._new.setdefault(key, set()).difference_update(changes.deleted)
        self._new[key].update(added)

    def reach(self, ids: Mapping[IndexKey, set[str]] | None = None) -> int:
        """Asks the graphs for what was put into them since the last time, or for these, and puts in anew what they do not find by its own
        vector. Answers how many they still do not find."""
        with self._guard:
            new = dict(ids) if ids is not None else self._new
            self._new, self.last_run = {}, new
            return sum(self._reach(key, asked) for key, asked in new.items())

    def _reach(self, key: IndexKey, ids: set[str]) -> int:
        lost = self._unreached(key, ids)
        for _ in range(_MENDINGS):
            if not lost:
                return 0
            self._store.delete(key, sorted(lost))
            self._store.upsert(key, *self._library.vectors_by_id(key, sorted(lost)))
            # Another may have dropped out by that.
            lost = self._unreached(key, ids)
        if lost:
            log.warning(
                "%d of %d new vectors of %s are not found by the vector index. Words find them; `tuwen doctor --rebuild` makes another index.",
                len(lost), len(ids), key.collection,
            )  # fmt: skip
        return len(lost)

    def _unreached(self, key: IndexKey, ids: set[str]) -> set[str]:
        """Those that the graph does not find by their own vector."""
        few = len(ids) <= _FEW
        order = sorted(ids)
        if not few:
            # Neighbours stand beside each other, and one of them shows the others.
            random.Random(0).shuffle(order)  # noqa: S311 - nothing is kept secret by it
        lost: set[str] = set()
        seen: set[str] = set()
        coming = iter(order)
        while part := list(islice((id_ for id_ in coming if id_ not in seen), _ASKED if few else _SAMPLED)):
            there, vectors = self._library.vectors_by_id(key, part)
            for id_, found in zip(there, self._nearest(key, vectors, 1 if few else _NEAR), strict=True):
                if not found or found[0][1] < _SAME:
                    lost.add(id_)
                if not few:
                    seen.update(other for other, _ in found)
        return lost

    def _nearest(self, key: IndexKey, vectors: Vectors, k: int) -> list[list[tuple[str, float]]]:
        if isinstance(self._store, Together):
            return self._store.query_together([(key, vector, k) for vector in vectors])
        return [self._store.query(key, vector, k) for vector in vectors]

    def _unchanged(self, key: IndexKey, ids: list[str]) -> set[str]:
        """Those that the index has with the library's own vector."""
        held = dict(zip(*self._store.held(key, ids), strict=True)) if ids else {}
        wanted = zip(*self._library.vectors_by_id(key, list(held)), strict=True) if held else ()
        return {id_ for id_, vector in wanted if float(held[id_] @ vector) > _SAME}

    def examine(self) -> list[IndexState]:
        """Compares every index with the library, and asks each for some of its own vectors."""
        states = []
        for key in self._expected_keys():
            expected = self._library.vector_ids(key)
            try:
                known = sorted(expected)[:: max(1, len(expected) // _PROBES)]
                found, answers = self._store.count(key), self._probe(key, known)
            except StoreCorrupt:
                found, answers = 0, False
            states.append(IndexState(key, len(expected), found, answers))
        return states

    def _probe(self, key: IndexKey, known: list[str]) -> bool:
        """Whether each of some vectors finds itself. Nothing is written: see `_carry`."""
        ids, vectors = self._library.vectors_by_id(key, known)
        nearest = [self._store.query(key, vector, 1) for vector in vectors]
        return len(ids) == len(known) and all(found and found[0][1] > _SAME for found in nearest)

    def recover(self) -> list[IndexState]:
        """At start: finishes what was interrupted, then repairs what does not agree with the library. Answers the repaired."""
        try:
            self.flush(again=True)
        except StoreCorrupt:
            self._forget_outbox()
            unsound = self.examine()
            for state in unsound:
                self._rebuild(state.key)
            return unsound
        states = self.examine()
        unsound = [state for state in states if not state.sound]
        small = [state.key for state in states if state.sound and state.expected <= _FEW]
        self.reach({key: self._library.vector_ids(key) for key in small})
        for state in unsound:
            if not (state.answers and self._mend(state.key)):
                self._rebuild(state.key)
        return unsound

    def _mend(self, key: IndexKey) -> bool:
        """Adds what is missing and removes what is not the library's; false when the index still does not agree."""
        try:
            expected, found = self._library.vector_ids(key), self._store.ids(key)
            self._store.delete(key, sorted(found - expected))
            self._store.upsert(key, *self._library.vectors_by_id(key, sorted(expected - found)))
            return self._store.count(key) == len(expected)
        except StoreCorrupt:
            return False

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Makes every index anew from the library's vectors, and drops those that nothing needs. Answers the vectors."""
        with self._guard:
            self._forget_outbox()
            keys = self._expected_keys()
            for key in set(self._store.keys()) - set(keys):
                self._store.drop(key)
            total = sum(len(self._library.vector_ids(key)) for key in keys)
            done = 0
            for key in keys:
                done += self._rebuild(key)
                if progress:
                    progress(done, total)
            return done

    def _rebuild(self, key: IndexKey) -> int:
        self._store.drop(key)
        ids = sorted(self._library.vector_ids(key))
        for start in range(0, len(ids), _REBUILD_BATCH):
            part = ids[start : start + _REBUILD_BATCH]
            self._store.upsert(key, *self._library.vectors_by_id(key, part))
        self._new.pop(key, None)
        self._reach(key, set(ids))
        return len(ids)

    def _expected_keys(self) -> list[IndexKey]:
        found = (self.key(collection, content) for collection, content in self._library.index_contents())
        return [key for key in found if key is not None]

    def _forget_outbox(self) -> None:
        with self._library.database.transaction() as db:
            db.execute("DELETE FROM outbox")
