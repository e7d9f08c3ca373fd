"""The first stage that lost a wrong question, from its facts. Pure: no system, no data set."""

from __future__ import annotations

from dataclasses import dataclass

from eval.failures.classes import FailureClass
from eval.failures.facts import FOLD, FUSE, HITS, PACK, RERANK, Facts
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
        if facts.right:
            return facts.state != "unjudged" and not facts.cites_labelled
        return facts.state != "unjudged" and not facts.cites_gold
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
    if facts.state != "unjudged" and not _packed(facts):
        lost = _in_retrieval(facts, rule)
        if lost is not None:
            return lost
    return _in_answer(facts)


def _in_retrieval(facts: Facts, rule: Rule) -> Loss | None:
    """None when it was among the first `read` hits."""
    stages = facts.stages
    retrievers = facts.retrievers
    found = {name: rank for name in retrievers if (rank := stages[name].gold) is not None}
    missed = tuple(name for name in retrievers if name not in found)
    if not stages:
        return None if facts.answered else Loss(FailureClass.NOT_RECALLED, "search", "nothing was found")
    if not found:
        return Loss(FailureClass.NOT_RECALLED, " + ".join(retrievers), _nowhere(facts), missed)
    rank = min(found.values())
    before = min(found, key=lambda name: found[name])
    for step in facts.later:
        now = stages[step].gold
        if now is None:
            return _dropped(facts, rule, step, before, rank, found, missed)
        rank, before = now, step
    if rank <= rule.read:
        return None
    return _ranked_low(facts, rule, found, missed)


def _dropped(
    facts: Facts, rule: Rule, step: str, before: str, rank: int, found: dict[str, int], missed: tuple[str, ...]
) -> Loss:
    """The gold passage is in what `before` left, at `rank`, and not in what `step` left."""
    gone = f"{before} had it at rank {rank} of {facts.stages[before].size}, {step} left {facts.stages[step].size} without it"
    if step == FUSE:
        return Loss(FailureClass.FUSED_AWAY, step, gone, missed)
    if step == FOLD and facts.folded is not None:
        why = f"the same text stands at rank {facts.folded}, in a passage that is not judged; {gone}"
        return Loss(FailureClass.FOLDED_AWAY, step, why, missed)
    if step == RERANK:
        return Loss(FailureClass.RERANKED_AWAY, step, gone, missed)
    if rank <= rule.read:
        return Loss(FailureClass.FILTERED, step, gone, missed)
    # It was too far behind before it was cut off.
    return _ranked_low(facts, rule, found, missed)


def _ranked_low(facts: Facts, rule: Rule, found: dict[str, int], missed: tuple[str, ...]) -> Loss:
    """It came through, but behind the first `read`."""
    ranks = {name: seen.gold for name, seen in facts.stages.items() if seen.gold is not None}
    course = ", ".join(f"{name} {rank}" for name, rank in ranks.items())
    reached = rule.read
    reordering = [step for step in facts.later if step not in (FUSE, FOLD, HITS) and step in ranks]
    if reordering:
        first = reordering[0]
        before = [
            ranks[step] for step in (*facts.retrievers, *facts.later[: facts.later.index(first)]) if step in ranks
        ]
        reach = rule.reach if first == RERANK else rule.read
        if before and before[-1] <= reach and _after_fusion(facts, first):
            worst = next((step for step in reordering if ranks[step] > rule.read), first)
            why = f"the best rank after {worst} is {ranks[worst]}, read are {rule.read} ({course})"
            return Loss(FailureClass.RERANKED_AWAY, worst, why, missed)
        reached = reach
    if FUSE in facts.stages and min(found.values()) <= reached:
        best = min(found, key=lambda name: found[name])
        why = (
            f"{best} had it at rank {found[best]}, fusion at {ranks.get(FUSE, '–')}; looked at are {reached} ({course})"
        )
        return Loss(FailureClass.FUSED_AWAY, FUSE, why, missed)
    why = f"no retriever had it among the first {reached} ({course})"
    return Loss(FailureClass.RECALLED_LOW, " + ".join(found), why, missed)


def _after_fusion(facts: Facts, step: str) -> bool:
    return step in facts.later


def _in_answer(facts: Facts) -> Loss:
    pack = facts.stages.get(PACK)
    if facts.abstained:
        return Loss(
            FailureClass.WRONGLY_REFUSED, "abstain", "a passage that answers was among the first hits, and was refused"
        )
    if facts.state != "unjudged":
        if pack is not None and pack.gold is None:
            why = f"it was among the first hits, but not among the {pack.size} passages that the generator got"
            return Loss(FailureClass.PACKED_OUT, PACK, why)
        if facts.cut:
            why = "the generator got the passage without the words that answer: it was cut to the budget"
            return Loss(FailureClass.PACKED_OUT, PACK, why)
    if facts.right:
        why = "no citation" if not facts.citations else f"none of {facts.citations} citations points at what answers"
        return Loss(FailureClass.CITED_WRONGLY, "cite", why)
    if facts.cites_gold or facts.state == "unjudged":
        return Loss(FailureClass.WRONG_IN_CONTEXT, "generate", "the right passage is cited, and the answer is wrong")
    return Loss(FailureClass.NOT_USED, "generate", "the right passage was in the prompt, and is not cited")


def _packed(facts: Facts) -> bool:
    return PACK in facts.stages and facts.stages[PACK].gold is not None


def _reached(facts: Facts, rule: Rule) -> bool:
    """Whether a gold passage is among the first `read` hits; of a split one, whether its parts are."""
    if facts.state == "split":
        return facts.together
    if not facts.stages:
        return False
    last = [step for step in facts.stages if step != PACK][-1]
    rank = facts.stages[last].gold
    return rank is not None and rank <= rule.read


def _nowhere(facts: Facts) -> str:
    names = ", ".join(f"{name} ({facts.stages[name].size})" for name in facts.retrievers)
    return f"in none of the lists: {names}"
