"""What the thresholds of the citation check cost: precision and recall of `verified` over the claims of benchmarks/citation_check.py, by threshold.

Numbers, names, negations and directions are checked first, whatever the threshold: it decides about what they leave, by the share of words
(`--verifier lexical`) or the generator's yes or no (`--verifier generator`; `--kept` names a file in which its probabilities are kept, so that
a run that was ended goes on).
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.citation_check import FALSE, TRUE, Case, Labelled, cases, half, precision_recall, read
from benchmarks.common import arguments, report
from rag.answers import Hit, Passage
from rag.documents import Chunk, DocumentRef
from rag.protocols import Verifier
from rag.retrieval.support import Judge
from rag.words import sentences

FEWEST = 30
"""Claims of neighbouring passages below which they are not told: a set with one passage to a document has none."""
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95)


def score(case: Case, verifier: Verifier | None) -> float:
    """The share of words, or the verifier's probability; −1 for a claim that the exact checks refuse."""
    document = DocumentRef("d", "document.txt", "text/plain", "default")
    passage = Passage(1, Hit(Chunk("c", "d", 0, "text", case.text), document, 1.0), case.text)
    found = Judge(verifier).support(case.claim, passage)
    if not found.result.sound:
        return -1.0
    return found.result.coverage if verifier is None else found.score


def curve(made: Sequence[Case], scores: Sequence[float]) -> dict[float, tuple[float, float]]:
    """Precision and recall at each threshold, kinds weighing alike."""
    found = {}
    for threshold in THRESHOLDS:
        count: dict[str, list[bool]] = {kind: [] for kind in (*TRUE, *FALSE)}
        for case, value in zip(made, scores, strict=True):
            count[case.kind].append(value >= threshold)
        found[threshold] = precision_recall(count, TRUE, FALSE)
    return found


def neighbours(passages: Sequence[Labelled], seed: int = 3) -> list[Case]:
    """Sentences read against another passage of their own document: the same subject in other words, the nearest thing to support
    that is none."""
    by_title: dict[str, list[str]] = defaultdict(list)
    for passage in passages:
        by_title[passage.title].append(passage.text)
    draw, found = random.Random(seed), []
    for texts in by_title.values():
        for text in texts[:12] if len(texts) > 1 else ():
            other = draw.choice([one for one in texts if one != text] or [""])
            found += [
                Case("neighbour", s.rstrip(".。"), other) for s in sentences(text)[:3] if len(s) > 20 and s not in other
            ]
    return found


def sampled(made: Sequence[Case], per_kind: int) -> list[Case]:
    draw, found = random.Random(2), []
    for kind in (*TRUE, *FALSE):
        of_kind = [case for case in made if case.kind == kind]
        found += draw.sample(of_kind, min(per_kind, len(of_kind))) if per_kind else of_kind
    return found


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True)
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--verifier", choices=("lexical", "generator"), default="lexical")
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--per-kind", type=int, default=0, help="claims of each kind; 0 takes all")
    parser.add_argument("--kept", type=Path, help="a file for the generator's probabilities")
    given = parser.parse_args()
    passages = half(read(given.data_set), given.half)
    near = [score(case, None) for case in neighbours(passages)] if given.verifier == "lexical" else []
    passages = random.Random(1).sample(passages, min(given.passages, len(passages)))
    made = sampled(list(cases(passages)), given.per_kind)
    scores = [score(case, None) for case in made] if given.verifier == "lexical" else _by_generator(made, given.kept)
    rows: dict[str, object] = {"claims": len(made), "left to the threshold": sum(value >= 0 for value in scores)}
    near = near if len(near) >= FEWEST else []
    if near:
        rows["of a neighbouring passage"] = len(near)
    for threshold, (precision, recall) in curve(made, scores).items():
        passed = f", of a neighbouring passage {sum(v >= threshold for v in near) / len(near):.3f}" if near else ""
        rows[f"from {threshold:.2f}"] = f"precision {precision:.3f}, recall {recall:.3f}{passed}"
    return report(f"verifier_threshold {given.verifier} {given.data_set.name} {given.half}", rows, [], given.json)


def _by_generator(made: Sequence[Case], kept: Path | None) -> list[float]:
    from api import settings, wiring
    from rag.verifiers.by_generator import GeneratorVerifier

    known: dict[str, float] = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    generator = wiring.generator(settings.load())
    verifier = GeneratorVerifier(lambda: generator, threshold=0.0, seconds=120.0)
    try:
        return [_kept(case, known, kept, lambda case: score(case, verifier)) for case in made]
    finally:
        generator.close()


def _kept(case: Case, known: dict[str, float], file: Path | None, ask: Callable[[Case], float]) -> float:
    key = f"{case.kind}\n{case.claim}\n{case.text}"
    if key not in known:
        known[key] = ask(case)
        if file is not None:
            _write(file, known)
    return known[key]


def _write(file: Path, known: Mapping[str, float]) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(known, ensure_ascii=False))
    new.replace(file)


if __name__ == "__main__":
    raise SystemExit(main())
