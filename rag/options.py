"""The numbers of the question flow, as plain values: settings end where this begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.answers import Scheme
from rag.prompts import Kind
from rag.prompts.examples import NONE, Examples
from rag.protocols import Sampling
from rag.retrieval.choose_examples import Choice
from rag.retrieval.fold import Fold
from rag.retrieval.rerank import Gate
from rag.retrieval.self_check import WEIGHTS, Weights


@dataclass(frozen=True, slots=True)
class Options:
    """Numbers of the question flow. `weights` are by retriever; `depth` is what each retriever recalls."""

    scheme: Scheme = "hybrid"
    aligned_depth: int = 100
    """Candidates that the scheme `aligned` scores; all, where there are no more."""
    depth: int = 100
    depths: Mapping[str, int] = field(default_factory=dict)
    """Other depths than `depth`, by retriever."""
    fusion: Literal["convex", "rrf"] = "convex"
    rrf_k: float = 60.0
    weights: Mapping[str, float] = field(default_factory=dict)
    rocchio: float = 0.3
    """β of pseudo-relevance feedback on vectors, under convex fusion; 0 leaves the question where it is."""
    regularise: float = 0.3
    """λ of score regularisation, in [0, 1]; 0 leaves the fused scores alone."""
    variants: tuple[Kind, ...] = ()
    """Further ways in which a question is searched for; each needs a generator that can follow a prompt."""
    variant_count: int = 3
    rewrite: bool = True
    """Whether a follow-up question is made to stand alone by the generator; by a rule of thumb, where not."""
    spelling: bool = True
    """Whether a word that no document has is read as its nearest spelling."""
    exclusions: bool = True
    """Whether a question that says what it does not ask for is searched for without that, too."""
    fold: Fold = "near"
    diversity: float = 0.0
    """1 − λ of maximal marginal relevance, in [0, 1]; 0 leaves the order alone."""
    rerank_depth: int = 30
    rerank_weight: float = 1.0
    """Of the reranker's scores against the coarse ones, in [0, 1]; 0 leaves the coarse order alone."""
    rerank_by_language: Mapping[str, Gate] = field(default_factory=dict)
    """By the question's language, in place of the two above: what was measured on labelled questions."""
    least_score: float = 0.0
    """Hits below it are left out; 0 leaves none out."""
    passages: int = 5
    passage_tokens: int = 1200
    merge: bool = False
    """Whether neighbouring hits become one passage."""
    compress: float = 1.0
    """Share of a passage's text that is kept, in (0, 1]: its sentences nearest to the question."""
    order: Literal["rank", "ends", "document"] = "rank"
    """In which order passages are read: by rank, the best at both ends, or as they stand in their documents."""
    images: int = 0
    """Pictures of passages that the generator is shown; 0 for one that sees none."""
    image_pixels: int = 1_500_000
    """Pixels that they have together."""
    sampling: Sampling = field(default_factory=Sampling)
    abstain: bool = True
    abstain_below: float | None = None
    tell_date: bool = True
    """Whether a question that is meant from today is answered with the date in its prompt."""
    self_check: bool = False
    """Whether the generator is asked, before it answers, if the passages hold the answer."""
    self_check_weights: Mapping[str, Weights] = field(default_factory=lambda: WEIGHTS)
    """By language; in others it is not asked."""
    examples: Examples = NONE
    """Answered examples, some of which stand in the prompt."""
    example_count: int = 2
    example_choice: Choice = "nearest"
    example_tokens: int = 400
    """Tokens that they have together at most."""
    unsupported: Literal["flag", "cut"] = "flag"
    """What becomes of claims that no passage carries."""
