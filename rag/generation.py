"""From the prompt to the checked answer: the generator's pieces guarded, citations checked while they come, claims without support treated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from rag.answers import Citation, Usage
from rag.clock import Clock
from rag.policy import OPEN
from rag.prompts import BUILT_IN, Prompts
from rag.protocols import ContentPolicy, GenerationRequest, Generator, Verifier
from rag.retrieval.cite import Resolved, Resolver
from rag.retrieval.guarded import GuardedStream


class Generation:
    """Iterate over it once: pieces of text, and citations that are verified as soon as their sentence is complete, then the others. Then
    `result`, `citations` and `usage` are those of the answer.

    A citation that was not verified may still be given to another passage, so it is told at the end. Raises GeneratorUnavailable.
    """

    def __init__(
        self,
        generator: Generator,
        request: GenerationRequest,
        *,
        narrow: Callable[[Sequence[Citation]], tuple[Citation, ...]] = tuple,
        unsupported: Literal["flag", "cut"] = "flag",
        verifier: Verifier | None = None,
        policy: ContentPolicy = OPEN,
        prompts: Prompts = BUILT_IN,
        clock: Clock | None = None,
    ) -> None:
        self._request, self._narrow, self._policy = request, narrow, policy
        self._stream = GuardedStream(generator, request, prompts)
        self._resolver = Resolver(request.passages, unsupported=unsupported, verifier=verifier)
        self._clock = clock or Clock()
        self.result = Resolved("", (), 0)
        self.citations: tuple[Citation, ...] = ()

    @property
    def usage(self) -> Usage:
        return self._stream.usage

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._stream.notes, *self.result.notes)

    def __iter__(self) -> Iterator[str | Citation]:
        clock = self._clock
        told: list[Citation] = []
        first = True
        with clock("generate"):
            for piece in self._stream:
                if first:
                    clock.mark("first_token")
                    first = False
                if self._policy.whole_answers:
                    continue
                yield piece
                found = self._narrow([c for c in self._resolver.feed(piece) if c.verified])
                told += found
                yield from found
        with clock("cite"):
            text = self._policy.answer(self._request.question, self._stream.text)
            self._resolver.seen = self._stream.shown_pictures
            self.result = self._resolver.finish(text)
            self.citations = self._narrow(self.result.citations)
        if self._policy.whole_answers and self.result.text:
            yield self.result.text
        for citation in self.citations:
            if citation in told:
                told.remove(citation)
            else:
                yield citation
