"""Each step of the question flow switched on, off or otherwise, against the default, on the same questions of labelled sets.

Differences are paired by question: mean, 95 % interval by bootstrap, p by Fisher's randomisation test, and p after Holm's correction
over all rows of the table. A step may be looked at on questions with a typing error in one word (`--typos`).

    python -m benchmarks.retrieval_steps --data-set SCIFACT --data-set CRANFIELD --questions 300
    python -m benchmarks.retrieval_steps --data-set SCIFACT --typos --steps spelling-off
    python -m benchmarks.retrieval_steps --data-set SQUAD --measure read --steps merge compress-0.5

The measure `read` is whether an expected answer stands, word for word, in the passages that a generator would be given.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from benchmarks.common import arguments, directory

if TYPE_CHECKING:
    from api.service import Service
    from api.settings import Settings
    from eval.datasets.model import Dataset, Question
    from rag.engine import Engine
    from rag.protocols import Generator, Reranker, TextEncoder, Vectors

STEPS: Mapping[str, Mapping[str, Any]] = {
    "vector": {"scheme": "vector"},
    "rrf": {"fusion": "rrf"},
    "rrf-regularise-0": {"fusion": "rrf", "regularise": 0.0},
    "rocchio-0": {"rocchio": 0.0},
    "rocchio-0-regularise-0": {"rocchio": 0.0, "regularise": 0.0},
    "rocchio-0.6": {"rocchio": 0.6},
    "regularise-0": {"regularise": 0.0},
    "regularise-0.2": {"regularise": 0.2},
    "regularise-0.5": {"regularise": 0.5},
    "diversity-0.1": {"diversity": 0.1},
    "diversity-0.3": {"diversity": 0.3},
    "fold-off": {"fold": "off"},
    "fold-same": {"fold": "same"},
    "spelling-off": {"spelling": False},
    "late-0.3": {"reranker": "late", "rerank_weight": 0.3, "rerank_depth": 10},
    "late-0.5": {"reranker": "late", "rerank_weight": 0.5, "rerank_depth": 10},
    "late-1": {"reranker": "late", "rerank_weight": 1.0, "rerank_depth": 10},
    "merge": {"merge": True},
    "compress-0.7": {"compress": 0.7},
    "compress-0.5": {"compress": 0.5},
    "passages-10": {"passages": 10},
    "passages-10-compress-0.5": {"passages": 10, "compress": 0.5},
    "half-budget": {"passage_tokens": 600},
    "half-budget-merge": {"passage_tokens": 600, "merge": True},
    "half-budget-compress-0.5": {"passage_tokens": 600, "compress": 0.5},
}
_WORD = re.compile(r"[a-z]{5,}")
"""Words that get a typing error: lower-case Latin ones, long enough to be told from others."""


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, action="append", required=True, help="a labelled set; several times")
    parser.add_argument("--steps", nargs="*", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--questions", type=int, default=300, help="of each set, evenly over it")
    parser.add_argument("--measure", default="ndcg@10")
    parser.add_argument("--typos", action="store_true", help="a typing error in one word of each question")
    parser.add_argument("--data", type=Path, help="data directory to keep (default: a temporary one)")
    parser.add_argument("--no-ingest", action="store_true", help="each set is in the collection of its name already")
    args = parser.parse_args()

    from api.service import open_service
    from api.settings import load as load_settings
    from eval.significance import holm

    measured: list[_Row] = []
    with directory(args.data, "steps") as data, open_service(load_settings(data)) as service:
        for path in args.data_set:
            measured += _measure(
                service, path, args.steps, args.questions, args.measure, args.typos, not args.no_ingest
            )
    if len(args.data_set) > 1:
        measured += [_together(measured, step) for step in args.steps]
    rows = [row.figures() for row in measured]
    for place, corrected in holm({str(place): row["p"] for place, row in enumerate(rows)}).items():
        rows[int(place)]["p_holm"] = corrected
    if args.json:
        print(json.dumps({"benchmark": "retrieval_steps", "measure": args.measure, "typos": args.typos, "rows": rows}))
        return 0
    print(
        f"| set | questions | step | {args.measure} default → step | difference | 95 % | p | p, Holm | p50 ms | tokens read |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        low, high = row["interval"]
        print(
            f"| {row['set']} | {row['questions']} | {row['step']} | {row['default']:.3f} → {row['changed']:.3f}"
            f" | {row['difference']:+.4f} | {low:+.4f} … {high:+.4f} | {row['p']:.3f} | {row['p_holm']:.3f}"
            f" | {row['default_ms']:.1f} → {row['changed_ms']:.1f}"
            f" | {row['default_tokens']:.0f} → {row['changed_tokens']:.0f} |"
        )
    return 0


def _measure(
    service: Service, path: Path, steps: Sequence[str], count: int, measure: str, typos: bool, ingest: bool
) -> list[_Row]:
    from eval.datasets.load import load
    from ingest.files import InputFile

    dataset, collection = load(path), path.name
    files = dataset.corpus.files(service.settings.data / "corpora" / dataset.corpus.digest)
    if ingest:
        service.ingest([InputFile(f.path, f.name, str(f.path), f.root) for f in files], collection)
    ids = {file.name: file.id for file in files}
    judged = [q for q in dataset.questions if any(grade > 0 for grade in dataset.documents.get(q.id, {}).values())]
    chosen = judged[:: max(1, len(judged) // count)][:count]
    draw = random.Random(7)
    texts = {q.id: mistyped(q.text, draw) if typos else q.text for q in chosen}
    engine = replace(service.engine, encoder=_Remembering(service.engine.encoder))
    variants = {"default": engine} | {step: _changed(engine, service.settings, STEPS[step]) for step in steps}
    scores: dict[str, list[float]] = {name: [] for name in variants}
    ms: dict[str, list[float]] = {name: [] for name in variants}
    tokens: dict[str, list[float]] = {name: [] for name in variants}
    for question in chosen:
        engine.encoder.encode_queries([texts[question.id]])
        for name, variant in variants.items():
            began = time.perf_counter()
            value = _score(variant, texts[question.id], collection, dataset, question, ids, measure)
            ms[name].append((time.perf_counter() - began) * 1000)
            scores[name].append(value[0])
            tokens[name].append(value[1])
    return [
        _Row(
            collection,
            name,
            *(tuple(values[variant]) for values in (scores, ms, tokens) for variant in ("default", name)),
        )
        for name in steps
    ]


def _changed(engine: Engine, settings: Settings, step: Mapping[str, Any]) -> Engine:
    """With a reranker, it is one for all steps that have it: what it has read is not read again, so that its milliseconds are too few."""
    options = {name: value for name, value in step.items() if name != "reranker"}
    kind = step.get("reranker")
    return replace(
        engine,
        options=replace(engine.options, **options),
        reranker=_reranker(settings, kind) if kind else engine.reranker,
    )


_rerankers: dict[str, Reranker | None] = {}


def _reranker(settings: Settings, kind: str) -> Reranker | None:
    from api.wiring.rerankers import reranker

    if kind not in _rerankers:
        chosen = settings.retrieval.model_copy(update={"reranker": kind})
        _rerankers[kind] = reranker(settings.model_copy(update={"retrieval": chosen}), _no_generator)
    return _rerankers[kind]


def _no_generator() -> Generator:
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Row:
    """One step on one set: by question, the measure, milliseconds and tokens read, as it is and changed."""

    set: str
    step: str
    default: tuple[float, ...]
    changed: tuple[float, ...]
    default_ms: tuple[float, ...]
    changed_ms: tuple[float, ...]
    default_tokens: tuple[float, ...]
    changed_tokens: tuple[float, ...]

    def figures(self) -> dict[str, Any]:
        from eval.significance import bootstrap_interval, randomisation_test

        differences = [after - before for before, after in zip(self.default, self.changed, strict=True)]
        return {
            "set": self.set,
            "questions": len(differences),
            "step": self.step,
            "default": fmean(self.default),
            "changed": fmean(self.changed),
            "difference": fmean(differences),
            "interval": bootstrap_interval(differences),
            "p": randomisation_test(differences),
            "default_tokens": fmean(self.default_tokens),
            "changed_tokens": fmean(self.changed_tokens),
            "default_ms": median(self.default_ms),
            "changed_ms": median(self.changed_ms),
        }


def _together(rows: Sequence[_Row], step: str) -> _Row:
    """The questions of all sets as one."""
    own = [row for row in rows if row.step == step]
    names = ("default", "changed", "default_ms", "changed_ms", "default_tokens", "changed_tokens")
    return _Row("all", step, *(tuple(chain.from_iterable(getattr(row, name) for row in own)) for name in names))


def _score(
    engine: Engine,
    text: str,
    collection: str,
    dataset: Dataset,
    question: Question,
    ids: Mapping[str, str],
    measure: str,
) -> tuple[float, int]:
    """The measure, and how many tokens a generator would read of passages (0 where that was not asked)."""
    from eval.metrics import ranking
    from rag.answers import Query
    from rag.generators.extractive import ExtractiveGenerator
    from rag.language import language_of
    from rag.words import normalise

    if measure == "read":
        language, generator = language_of(text), ExtractiveGenerator()
        passages = engine.passages(text, language, engine.search(Query(text, collection, 10)).hits, generator)
        read = normalise(" ".join(" ".join(passage.text for passage in passages).split()))
        right = any(normalise(" ".join(answer.split())) in read for answer in question.answers)
        return float(right), sum(generator.count_tokens(passage.text) for passage in passages)
    hits = engine.search(Query(text, collection, 30)).hits
    found = list(dict.fromkeys(ids.get(hit.document.name, hit.document.name) for hit in hits))
    return ranking.score(found, dataset.documents[question.id], (measure,))[measure], 0


def mistyped(text: str, draw: random.Random) -> str:
    """The text with one slip in one of its longer words, the first letter aside: two letters swapped, one lost, doubled or another."""
    places = [match.span() for match in _WORD.finditer(text)]
    if not places:
        return text
    start, end = draw.choice(places)
    word, at = text[start:end], draw.randrange(1, end - start - 1)
    slips = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + draw.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
    )
    return text[:start] + draw.choice(slips) + text[end:]


class _Remembering:
    """The encoder, encoding no question twice: the steps are compared, not the encoder timed."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        for text in texts:
            if text not in self._known:
                self._known[text] = self._encoder.encode_queries([text])[0]
        return np.stack([self._known[text] for text in texts])


if __name__ == "__main__":
    sys.exit(main())
