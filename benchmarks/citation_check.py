"""How well `verified` tells what a passage says from what it almost says.

Claims are made from a labelled question set (SQuAD's shape in BEIR's layout): for each answerable question the sentence that holds its
answer, as it is, cut, reordered, with its question joined to the answer; and the same sentence with one fact changed, or read against another
passage. Documents are split in halves by their title: thresholds are chosen on the first (`--half tune`), the figures are the second's.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.common import Limit, arguments, report
from rag.answers import Hit, Passage
from rag.documents import Chunk, DocumentRef
from rag.language import language_of
from rag.retrieval.cite import resolve
from rag.retrieval.claims import names
from rag.retrieval.quantities import quantities
from rag.words import normalise, sentences

TRUE = ("sentence", "cut", "reordered", "question with its answer")
FALSE = (
    "number changed",
    "number of the same passage",
    "name changed",
    "name of the same passage",
    "negation",
    "direction",
    "another passage",
)
ALTERED = ("number changed", "number of the same passage", "name changed", "name of the same passage")

_NUMBER = re.compile(
    r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w%]|[.,]\d)|(?<=[\u3400-\u9fff])\d+(?:\.\d+)?(?=[\u3400-\u9fff%])"
)
_DIRECTIONS = [
    ("more than", "less than"), ("higher", "lower"), ("increased", "decreased"), ("largest", "smallest"), ("before", "after"),
    ("above", "below"), ("most", "least"), ("first", "last"), ("oldest", "youngest"), ("longer", "shorter"), ("rise", "fall"),
    ("高于", "低于"), ("超过", "不到"), ("增加", "减少"), ("最大", "最小"), ("最高", "最低"), ("之前", "之后"), ("上升", "下降"),
    ("大于", "小于"), ("最长", "最短"), ("以上", "以下"), ("多于", "少于"),
]  # fmt: skip
_NEGATED = re.compile(r"(?<= )(is|was|are|were|can|could|has|had|will|would|did|does)(?= )")
_NEGATED_ZH = re.compile(r"(?<=[\u3400-\u9fff])(是|有|可以|能|会)(?=[\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class Case:
    """A claim of one kind, and the passage that it is read against."""

    kind: str
    claim: str
    text: str


@dataclass(frozen=True, slots=True)
class Labelled:
    title: str
    text: str
    questions: tuple[tuple[str, str], ...]


def read(folder: Path) -> list[Labelled]:
    """Passages with their answerable questions, `(question, answer)`."""
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["answers"] and not row.get("unanswerable"):
            asked[row["source_doc"]].append((row["text"], row["answers"][0]))
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Labelled(row["title"], row["text"], tuple(asked[row["_id"]])) for row in corpus if asked[row["_id"]]]


def half(passages: Sequence[Labelled], which: str) -> list[Labelled]:
    """`tune` or `report`: by the title's hash, so that a document is on one side only."""
    wanted = which == "report"
    return [p for p in passages if (sha256(p.title.encode()).digest()[0] % 2 == 1) == wanted]


def cases(passages: Sequence[Labelled], seed: int = 0) -> Iterator[Case]:
    draw = random.Random(seed)
    every_name = sorted({name for p in passages for name in _spelled_names(p.text)})
    for place, passage in enumerate(passages):
        done: set[str] = set()
        for question, answer in passage.questions:
            sentence = next((s for s in sentences(passage.text) if answer in s), None)
            if sentence is None:
                continue
            chinese = language_of(passage.text) == "zh"
            yield Case(
                "question with its answer", f"{question.rstrip('?？')}{'：' if chinese else ': '}{answer}", passage.text
            )
            if sentence in done or not 20 <= len(sentence) * (3 if chinese else 1) <= 400:
                continue
            done.add(sentence)
            other = passages[(place + draw.randrange(1, len(passages))) % len(passages)]
            if sentence not in other.text:
                yield Case("another passage", sentence, other.text)
            made = {
                "sentence": sentence,
                "cut": _cut(sentence),
                "reordered": _reordered(sentence),
                "number changed": _number(sentence, passage.text, draw, inside=False),
                "number of the same passage": _number(sentence, passage.text, draw, inside=True),
                "name changed": _name(sentence, passage.text, every_name, draw),
                "name of the same passage": _name(sentence, passage.text, sorted(_spelled_names(passage.text)), draw),
                "negation": _negated(sentence),
                "direction": _directed(sentence),
            }
            yield from (Case(kind, claim, passage.text) for kind, claim in made.items() if claim and claim != "")


