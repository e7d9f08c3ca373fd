"""Whether a question is answered at all: how well the evidence of a search tells questions with an answer from those without.

Questions without one are of three kinds. *near*: SQuAD 2.0's, written by people who looked at the paragraph, to look answerable. *without the
paragraph* and *without the article*: questions that have an answer, asked while what answers them is left out of what was found.

The English model is fitted on half of SQuAD 2.0's dev set (`--fit` writes it). Its figures are cross-fitted: the articles are divided into
FOLDS, and each question is judged by a model that saw no question about its article. The other sets are judged by the model as it is
stored. Intervals are bootstraps over articles, because questions about one article are alike.

    python -m benchmarks.abstention SETS --data DIR [--fit] [--picture FILE.svg]

SETS is the folder of the labelled sets. DIR keeps index and features between calls; sets it does not have are ingested. An interrupted
call goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import ingested
from eval.calibration import evidence_model as model
from eval.calibration.evidence_model import Case
from rag.answers import Hit, Likeness
from rag.language import language_of
from rag.retrieval import abstain

FITTED = "squad2-half-dev"
CHECKED = ("xquad-en", "xquad-zh", "cmrc2018-dev", "dureader-demo-zh", "xquad-zh@xquad-en", "xquad-en@xquad-zh")
"""`questions@documents`, or one set. Half of XQuAD's English articles are in SQuAD's half, too, and are left out."""
DEPTH = 100
"""Hits that are asked for, so that enough are left when an article is taken out."""
MOST = 1200
"""Questions of a set that is not fitted on."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that a question found, for taking documents out of it."""

    hits: Sequence[Hit]
    dense: Sequence[tuple[str, float]]
    """Chunk ids with their cosines."""
    document_of: dict[str, str]

    def without(self, documents: set[str]) -> tuple[list[Hit], Likeness | None]:
        kept = [hit for hit in self.hits if self.document_of.get(hit.chunk.id) not in documents]
        cosines = [score for id_, score in self.dense if self.document_of.get(id_, "?") not in documents][:5]
        if not cosines:
            return kept, None
        lead = cosines[0] - sum(cosines[1:]) / len(cosines[1:]) if len(cosines) > 1 else 0.0
        return kept, Likeness(cosines[0], lead)


def gather(service: Any, sets: Path, spec: str, keep: Path) -> list[Case]:
    """The cases of a set, asked once and kept in a file of one line each."""
    from eval.datasets.load import load

    asked, _, stored = spec.partition("@")
    dataset = load(sets / asked) if not stored else load(sets / asked, sets / stored)
    articles = _articles(sets / (stored or asked))
    file = keep / f"{spec}.jsonl"
    known = list(_kept(file))
    done = {case.id for case in known}
    names = ingested(service, dataset, stored or asked, keep)
    step = 1 if spec == FITTED else max(1, len(dataset.questions) // MOST)
    with file.open("a", encoding="utf-8") as out:
        for question in dataset.questions[::step]:
            if question.id in done:
                continue
            relevant = {id_ for id_, grade in dataset.documents.get(question.id, {}).items() if grade > 0}
            source = question.group or next(iter(sorted(relevant)), question.id.partition(":")[0])
            group = articles.get(source, source)
            found = _search(service, question.text, stored or asked, names)
            article = {id_ for id_ in names.values() if articles.get(id_, id_) == group}
            kinds = {"answerable" if question.answerable else "near": set[str]()}
            if question.answerable:
                kinds |= {"without the paragraph": relevant, "without the article": article | relevant}
            for kind, left_out in kinds.items():
                hits, seen = found.without(left_out)
                if not hits:
                    continue
                case = Case(
                    id=question.id,
                    set=spec,
                    group=group,
                    kind=kind,
                    language=language_of(question.text),
                    features=abstain.features(question.text, hits, seen),
                    foreign=abstain.mostly_foreign(question.text, hits),
                )
                known.append(case)
                print(json.dumps(asdict(case), ensure_ascii=False), file=out)
    return known


def _kept(file: Path) -> Iterator[Case]:
    """The last question may have been cut off, or not have all its kinds: it is asked again."""
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    rows = [json.loads(line) for line in lines if line.endswith("\n")]
    last = rows[-1]["id"] if rows else ""
    kept = [row for row in rows if row["id"] != last]
    if lines:
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), "utf-8")
    for row in kept:
        yield Case(**row)


