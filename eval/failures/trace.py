"""Follows a question through the flow: where what answers it stood after each step and, if the question is wrong, which step lost it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from eval.datasets.model import Dataset, Question
from eval.failures.carries import literally
from eval.failures.classes import FailureClass
from eval.failures.classify import Loss, first_loss
from eval.failures.doubt import doubt
from eval.failures.evidence import Look, clip, what_was_seen
from eval.failures.facts import FOLD, FUSE, HITS, PACK, Facts, seen
from eval.failures.gold import Gold, find_gold
from eval.failures.reading import in_text, telling_sentences
from eval.failures.rule import Rule, answer_is_right
from eval.metrics.answers import parse
from eval.system import Found, Given, System
from rag.language import language_of
from rag.stems import stems

ANSWER_TEXT = 600
RANKED = frozenset(
    {FailureClass.NOT_RECALLED, FailureClass.RECALLED_LOW, FailureClass.FUSED_AWAY, FailureClass.RERANKED_AWAY}
)

Stages = Mapping[str, Sequence[str]]


def trace(
    system: System,
    dataset: Dataset,
    question: Question,
    found: Found,
    given: Given | None,
    ids: Mapping[str, str],
    rule: Rule | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`{"stages": {name: {"size", "gold"}}, "facts": {…}, "about": {"kind", "language", "documents", "page"}}` for every question; `gold` is
    the best rank, from 1, of a chunk that answers, `page` is `digital`, `scanned` or `none`.

    A wrong question also has `"lost": {"class", "stage", "step", "why", "missed_by", "evidence"}`; a question where a passage that is not
    judged carries the expected answer has `"doubt": {"why", "passage"}`, so that somebody can correct the labels. `given` is None in
    a run without answers. `ids` gives the document id in the judgements by the name in the system. `names` is the other way round, for
    a caller with many questions. `rule` is that of the system's settings by default. Everything is plain JSON. Raises what the system raises.
    """
    rule = rule or Rule.of(system.describe())
    names = names if names is not None else {id_: name for name, id_ in ids.items()}
    gold = find_gold(system, dataset, question, names)
    stages = _stages(found, given)
    facts = _facts(question, gold, stages, found, given, rule)
    lost = first_loss(facts, rule)
    if lost is not None and lost.kind in RANKED and not question.turns and _shares_nothing(question, gold):
        lost = replace(lost, why=f"{lost.why}; it shares no word with the question: was it read as it stands there?")
    shown: dict[str, Any] = {
        "stages": {name: {"size": step.size, "gold": step.gold} for name, step in facts.stages.items()},
        "facts": facts.as_json(),
        "about": _about(question, gold, ids),
    }
    if lost is not None:
        looks = _looks(gold, found, given)
        shown["lost"] = as_json(lost) | {
            "evidence": what_was_seen(stages, looks, gold, _answer(question, given), (*question.answers, *gold.quotes))
        }
    if doubtful := doubt(question, gold, found, given, rule):
        shown["doubt"] = doubtful
    return shown


def _shares_nothing(question: Question, gold: Gold) -> bool:
    """A chart that was read as a table of bare numbers has the answer, and nothing to find it by."""
    texts = ["\n".join((name, *chunk.headings, chunk.text)) for name, chunk in gold.chunks.values()]
    words = {word for word in stems(question.text) if not word[0].isdigit()}
    return bool(words) and not any(
        words & set(stems(text)) or language_of(text) != language_of(question.text) for text in texts
    )


def _about(question: Question, gold: Gold, ids: Mapping[str, str]) -> dict[str, Any]:
    sources = {chunk.source for _, chunk in gold.chunks.values()}
    return {
        "kind": question.kind,
        "language": question.language or language_of(question.text),
        "documents": [ids.get(name, name) for name in gold.documents],
        "page": "scanned" if "ocr" in sources else "digital" if "digital" in sources else "none",
    }


def as_json(lost: Loss) -> dict[str, Any]:
    return {
        "class": lost.kind.value,
        "stage": lost.kind.stage,
        "step": lost.step,
        "why": lost.why,
        "missed_by": list(lost.missed_by),
    }


