"""A generator as reranker: the probability that its first word is yes (Nogueira et al., "Document ranking with a pretrained
sequence-to-sequence model", 2020; Sun et al., "Is ChatGPT good at search?", 2023), for the first few candidates, within a budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rag.errors import BadSetting
from rag.language import language_of
from rag.prompts import BUILT_IN, Prompts, relevance_messages, yes_share
from rag.protocols import Generator, NextToken

PASSAGE_UNITS = 160
"""Of a passage, so much is judged: Chinese characters and words, which are 160 to 250 tokens. A CPU reads 70 tokens a second."""


class LlmReranker:
    """Scores are P(yes) / (P(yes) + P(no)), in [0, 1].

    It stops `budget` seconds after its first question to the model (loading the model does not count), and gives the scores it has;
    `generate` gives the generator when it is first needed. A timed-out request is closed, which ends the server's work on it.
    Raises BadSetting for a generator that tells no probabilities, GeneratorUnavailable.
    """

    def __init__(
        self,
        generate: Callable[[], Generator],
        *,
        budget: float = 10.0,
        prompts: Prompts = BUILT_IN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._generate, self._budget, self._prompts, self._clock = generate, budget, prompts, clock

    @property
    def name(self) -> str:
        return "llm yes/no"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        generator = self._generate()
        if not isinstance(generator, NextToken):
            raise BadSetting(
                f"The generator {generator.name} tells no probabilities, which retrieval.reranker = llm needs.",
                "Set generator.kind to llamacpp or openai, or choose another reranker.",
            )
        language = language_of(question)
        generator.count_tokens("x")  # starts a model of this machine, so that the budget is for judging
        ends = self._clock() + self._budget
        scores: list[float] = []
        for text in texts:
            left = ends - self._clock()
            # A pair that cannot be ready in time is not begun: what it costs is known from those before.
            if left < (self._budget - left) / len(scores) if scores else left <= 0:
                break
            try:
                asked = relevance_messages(question, cut(text), language, self._prompts)
                likely = generator.next_token(asked, left)
            except TimeoutError:
                break
            scores.append(yes_share(likely))
        return scores


def cut(text: str, units: int = PASSAGE_UNITS) -> str:
    """The beginning of a text: `units` Chinese characters and words together."""
    seen, inside = 0, False
    for place, sign in enumerate(text):
        wide = "\u2e80" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" or "\uf900" <= sign <= "\uffef"
        if wide or (not sign.isspace() and not inside):
            seen += 1
            if seen > units:
                return text[:place].rstrip()
        inside = not wide and not sign.isspace()
    return text
