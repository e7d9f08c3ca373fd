"""How measures, steps and classes of failure are called in a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MEASURES: Mapping[str, tuple[str, str]] = {
    "ndcg": ("nDCG", "order of the documents against the best possible, graded"),
    "recall": ("Recall", "share of the relevant documents found"),
    "map": ("MAP", "mean precision at each relevant document"),
    "mrr": ("MRR", "1 / rank of the first relevant document"),
    "precision": ("Precision", "share of relevant documents"),
    "hit_rate": ("Hit rate", "whether there is a relevant document"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "auc": ("AUC", "how often a relevant document stands before another"),
    "source_hit": ("Source hit", "a passage of a relevant document"),
    "page_hit": ("Page hit", "a passage of a relevant page"),
    "evidence_read": ("Evidence read", "share of the quoted words in the passages that are read"),
    "answer_read": ("Answer read", "an expected answer stands in the passages that are read"),
    "exact_match": ("Exact match", "the answer is an expected one, word for word"),
    "token_f1": ("Token F1", "words shared with the expected answer"),
    "answer_recall": ("Answer recall", "share of the expected answer's words in the answer"),
    "citation_page_precision": ("Citation precision, pages", "share of the citations that name a relevant page"),
    "citation_page_recall": ("Citation recall, pages", "share of the relevant pages that are cited"),
    "citation_page_hit": ("Citation hit, pages", "whether a relevant page is cited"),
    "citation_box_precision": (
        "Citation precision, boxes",
        "share of the citations whose box is a labelled one, IoU ≥ .5",
    ),
    "citation_box_recall": ("Citation recall, boxes", "share of the labelled boxes that a citation has, IoU ≥ .5"),
    "citation_box_iou": ("Citation IoU", "overlap of a labelled box with the best citation of it"),
    "citation_box_cover": ("Citation cover", "share of the labelled box that the citations show"),
    "citation_document_precision": (
        "Citation precision, documents",
        "share of the citations that name a relevant document",
    ),
    "citation_document_recall": ("Citation recall, documents", "share of the relevant documents that are cited"),
    "support_rate": ("Support rate", "share of the citations that the system's own check let pass"),
    "abstention_precision": ("Abstention precision", "share of the abstentions that were right"),
    "abstention_recall": ("Abstention recall", "share of the unanswerable questions declined"),
    "abstention_f1": ("Abstention F1", "harmonic mean of both"),
    "abstention_auroc": ("Abstention AUROC", "chance that an answerable question has more evidence than another"),
    "aurc": ("AURC", "area under risk and coverage of the answers given: lower is better"),
    "e_aurc": ("E-AURC", "the same above the best possible order: lower is better"),
    "bleu": ("BLEU", "n-grams shared with the expected answer"),
    "rouge1": ("ROUGE-1", "words shared with the expected answer"),
    "rouge2": ("ROUGE-2", "word pairs shared with the expected answer"),
    "rougeL": ("ROUGE-L", "longest common sequence of words"),
    "meteor": ("METEOR", "words shared, stems and order considered"),
    "chrf": ("chrF", "character n-grams shared with the expected answer"),
    "similarity": ("Similarity", "cosine of answer and expected answer"),
}

PRIMARY = ("ndcg@10", "page_hit@5", "source_hit@5", "token_f1", "answer_recall", "exact_match")
"""The measure a report is led by: the first of these that the run has."""

OVERVIEW = ("ndcg@10", "source_hit@5", "page_hit@5", "answer_recall", "citation_page_hit", "abstention_recall")
"""Columns of the tables by kind and language."""

STEPS: Mapping[str, str] = {
    "describe": "describing the picture asked with",
    "rewrite": "rewriting a follow-up",
    "encode": "encoding the question",
    "recall": "recall from the indexes",
    "fuse": "fusing the rankings",
    "fold": "folding what says the same",
    "hydrate": "reading chunks from the library",
    "rerank": "reranking",
    "abstain": "deciding whether to answer",
    "expand": "widening passages",
    "pack": "packing the prompt",
    "first_token": "until the first word",
    "generate": "writing the answer",
    "cite": "checking the citations",
    "retrieve": "retrieval",
    "retrieval": "retrieval",
}

_AT = re.compile(r"(?P<name>[^@]+)@(?P<k>\d+)$")


def label(measure: str) -> str:
    """`nDCG@10` for `ndcg@10`; a name that is not known is shown as it is, with spaces."""
    match = _AT.match(measure)
    name, cut = (match["name"], f"@{match['k']}") if match else (measure, "")
    return MEASURES[name][0] + cut if name in MEASURES else measure.replace("_", " ")


def meaning(measure: str) -> str:
    match = _AT.match(measure)
    name = match["name"] if match else measure
    if name not in MEASURES:
        return ""
    return MEASURES[name][1] + (f", first {match['k']}" if match else "")


def signed(value: float, digits: int = 3) -> str:
    """With a sign that a reader sees, and without one for nothing."""
    shown = f"{value:+.{digits}f}"
    return shown[1:] if float(shown) == 0 else shown.replace("-", "\u2212")


def spaced(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def in_order(names: Iterable[str]) -> list[str]:
    """Ranking measures first, then answers, then what is not known, each as the table above lists them."""
    known = list(MEASURES)

    def place(measure: str) -> tuple[int, int, str]:
        match = _AT.match(measure)
        name, cut = (match["name"], int(match["k"])) if match else (measure, 0)
        return (known.index(name) if name in known else len(known), cut, measure)

    return sorted(names, key=place)


def primary(names: Iterable[str]) -> str:
    there = list(names)
    return next((name for name in PRIMARY if name in there), there[0] if there else "")