def _stages(found: Found, given: Given | None) -> dict[str, tuple[str, ...]]:
    """Of an answer its own steps, because a follow-up is searched for as it was rewritten; a system that tells no steps has its hits."""
    if given is not None and given.stages:
        return dict(given.stages)
    stages = dict(found.stages)
    return stages or {HITS: tuple(hit.chunk_id for hit in found.hits)}


def _facts(question: Question, gold: Gold, stages: Stages, found: Found, given: Given | None, rule: Rule) -> Facts:
    ids = frozenset(gold.chunks)
    facts: dict[str, Any] = {
        "state": gold.state,
        "stages": seen(stages, ids),
        "why": gold.why,
        "grain": gold.grain,
        "lacks": gold.lacks,
        "folded": _folded(gold, stages, partial(_looks, gold, found, given)),
    }
    prompt = given.prompt if given is not None else ""
    if gold.state == "split":
        read = stages.get(PACK) or stages.get(HITS, ())[: rule.read]
        # Widened by its neighbours, one part may have brought the others along.
        widened = bool(ids & set(read)) and any(literally(one, prompt) for one in (*gold.quotes, *question.answers))
        facts["together"] = ids <= set(read) or widened
    if given is not None:
        telling = telling_sentences(gold, question.answers or gold.quotes)
        cited = {citation.chunk_id for citation in given.cited}
        quoted = any(in_text(telling, citation.quote) for citation in given.cited)
        facts |= {
            "answered": True,
            "abstained": given.abstained,
            "right": None if given.abstained else _right(question, gold, given, rule),
            "cites_gold": quoted or bool(cited & ids),
            "cites_labelled": quoted or bool(cited & (gold.labelled | ids)),
            "citations": len(given.cited),
            "in_prompt": in_text(telling, prompt) if prompt and telling and facts["folded"] is None else None,
        }
    return Facts(**facts)


def _right(question: Question, gold: Gold, given: Given, rule: Rule) -> bool | None:
    names = {PurePosixPath(name).name for name in gold.documents}
    if names & set(question.answers):
        return any(PurePosixPath(citation.document).name in question.answers for citation in given.cited)
    if not question.answers:
        return None
    if rule.own_measure:
        return answer_is_right(question.text, given.text, question.answers, rule.at_least)
    return parse(rule.measure)(given.text, question.answers) >= rule.at_least


def _folded(gold: Gold, stages: Stages, looks: Callable[[], Mapping[str, Look]]) -> int | None:
    """The rank of the passage that has a gold one's text, where folding left no gold one."""
    if FOLD not in stages or FUSE not in stages or frozenset(gold.chunks) & set(stages[FOLD]):
        return None
    known = looks()
    texts = {(name, " ".join(chunk.text.split())) for name, chunk in gold.chunks.values()}
    for place, chunk in enumerate(stages[FOLD], 1):
        look = known.get(chunk)
        if look is not None and (look.document, " ".join(look.text.split())) in texts:
            return place
    return None


def _looks(gold: Gold, found: Found, given: Given | None) -> dict[str, Look]:
    """What is known of chunks: gold ones, and those that were found."""
    looks = {id_: Look(name, chunk.pages, chunk.text, chunk.kind) for id_, (name, chunk) in gold.chunks.items()}
    for hit in (*found.hits, *(given.context if given is not None else ())):
        looks.setdefault(hit.chunk_id, Look(hit.document, hit.pages, hit.text, hit.kind))
    return looks


def _answer(question: Question, given: Given | None) -> dict[str, Any] | None:
    if given is None:
        return None
    cited = [
        {"document": c.document, "page": c.page, "chunk_id": c.chunk_id, "verified": c.verified} for c in given.cited
    ]
    return {
        "expected": list(question.answers),
        "text": clip(given.text, ANSWER_TEXT),
        "abstained": given.abstained,
        "evidence": given.evidence,
        "citations": cited,
    }
