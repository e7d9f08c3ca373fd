"""Puts one question at a time to a generator, deterministically, and remembers what it said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import MutableMapping, Sequence

from rag.answers import Usage
from rag.language import language_of
from rag.prompts import prompt_tokens
from rag.protocols import GenerationRequest, Generator, Message, Sampling

VERDICT_TOKENS = 16
LIST_TOKENS = 300


class Asker:
    """Any Generator as a judge. `cache` is any mapping of texts, for example a FileCache.

    `usage` and `asked` count what was really generated. `verdict_tokens` has to be larger for a model that thinks aloud first.
    """

    def __init__(
        self,
        generator: Generator,
        cache: MutableMapping[str, str] | None = None,
        *,
        verdict_tokens: int = VERDICT_TOKENS,
        list_tokens: int = LIST_TOKENS,
    ) -> None:
        self.generator = generator
        self.verdict_tokens = verdict_tokens
        self.list_tokens = list_tokens
        self.asked = 0
        self.usage = Usage()
        self._cache: MutableMapping[str, str] = {} if cache is None else cache

    def ask(self, messages: Sequence[Message], max_tokens: int) -> str:
        """What the generator says to these messages. Raises GeneratorUnavailable, BadRequest."""
        asked = [[message.role, message.content] for message in messages]
        key = hashlib.sha256(
            json.dumps([self.generator.name, asked, max_tokens], ensure_ascii=False).encode()
        ).hexdigest()
        if key in self._cache:
            return self._cache[key]
        question = messages[-1].content
        request = GenerationRequest(
            question, language_of(question), (), (), tuple(messages), Sampling(0.0, 1.0, max_tokens)
        )
        pieces: list[str] = []
        for piece in self.generator.stream(request):
            if isinstance(piece, Usage):
                self.usage = Usage(
                    self.usage.prompt_tokens + piece.prompt_tokens,
                    self.usage.completion_tokens + piece.completion_tokens,
                )
            else:
                pieces.append(piece)
        self.asked += 1
        self._cache[key] = "".join(pieces)
        return self._cache[key]

    def fitting(self, contexts: Sequence[str], messages: Sequence[Message], max_tokens: int) -> list[str]:
        """The first contexts that fit beside these messages and the answer; the first one is cut where it alone is too long."""
        left = self.generator.context_tokens - max_tokens - prompt_tokens(messages, self.generator.count_tokens)
        kept: list[str] = []
        for context in contexts:
            needed = self.generator.count_tokens(context) + 8  # the markers around it
            if needed > left:
                break
            kept.append(context)
            left -= needed
        if not kept and contexts and left > 8:
            characters = len(contexts[0]) * (left - 8) // max(1, self.generator.count_tokens(contexts[0]))
            kept.append(contexts[0][:characters])
        return kept