def _cut(sentence: str) -> str:
    """Its first clause, where that is long enough to be one."""
    for mark in ("，", "；", ", ", "; "):
        first = sentence.partition(mark)[0]
        if first != sentence and len(first) >= (10 if mark in "，；" else 30):
            return first
    return ""


def _reordered(sentence: str) -> str:
    """Its clauses, the last one first."""
    body, end = sentence.rstrip(".。"), "。" if sentence.endswith("。") else "."
    mark = "，" if "，" in body else ", "
    clauses = body.split(mark)
    return mark.join([clauses[-1], *clauses[:-1]]) + end if len(clauses) > 1 else ""


def _number(sentence: str, text: str, draw: random.Random, *, inside: bool) -> str:
    """One number exchanged for another that the sentence does not have: of the passage, or one that the passage lacks too."""
    places = list(_NUMBER.finditer(sentence))
    if not places:
        return ""
    chosen = draw.choice(places)
    own, there = quantities(sentence), quantities(text)
    if inside:
        others = sorted({m.group() for m in _NUMBER.finditer(text)} - {m.group() for m in places})
        # A year stays a year: exchanged for a head count, anything would see it.
        others = [o for o in others if len(o) == len(chosen.group())] or others
        others = [o for o in others if not quantities(o) <= own]
    else:
        whole = re.sub(r"\D", "", chosen.group())
        others = [
            str(int(whole) + step) for step in (1, 2, 3, 7, 10, 20) if not quantities(str(int(whole) + step)) <= there
        ]
    if not others:
        return ""
    return sentence[: chosen.start()] + draw.choice(others) + sentence[chosen.end() :]


def _spelled_names(text: str) -> set[str]:
    """Names as they are written."""
    folded = {normalise(name) for name in names(text)}
    if language_of(text) == "zh":
        return {name for name in folded if not name.isascii() and name in text and len(name) > 1}
    return {word for word in re.findall(r"[A-Z][\w’'-]+", text) if normalise(word) in folded and len(word) > 3}


def _name(sentence: str, text: str, pool: Sequence[str], draw: random.Random) -> str:
    """One name exchanged for another that the sentence does not have (nor the passage, when the pool reaches beyond it)."""
    own = sorted(name for name in _spelled_names(sentence) if sentence.count(name) == 1)
    beyond = not all(name in text for name in pool)
    others = [
        name
        for name in pool
        if normalise(name) not in normalise(sentence) and not (beyond and normalise(name) in normalise(text))
    ]
    if not own or not others:
        return ""
    return sentence.replace(draw.choice(own), draw.choice(others))


def _negated(sentence: str) -> str:
    """The sentence denied; one that denies, affirmed."""
    if re.search(r"\bnot ", sentence):
        return sentence.replace("not ", "", 1)
    if " " in sentence:
        return _NEGATED.sub(r"\1 not", sentence, count=1) if _NEGATED.search(sentence) else ""
    found = _NEGATED_ZH.search(sentence)
    if found is None or "不" in sentence or "没" in sentence:
        return ""
    return sentence[: found.start()] + ("没有" if found[1] == "有" else f"不{found[1]}") + sentence[found.end() :]


def _directed(sentence: str) -> str:
    """The first comparison turned round."""
    for one, other in _DIRECTIONS:
        for word, opposite in ((one, other), (other, one)):
            bound = r"\b" if word.isascii() else ""
            changed, n = re.subn(f"{bound}{word}{bound}", opposite, sentence, count=1)
            if n:
                return changed
    return ""


