"""A generator as verifier: the probability that its first word is yes (the idea of TRUE and of SelfCheckGPT's prompt, 2023)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import exp

from rag.errors import BadSetting
from rag.language import language_of
from rag.protocols import Generator, NextToken
from rag.verification_prompts import NO, YES, verification_messages


class GeneratorVerifier:
    """P(yes) / (P(yes) + P(no)). One judgement may take `seconds`; then TimeoutError is raised, and the caller compares words.

    Raises BadSetting for a generator that tells no probabilities.
    """

    def __init__(
        self,
        generate: Callable[[], Generator],
        *,
        threshold: float = 0.5,
        seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._generate, self._seconds, self._clock = generate, seconds, clock
        self.threshold = threshold

    @property
    def name(self) -> str:
        return "generator yes/no"

    def probabilities(self, claim: str, evidence: Sequence[str]) -> list[float]:
        generator = self._generate()
        if not isinstance(generator, NextToken):
            raise BadSetting(
                f"The generator {generator.name} tells no probabilities, which answer.verifier = generator needs.",
                "Set generator.kind to llamacpp or openai, or answer.verifier to lexical.",
            )
        ends, found = self._clock() + self._seconds, []
        for text in evidence:
            left = ends - self._clock()
            if left <= 0:
                raise TimeoutError(f"checking took more than {self._seconds:.0f} s")
            likely = generator.next_token(verification_messages(claim, text, language_of(claim)), left)
            least = exp(min(likely.values(), default=0.0))
            yes, no = (
                sum(exp(value) for token, value in likely.items() if _plain(token) in words) or least
                for words in (YES, NO)
            )
            found.append(yes / (yes + no))
        return found


def _plain(token: str) -> str:
    return token.strip(" \n\t▁Ġ.,:。，：'\"").casefold()
