"""The first stage that lost a wrong question, from its facts. Pure: no system, no data set."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eval.failures.classes import FailureClass
from eval.failures.facts import FOLD, FUSE, PACK, RERANK, Facts
from eval.failures.rule import Rule


@dataclass(frozen=True, slots=True)
class Loss:
    """`step` is the step of the flow that lost it, `missed_by` the retrievers that did not find it at all."""

    kind: FailureClass
    step: str
    why: str
    missed_by: tuple[str, ...] = ()


def is_wrong(facts: Facts, rule: Rule) -> bool:
    """Whether the question counts as a failure; a question without judgements never does, but for its answer."""
    if facts.answered:
        if facts.state == "unanswerable":
            return not facts.abstained
        if facts.abstained or facts.right is False:
            return True
        return facts.state != "unjudged" and not facts.cites_labelled
    return facts.state not in ("unanswerable", "unjudged") and not _reached(facts, rule)


def first_loss(facts: Facts, rule: Rule) -> Loss | None:
    """None for a question that is not wrong; otherwise exactly one class."""
    if not is_wrong(facts, rule):
        return None
    if facts.state == "unanswerable":
        return Loss(FailureClass.WRONGLY_ANSWERED, "answer", "no document answers it, and it was answered")
    if facts.state == "missing":
        return Loss(FailureClass.NOT_INGESTED, "ingest", facts.why)
    if facts.state == "unparsed" or facts.lacks:
        return Loss(FailureClass.NOT_PARSED, "ingest", facts.why)
    if facts.state == "split" and not facts.together:
        return Loss(FailureClass.SPLIT, "chunking", facts.why)
    if facts.state != "unjudged" and not _packed(facts) and (lost := _in_retrieval(facts, rule)):
        return lost
    return _in_answer(facts)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the gold passage stood after a step (None: nowhere), and up to which rank the next step looks."""

    step: str
    rank: int | None
    looked_at: int

    @property
    def within(self) -> bool:
        return self.rank is not None and self.rank <= self.looked_at


def _in_retrieval(facts: Facts, rule: Rule) -> Loss | None:
    """The first step after which it never again stood where the next one looks; None when it was among the first hits."""
    course = _course(facts, rule)
    lost = len(course)
    while lost and not course[lost - 1].within:
        lost -= 1
    if lost == len(course):
        return None
    here, before = course[lost], course[lost - 1] if lost else None
    missed = tuple(name for name in facts.retrievers if facts.stages[name].gold is None)
    kind = _kind(facts, here, before)
    return Loss(kind, here.step, _why(facts, kind, here, before), missed)


def _course(facts: Facts, rule: Rule) -> list[_Place]:
    """Recall as one step, at its best rank, then the later ones. Before a reranker as much counts as it looks at."""
    later = facts.later
    reranked = later.index(RERANK) if RERANK in later else 0
    ranks = {name: rank for name in facts.retrievers if (rank := facts.stages[name].gold) is not None}
    best = min(ranks, key=lambda name: ranks[name], default=None)
    recall = _Place(" + ".join(facts.retrievers), None, 0) if best is None else _Place(best, ranks[best], 0)
    course = [replace(recall, looked_at=rule.reach if reranked else rule.read)]
    for place, step in enumerate(later):
        course.append(_Place(step, facts.stages[step].gold, rule.reach if place < reranked else rule.read))
    return course


def _kind(facts: Facts, here: _Place, before: _Place | None) -> FailureClass:
    if before is None:
        return FailureClass.NOT_RECALLED if here.rank is None else FailureClass.RECALLED_LOW
    if here.step == FUSE:
        return FailureClass.FUSED_AWAY
    if here.step == FOLD and here.rank is None and facts.folded is not None:
        return FailureClass.FOLDED_AWAY
    if here.step == RERANK or here.rank is not None:
        return FailureClass.RERANKED_AWAY
    return FailureClass.FILTERED


def _why(facts: Facts, kind: FailureClass, here: _Place, before: _Place | None) -> str:
    course = ", ".join(f"{name} {step.gold or '–'} of {step.size}" for name, step in facts.stages.items())
    if kind is FailureClass.NOT_RECALLED:
        return f"in none of the lists ({course})"
    if before is None:
        return f"its best rank is {here.rank}, looked at are {here.looked_at} ({course})"
    now = "left it out" if here.rank is None else f"put it at rank {here.rank}"
    same = (
        f"; the same text stands at rank {facts.folded}, in a passage that is not judged" if here.step == FOLD else ""
    )
    return f"{before.step} had it at rank {before.rank}, {here.step} {now}, looked at are {here.looked_at}{same} ({course})"


def _in_answer(facts: Facts) -> Loss:
    pack = facts.stages.get(PACK)
    if facts.abstained:
        why = "a passage that answers was among the first hits, and the question was refused"
        return Loss(FailureClass.WRONGLY_REFUSED, "abstain", why)
    if facts.state != "unjudged":
        if pack is not None and not _packed(facts):
            why = f"it was among the first hits, but not among the {pack.size} passages that the generator got"
            return Loss(FailureClass.PACKED_OUT, PACK, why)
        if facts.in_prompt is False:
            why = "the generator got the passage without the words that answer: it was cut to the budget"
            return Loss(FailureClass.PACKED_OUT, PACK, why)
    if facts.right:
        why = "no citation" if not facts.citations else f"none of {facts.citations} citations points at what answers"
        return Loss(FailureClass.CITED_WRONGLY, "cite", why)
    if facts.cites_gold:
        why = "the right passage was in the prompt and is cited, and the answer is wrong"
        return Loss(FailureClass.WRONG_IN_CONTEXT, "generate", why)
    if facts.state == "unjudged":
        return Loss(FailureClass.WRONG_IN_CONTEXT, "generate", "the answer is wrong; no passage is judged")
    own = pack is None or pack.gold is not None
    where = "the right passage was in the prompt" if own else "what answers was in the prompt, within another passage"
    return Loss(FailureClass.NOT_USED, "generate", f"{where}, and is not cited")


def _packed(facts: Facts) -> bool:
    """By its own id, or within a passage that was widened."""
    return facts.in_prompt is True or (PACK in facts.stages and facts.stages[PACK].gold is not None)


def _reached(facts: Facts, rule: Rule) -> bool:
    """Whether a gold passage is among the first `read` hits; of a split one, whether its parts are."""
    if facts.state == "split":
        return facts.together
    if not facts.stages:
        return False
    last = [step for step in facts.stages if step != PACK][-1]
    rank = facts.stages[last].gold
    return rank is not None and rank <= rule.read