def verdicts(made: Sequence[Case]) -> tuple[list[bool], list[float]]:
    """`verified` of each claim, and milliseconds."""
    found, times = [], []
    for case in made:
        document = DocumentRef("d", "document.txt", "text/plain", "default")
        passage = Passage(1, Hit(Chunk("c", "d", 0, "text", case.text), document, 1.0), case.text)
        begin = time.perf_counter()
        citations = resolve(f"{case.claim.rstrip('.。')} [1].", (passage,)).citations
        times.append((time.perf_counter() - begin) * 1000)
        found.append(bool(citations) and all(c.verified for c in citations))
    return found, times


def figures(made: Sequence[Case], found: Sequence[bool]) -> tuple[dict[str, float], dict[str, int]]:
    """Shares of claims called verified, by kind; precision and recall over all, and over facts that were exchanged."""
    count: dict[str, list[bool]] = defaultdict(list)
    for case, verified in zip(made, found, strict=True):
        count[case.kind].append(verified)
    shares = {kind: sum(count[kind]) / len(count[kind]) for kind in (*TRUE, *FALSE) if count[kind]}
    shown = dict(shares)
    shown["precision"], shown["recall"] = precision_recall(count, TRUE, FALSE)
    shown["precision, facts exchanged"], shown["recall, facts exchanged"] = precision_recall(count, TRUE[:3], ALTERED)
    changed = [v for kind in ("number changed", "name changed") for v in count[kind]]
    shown["rejected, number or name changed"] = 1 - sum(changed) / max(1, len(changed))
    return shown, {kind: len(count[kind]) for kind in (*TRUE, *FALSE)}


def precision_recall(
    count: Mapping[str, Sequence[bool]], true: Sequence[str], false: Sequence[str]
) -> tuple[float, float]:
    """Of `verified`, every kind counted as one: a kind with more claims does not weigh more."""
    right = sum(sum(count[k]) / len(count[k]) for k in true if count[k])
    wrong = sum(sum(count[k]) / len(count[k]) for k in false if count[k])
    # Kinds of wrong claims are made equal in weight to the right ones.
    n_true, n_false = sum(1 for k in true if count[k]), sum(1 for k in false if count[k])
    wrong_weighed = wrong * n_true / max(1, n_false)
    return right / max(1e-9, right + wrong_weighed), right / max(1, n_true)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True, help="a folder with corpus.jsonl and queries.jsonl")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument(
        "--passages", type=int, default=0, help="passages at most; making claims takes most of the time"
    )
    parser.add_argument("--limit", type=int, default=0, help="claims at most")
    parser.add_argument("--show", default="", help="print claims of this kind that were judged wrongly")
    given = parser.parse_args()
    passages = half(read(given.data_set), given.half)
    if given.passages and len(passages) > given.passages:
        passages = random.Random(1).sample(passages, given.passages)
    made = list(cases(passages))
    if given.limit and len(made) > given.limit:
        made = random.Random(1).sample(made, given.limit)
    found, times = verdicts(made)
    for case, verified in zip(made, found, strict=True):
        if case.kind == given.show and verified != (case.kind in TRUE):
            print(f"- {case.claim}\n  {case.text}\n")
    shown, counts = figures(made, found)
    rows: dict[str, object] = {
        name: f"{value:.3f}" + (f"  (n {counts[name]})" if name in counts else "") for name, value in shown.items()
    }
    rows["milliseconds a claim, median"] = sorted(times)[len(times) // 2]
    limits = [
        Limit("precision, facts exchanged", shown["precision, facts exchanged"], 0.95, at_least=True),
        Limit("recall, facts exchanged", shown["recall, facts exchanged"], 0.95, at_least=True),
        Limit("rejected, number or name changed", shown["rejected, number or name changed"], 0.95, at_least=True),
    ]
    return report(
        f"citation_check {given.data_set.name} {given.half}", shown if given.json else rows, limits, given.json
    )


if __name__ == "__main__":
    raise SystemExit(main())
