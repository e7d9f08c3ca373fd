"""Systems that lose the right passage at exactly one stage, or at several: the class is the first of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.datasets.corpus import CorpusFile, FileCorpus
from eval.datasets.model import Dataset, Question
from eval.failures.classes import ORDER, FailureClass
from eval.failures.classify import first_loss
from eval.failures.facts import Facts
from eval.failures.rule import Rule
from eval.failures.trace import trace
from eval.system import Cited, Filled, Found, FoundHit, Given, IndexedChunk

C = FailureClass
READ, REACH, TOP = 3, 10, 12
SAYS = "The keeper counted 42 zebras before breakfast."
LACKING = "The keeper went home early that day."
QUESTION = Question("q", "How many zebras did the keeper count?", ("42 zebras",))
NOBODY_KNOWS = Question("u", "What did the zebras cost?", (), answerable=False)
CORPUS = FileCorpus(Path("/nowhere"), ("zoo.pdf", "other.pdf"))
LABELS: dict[str, dict[str, Any]] = {
    "document": {},
    "page": {"pages": {"q": frozenset({("zoo.pdf", 3)})}},
    "quote": {"quotes": {"q": frozenset({("zoo.pdf", "counted 42 zebras before breakfast")})}},
}
SETS = {
    grain: Dataset(
        "zoo",
        (QUESTION, NOBODY_KNOWS),
        {"q": {"zoo.pdf": 1}},
        more.get("pages", {}),
        CORPUS,
        quotes=more.get("quotes", {}),
    )
    for grain, more in LABELS.items()
}
IDS = {name: name for name in CORPUS.names}
RETRIEVAL = frozenset(ORDER[: ORDER.index(C.WRONGLY_REFUSED)])
ANSWERS = frozenset(ORDER) - {C.WRONGLY_ANSWERED}


class Flow:
    """A small question flow whose stages fail as they are told."""

    def __init__(self, broken: frozenset[FailureClass], *, reranks: bool = True) -> None:
        self.broken, self.reranks = broken, reranks
        self.gold: list[IndexedChunk] = []
        if C.NOT_INGESTED not in broken:
            texts = [SAYS]
            if C.NOT_PARSED in broken:
                texts = [LACKING]
            elif C.SPLIT in broken:
                texts = ["It was hot. The keeper counted 42", "zebras before breakfast. It was late."]
            self.gold = [IndexedChunk(f"gold{n}", "text", text, (3,), (), "digital") for n, text in enumerate(texts)]
            self.gold.insert(0, IndexedChunk("cover", "text", "A year at the zoo", (1,), (), "digital"))
        self.filler = [IndexedChunk(f"f{n}", "text", f"Nothing of interest number {n}", (1,)) for n in range(40)]
        self.repeat = IndexedChunk("repeat", "text", SAYS, (9,), (), "digital")

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        raise NotImplementedError

    def chunks(self, document: str) -> list[IndexedChunk]:
        if document != "zoo.pdf":
            return self.filler
        return [*self.gold, *([self.repeat] if C.FOLDED_AWAY in self.broken and self.gold else [])]

    def describe(self) -> dict[str, Any]:
        return {"settings": {"generator": {"passages": READ}, "retrieval": {"rerank_depth": REACH}}}

    def close(self) -> None: ...

    def stages(self) -> dict[str, tuple[str, ...]]:
        gold = [chunk.chunk_id for chunk in self.gold if chunk.chunk_id != "cover"]
        filler = [chunk.chunk_id for chunk in self.filler]
        limit = REACH if self.reranks else READ
        # Parts of a split passage do not stand side by side.
        gold_first = [*gold[:1], *filler[: 2 * limit], *gold[1:]]
        low = [*filler[: limit + 2], *gold[:1], *filler[limit + 2 : 30], *gold[1:]]
        best = low if C.RECALLED_LOW in self.broken else gold_first
        if C.NOT_RECALLED in self.broken:
            best = filler[:30]
        stages: dict[str, tuple[str, ...]] = {"dense": tuple(best), "lexical": tuple(filler[:20])}
        fused = [id_ for id_ in best if id_ not in gold]
        places = {id_: best.index(id_) for id_ in gold if id_ in best}
        for id_, place in places.items():
            fused.insert(limit + 5 if C.FUSED_AWAY in self.broken else place, id_)
        stages["fuse"] = tuple(fused)
        if C.FOLDED_AWAY in self.broken:
            fused = ["repeat", *[id_ for id_ in fused if id_ not in gold]]
            stages["fuse"] = ("repeat", *stages["fuse"])
        stages["fold"] = tuple(fused)
        if self.reranks:
            if C.RERANKED_AWAY in self.broken:
                fused = [*[id_ for id_ in fused if id_ not in gold], *[id_ for id_ in gold if id_ in fused]]
            stages["rerank"] = tuple(fused)
        if C.FILTERED in self.broken:
            fused = [id_ for id_ in fused if id_ not in gold]
            stages["gate"] = tuple(fused)
        stages["hits"] = tuple(fused[:TOP])
        return stages

    def hits(self, ids: Sequence[str]) -> tuple[FoundHit, ...]:
        known = {c.chunk_id: ("zoo.pdf", c) for c in (*self.gold, self.repeat)} | {
            c.chunk_id: ("other.pdf", c) for c in self.filler
        }
        return tuple(FoundHit(known[i][0], i, 1.0, known[i][1].pages, known[i][1].text) for i in ids)

    def search(self, question: str, top_k: int) -> Found:
        stages = self.stages()
        return Found(self.hits(stages["hits"]), stages=stages)

    def answer(self, question: str, top_k: int) -> Given:
        stages = self.stages()
        hits = stages["hits"]
        if C.WRONGLY_REFUSED in self.broken:
            return Given("Not in these documents.", True, context=self.hits(hits), stages=stages)
        packed = [id_ for id_ in hits if not (C.PACKED_OUT in self.broken and id_.startswith("gold"))][:READ]
        stages |= {"pack": tuple(packed)}
        right = next((hit for hit in self.hits(packed) if hit.chunk_id.startswith("gold")), None)
        cited = right if right is not None and not self.broken & {C.NOT_USED, C.CITED_WRONGLY} else None
        prompt = "\n".join(hit.text for hit in self.hits(packed))
        wrong = self.broken & {C.NOT_USED, C.WRONG_IN_CONTEXT} or "42 zebras" not in prompt
        citation = cited or self.hits(["f1"])[0]
        return Given(
            "There were seven lions [1]." if wrong else "There were 42 zebras [1].",
            False,
            cited=(Cited(citation.document, citation.pages[0], citation.chunk_id, 1, citation.text, True),),
            context=self.hits(hits),
            stages=stages,
            prompt=prompt,
        )


def lost(system: Flow, grain: str, *, answers: bool, question: Question = QUESTION) -> str | None:
    given_ = system.answer(question.text, TOP) if answers else None
    shown = trace(system, SETS[grain], question, system.search(question.text, TOP), given_, IDS)
    assert json.loads(json.dumps(shown)) == shown
    # What is kept says the same again.
    facts = Facts.from_json(shown["facts"], shown["stages"])
    again = first_loss(facts, Rule.of(system.describe()))
    found: dict[str, Any] = shown.get("lost", {})
    assert (again.kind.value if again else None) == found.get("class")
    return found.get("class")


def _possible(kind: FailureClass, grain: str, reranks: bool) -> bool:
    if kind is C.RERANKED_AWAY:
        return reranks
    # A repeat is gold itself where the label is the whole document, or the words.
    return kind is not C.FOLDED_AWAY or grain == "page"


CASES = [
    (kind, grain, reranks)
    for kind in ORDER
    for grain in SETS
    for reranks in (False, True)
    if _possible(kind, grain, reranks)
]


@pytest.mark.parametrize(("kind", "grain", "reranks"), CASES)
def test_each_stage_that_loses_it_is_named(kind: FailureClass, grain: str, reranks: bool) -> None:
    if kind is C.WRONGLY_ANSWERED:
        assert lost(Flow(frozenset(), reranks=reranks), grain, answers=True, question=NOBODY_KNOWS) == kind.value
        return
    system = Flow(frozenset({kind}), reranks=reranks)
    assert lost(system, grain, answers=True) == kind.value
    # A page or a document that was found is found by its labels, whatever its text lacks.
    counts = kind in RETRIEVAL and not (kind is C.NOT_PARSED and grain != "quote")
    assert lost(system, grain, answers=False) == (kind.value if counts else None)


@given(st.sets(st.sampled_from(sorted(ANSWERS)), max_size=6), st.sampled_from(list(SETS)), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=80)
def test_of_several_losses_the_first_counts(
    broken: set[FailureClass], grain: str, reranks: bool, answers: bool
) -> None:
    broken = {kind for kind in broken if _possible(kind, grain, reranks)}
    # An answer is either not used or wrong; a right one alone can be cited wrongly. NOT_USED stands first.
    counted = [kind for kind in ORDER if kind in broken and (answers or kind in RETRIEVAL)]
    expected = counted[0].value if counted else None
    if counted and counted[0] is C.WRONG_IN_CONTEXT and C.CITED_WRONGLY in broken:
        expected = C.NOT_USED.value
    if not answers and grain != "quote" and counted[:1] == [C.NOT_PARSED] and set(counted) <= {C.NOT_PARSED, C.SPLIT}:
        # Nothing is cut that is not there, and by its labels the page was found.
        expected = None
    assert lost(Flow(frozenset(broken), reranks=reranks), grain, answers=answers) == expected


@pytest.mark.parametrize("grain", list(SETS))
def test_nothing_is_lost_where_nothing_is_broken(grain: str) -> None:
    for answers in (False, True):
        assert lost(Flow(frozenset()), grain, answers=answers) is None
        unanswerable = lost(Flow(frozenset({C.WRONGLY_REFUSED})), grain, answers=answers, question=NOBODY_KNOWS)
        assert unanswerable is None
