"""What the bench itself costs: the share of a run's time that is not spent inside the system that is measured.

The system is a real service over a real data set. Time inside is what its methods take (ingest, searches, chunks looked up); outside is
everything else: reading the set, measures, tracing, the run's folder. Opening models at the first search counts as inside.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import Limit, arguments, report


class Timed:
    """A System that adds up the time spent in it."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.inside, self._guard = inner, 0.0, threading.Lock()

    def _add(self, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        try:
            return work()
        finally:
            with self._guard:
                self.inside += time.perf_counter() - began

    def fill(self, files: Sequence[Any], on_file: Callable[[], None]) -> Any:
        return self._add(lambda: self._inner.fill(files, on_file))

    def search(self, question: str, top_k: int) -> Any:
        return self._add(lambda: self._inner.search(question, top_k))

    def answer(self, question: str, top_k: int, **more: Any) -> Any:
        return self._add(lambda: self._inner.answer(question, top_k, **more))

    def chunks(self, document: str) -> Any:
        return self._add(lambda: self._inner.chunks(document))

    def describe(self) -> Any:
        return self._inner.describe()

    def close(self) -> None:
        self._inner.close()


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True, help="a labelled set, for example BEIR's SciFact")
    parser.add_argument("--cache", type=Path, help="where indexes are kept; without it the run begins from nothing")
    parser.add_argument("--limit", type=int, help="only the first questions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuwen-overhead-", ignore_cleanup_errors=True) as folder:
        figures = measure(given.data_set, given.cache or Path(folder), given.limit)
    bound = Limit("time outside the system / all", figures["share outside"], 0.05)
    return report("eval_overhead", figures, [bound], given.json)


def measure(place: Path, cache: Path, limit: int | None) -> dict[str, Any]:
    from api.settings import load as load_settings
    from eval.bench import bench
    from eval.datasets.load import load
    from eval.runner import local_system

    # Importing is what the system does, too, at its start.
    began = time.perf_counter()
    dataset = load(place).first(limit)
    system = Timed(local_system(load_settings(), cache, dataset.corpus.digest))
    try:
        with tempfile.TemporaryDirectory() as out:
            result = bench(system, dataset, cache=cache, out=Path(out))
    finally:
        system.close()
    total = time.perf_counter() - began
    return {
        "documents": result["index"]["documents"],
        "unchanged": result["index"]["unchanged"],
        "questions": result["config"]["questions"],
        "total, s": total,
        "inside the system, s": system.inside,
        "outside, s": total - system.inside,
        "share outside": (total - system.inside) / total,
    }


if __name__ == "__main__":
    sys.exit(main())
