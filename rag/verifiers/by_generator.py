"""A generator as verifier: the probability that its first word is yes (the idea of TRUE and of SelfCheckGPT's prompt, 2023)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rag.errors import BadSetting
from rag.language import language_of
from rag.prompts import BUILT_IN, Prompts, verification_messages, yes_share
from rag.protocols import Generator, NextToken


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
        prompts: Prompts = BUILT_IN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._generate, self._seconds, self._prompts, self._clock = generate, seconds, prompts, clock
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
            asked = verification_messages(claim, text, language_of(claim), self._prompts)
            found.append(yes_share(generator.next_token(asked, left)))
        return found
