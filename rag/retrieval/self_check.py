"""The generator is asked whether the passages hold the answer, before it writes one: the probability that its next word is yes.

The idea is that of P(True) (Kadavath et al. 2022, arXiv:2207.05221), asked of the passages instead of an answer. The prompt is that of the
answer up to the question, so that a server that keeps the state of a prefix reads the passages once for both, and the check costs little more
than its own last line. What it says and the evidence of the search are put together by a logistic model:

    P = σ(a · logit(evidence) + b · logit(yes) + c)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from rag.errors import BadSetting
from rag.prompts import yes_share
from rag.protocols import Generator, Message, NextToken

LEAST = 0.001
"""Probabilities are kept this far from 0 and 1."""
SECONDS = 120.0
"""For reading the passages and saying one word."""
LATE_NOTE = "The self-check took more than {seconds:.0f} s: the evidence of the search decided alone."


class Weights(NamedTuple):
    """`a`, `b` and `c` above."""

    evidence: float
    yes: float
    bias: float


WEIGHTS: Mapping[str, Weights] = {"en": Weights(1.0, 1.5, -0.5)}
"""By the question's language; where there are none, nothing is asked. These were chosen for Qwen2.5-Coder-1.5B (docs/generators.md has what they gain:
its Chinese yes says nothing), `tuwen eval calibrate` fits them to one's own documents and generator."""


def combined(evidence: float, yes: float, weights: Weights) -> float:
    """How likely the passages answer the question, in (0, 1)."""
    return 1 / (1 + exp(-(weights.evidence * logit(evidence) + weights.yes * logit(yes) + weights.bias)))


def logit(probability: float) -> float:
    kept = min(1 - LEAST, max(LEAST, probability))
    return log(kept / (1 - kept))


def may_matter(evidence: float, threshold: float, weights: Weights) -> bool:
    """Whether the surest yes would lift the evidence to the threshold: else nothing has to be asked."""
    return combined(evidence, 1.0, weights) >= threshold


def ask(generator: Generator, messages: Sequence[Message], seconds: float = SECONDS) -> float | None:
    """P(yes); None when it took too long. Raises BadSetting for a generator that tells no probabilities, GeneratorUnavailable."""
    if not isinstance(generator, NextToken):
        raise BadSetting(
            f"The generator {generator.name} tells no probabilities, which answer.self_check needs.",
            "Set generator.kind to llamacpp or openai, or answer.self_check to false.",
        )
    try:
        return yes_share(generator.next_token(messages, seconds))
    except TimeoutError:
        return None
