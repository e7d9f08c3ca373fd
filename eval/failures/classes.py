"""The ways in which a question is lost, in the order of the flow from the file to the citation.

A wrong question has exactly one class: that of the first stage that lost what answers it. What a later stage could not have made
good any more is not held against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureClass(StrEnum):
    """The value is what stands in a run's folder and in every report."""

    NOT_INGESTED = "not ingested"
    NOT_PARSED = "not parsed"
    SPLIT = "split by chunking"
    NOT_RECALLED = "not recalled"
    RECALLED_LOW = "recalled too low"
    FUSED_AWAY = "fused away"
    FOLDED_AWAY = "folded away"
    RERANKED_AWAY = "reranked away"
    FILTERED = "filtered"
    WRONGLY_REFUSED = "wrongly refused"
    PACKED_OUT = "packed out"
    NOT_USED = "not used"
    WRONG_IN_CONTEXT = "wrong though in context"
    CITED_WRONGLY = "cited wrongly"
    WRONGLY_ANSWERED = "wrongly answered"

    @property
    def stage(self) -> str:
        """The part of the system to look at: ingest, chunking, recall, ranking, packing, generation, citation or abstention."""
        return DEFINITIONS[self].stage

    @property
    def meaning(self) -> str:
        return DEFINITIONS[self].meaning

    @property
    def remedy(self) -> str:
        """What usually helps."""
        return DEFINITIONS[self].remedy


ORDER = tuple(FailureClass)
"""From the first stage to the last."""


@dataclass(frozen=True, slots=True)
class Definition:
    """`k` is the number of hits that count as read; see `eval.failures.rule`."""

    stage: str
    meaning: str
    remedy: str


DEFINITIONS = {
    FailureClass.NOT_INGESTED: Definition(
        "ingest",
        "None of the documents that answer the question has a passage in the index.",
        "`tuwen documents list` names the file and why it failed.",
    ),
    FailureClass.NOT_PARSED: Definition(
        "ingest",
        "The document is there, but what answers the question is not in the text of its passages: the page has none, the quoted "
        "words are in none, or the answer's numbers and words are in none (it stands in a picture, or was read wrongly).",
        "Look at the page and its passages (`tuwen documents show`); OCR, table and picture settings decide what is read.",
    ),
    FailureClass.SPLIT: Definition(
        "chunking",
        "The words that answer the question are there, but cut apart: no passage has them whole, and the parts were not read together.",
        "Larger passages, more overlap, or a chunking strategy that reads a window around what was found.",
    ),
    FailureClass.NOT_RECALLED: Definition(
        "recall",
        "No retriever found a passage that answers the question at any depth.",
        "Another encoder, another retriever beside it, or more depth (`retrieval.depth`).",
    ),
    FailureClass.RECALLED_LOW: Definition(
        "recall",
        "Retrievers found it, but none of them among the first k (or where there is a reranker: as far as that looks).",
        "A reranker, or a larger `retrieval.rerank_depth`; smaller passages often rank better.",
    ),
    FailureClass.FUSED_AWAY: Definition(
        "ranking",
        "A retriever had it among the first k (the reranker's reach, where there is one), and fusion put it behind them.",
        "`retrieval.weights`, or fewer retrievers.",
    ),
    FailureClass.FOLDED_AWAY: Definition(
        "ranking",
        "It was taken for a repeat of another passage of the same document, which is not judged to answer the question.",
        "Most often the labels name one of several places with the same text.",
    ),
    FailureClass.RERANKED_AWAY: Definition(
        "ranking",
        "The reranker, or another step that orders anew, looked at it and did not put it among the first k.",
        "Compare the run with one without the reranker before it is kept.",
    ),
    FailureClass.FILTERED: Definition(
        "ranking",
        "It was among the first k, and was then taken out before the hits were shown.",
        "Look at the step that is named, and at the filter of the request.",
    ),
    FailureClass.WRONGLY_REFUSED: Definition(
        "abstention",
        "It was among the first k hits, and the system said that the documents do not answer the question.",
        "`tuwen eval calibrate` fits the threshold to these documents.",
    ),
    FailureClass.PACKED_OUT: Definition(
        "packing",
        "It was among the first k hits, but the generator did not get it, or only without the part that answers.",
        "`generator.passage_tokens` and `generator.passages`.",
    ),
    FailureClass.NOT_USED: Definition(
        "generation",
        "The generator read the right passage, answered something else, and did not cite it.",
        "Fewer passages, or another generator.",
    ),
    FailureClass.WRONG_IN_CONTEXT: Definition(
        "generation",
        "The generator read the right passage and cites it, but the answer is wrong.",
        "Another generator, or another prompt.",
    ),
    FailureClass.CITED_WRONGLY: Definition(
        "citation",
        "The answer is right, but no citation points at what answers the question.",
        "Look at whether the cited passage carries the claim: then the labels are incomplete.",
    ),
    FailureClass.WRONGLY_ANSWERED: Definition(
        "abstention",
        "The documents do not answer the question, and the system answered it.",
        "`tuwen eval calibrate` fits the threshold to these documents.",
    ),
}