def _articles(folder: Path) -> dict[str, str]:
    """Title by document id: SQuAD's articles have many paragraphs."""
    lines = (folder / "corpus.jsonl").read_text("utf-8").splitlines()
    return {row["_id"]: row.get("title") or row["_id"] for row in map(json.loads, lines)}


def _search(service: Any, text: str, collection: str, names: dict[str, str]) -> Found:
    from rag.answers import Query

    result = service.engine.search(Query(text, collection, DEPTH, explain=True))
    dense = next((stage.ranking for stage in result.stages if stage.name == "dense"), ())
    document_of = {hit.chunk.id: names.get(hit.document.name, hit.document.name) for hit in result.hits}
    return Found(result.hits, dense, document_of)


def latency(cases: Sequence[tuple[str, Sequence[Hit]]]) -> dict[str, float]:
    """Milliseconds of judging what a search found, one question at a time."""
    spent = []
    for question, hits in cases:
        start = time.perf_counter()
        abstain.score(question, hits)
        spent.append((time.perf_counter() - start) * 1000)
    return {"p50": round(float(np.median(spent)), 2), "p95": round(float(np.quantile(spent, 0.95)), 2)}


def timed(service: Any, sets: Path, count: int = 200) -> dict[str, float]:
    from eval.datasets.load import load
    from rag.answers import Query

    questions = load(sets / FITTED).questions
    asked = [one.text for one in questions[:: max(1, len(questions) // count)]]
    return latency([(text, service.engine.search(Query(text, FITTED, 10)).hits) for text in asked])


def told(report: dict[str, Any]) -> Iterator[str]:
    for name, row in report["cross-fitted"].items():
        low, high = row["interval"]
        yield f"{name:>34}  AUROC {row['auroc']:.3f} ({low:.3f} … {high:.3f})  refused {row['refused']:.3f}  answerable kept {row['kept']:.3f}"
    for count, (mean, spread) in report["learning curve"].items():
        yield f"{'fitted on ' + count + ' articles':>34}  AUROC {mean:.3f} ± {spread:.3f}"
    for name, row in report["as stored"].items():
        yield f"{name:>34}  " + "  ".join(f"{key} {value}" for key, value in row.items())
    yield f"{'latency beyond the search':>34}  p50 {report['latency_ms']['p50']} ms, p95 {report['latency_ms']['p95']} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="Write the English models into rag/retrieval.")
    parser.add_argument("--picture", type=Path, help="Where to draw risk over coverage.")
    parser.add_argument("--checked", default=",".join(CHECKED), help="Sets that the stored model is checked on.")
    given = parser.parse_args()

    from api.service import open_service
    from api.settings import load as settings

    keep = given.data / "abstention"
    keep.mkdir(parents=True, exist_ok=True)
    with open_service(settings(given.data)) as service:
        fitted = gather(service, given.sets, FITTED, keep)
        checked = {spec: gather(service, given.sets, spec, keep) for spec in given.checked.split(",") if spec}
        spent = timed(service, given.sets)
        encoder = service.engine.encoder.space.model
    scores = model.cross_fit(fitted, model.WITH_VECTORS)
    by_words = model.cross_fit(fitted, model.BY_WORDS)
    if given.fit:
        model.store(
            {
                (encoder, "en"): model.fit(fitted, model.WITH_VECTORS),
                (abstain.WORDS, "en"): model.fit(fitted, model.BY_WORDS),
            }
        )
    taken = {case.group for case in fitted}
    report = {
        "cross-fitted": {
            **model.against(fitted, scores, "with vectors, "),
            **model.against(fitted, by_words, "by words, "),
        },
        "learning curve": model.learning_curve(fitted, model.WITH_VECTORS),
        "as stored": {
            name: row
            for spec, cases in checked.items()
            for name, row in model.as_stored([case for case in cases if case.group not in taken], spec, encoder).items()
        },
        "latency_ms": spent,
    }
    if given.picture:
        near = [
            (case, value) for case, value in zip(fitted, scores, strict=True) if case.kind in {"answerable", "near"}
        ]
        given.picture.write_text(model.drawn([case for case, _ in near], [value for _, value in near]), "utf-8")
    print(json.dumps(report, indent=1))
    print("\n".join(told(report)))


if __name__ == "__main__":
    main()
