"""Questions that say what they do not ask for: where the paragraph that answers stands, as the question is written and without what it excludes.

exclusions.jsonl holds 250 questions in English and Chinese about paragraphs of SQuAD 2.0 and XQuAD, written for this by others than the rules'
writer. Kind `aside`: something is set aside. Kind `context`: what stands beside the asking sentence is needed, so that nothing may be lost. The
rules (rag/retrieval/exclusion_rules.py) were written with parts 1 and 2 in view; part 3 was asked once, when they were finished.

    python -m benchmarks.exclusions SETS --data DIR

SETS is the folder of the labelled sets. DIR keeps the index between calls; sets it does not have are ingested.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from operator import gt, lt
from pathlib import Path
from typing import Any

from benchmarks.common import ingested
from rag.answers import Query
from rag.retrieval import abstain

QUESTIONS = Path(__file__).with_name("exclusions.jsonl")
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Asked:
    place: float
    """Of the paragraph that answers, from 1; infinite when it is not among the first DEPTH passages."""
    answered: bool
    """Whether there is evidence enough for an answer."""
    otherwise: bool
    """Whether it was searched for without something."""


def ask(data: Path, sets: Path, rows: list[dict[str, Any]], exclusions: bool) -> list[Asked]:
    from api.service import open_service
    from api.settings import load as settings
    from eval.datasets.load import load

    found = []
    with open_service(settings(data, {"retrieval": {"exclusions": exclusions}})) as service:
        for name in sorted({row["set"] for row in rows}):
            ingested(service, load(sets / name), name, data)
        for row in rows:
            result = service.engine.search(Query(row["question"], row["set"], DEPTH))
            names = [Path(hit.document.name).stem for hit in result.hits]
            place = names.index(row["relevant"]) + 1 if row["relevant"] in names else float("inf")
            asked = result.plainer or row["question"]
            score = abstain.score(asked, result.hits, result.likeness, service.encoder.space.model)
            found.append(Asked(place, score >= abstain.THRESHOLD, bool(result.plainer)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    written, shorter = (ask(given.data, given.sets, rows, exclusions) for exclusions in (False, True))
    groups: dict[tuple[int, str, str], list[tuple[Asked, Asked]]] = defaultdict(list)
    for row, one, other in zip(rows, written, shorter, strict=True):
        groups[row["part"], row["kind"], row["set"]].append((one, other))
    for (part, kind, name), pairs in sorted(groups.items()):
        one, other = zip(*pairs, strict=True)
        better, worse = (sum(test(a.place, b.place) for a, b in pairs) for test in (gt, lt))
        sys.stdout.write(
            f"part {part} {kind:7} {name:15} {len(pairs)} questions, {sum(a.otherwise for a in other)} searched for otherwise: "
            f"first {_share(one, 1)} → {_share(other, 1)}, among five {_share(one, 5)} → {_share(other, 5)}, better {better}, worse {worse}; "
            f"answered {sum(a.answered for a in one)} → {sum(a.answered for a in other)}\n"
        )
    return 0


def _share(found: tuple[Asked, ...], most: int) -> str:
    return f"{sum(one.place <= most for one in found) / len(found):.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
