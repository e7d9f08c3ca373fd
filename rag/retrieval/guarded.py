"""An answer from a generator, guarded (rag/retrieval/stream_guard.py): what is unusable is asked for once more, firmly; what stays
unusable becomes the sentence of the passages that is nearest to the question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from collections.abc import Generator as Pieces
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import cast

from rag.answers import Passage, Usage
from rag.errors import BadRequest, GeneratorUnavailable
from rag.prompts import BUILT_IN, Prompts, firmer, prompt_tokens
from rag.protocols import GenerationRequest, Generator
from rag.retrieval.claims import coverage
from rag.retrieval.illustrate import pictures_of, with_fewer_pictures
from rag.retrieval.leading_markers import LeadingMarkers, trailing
from rag.retrieval.stream_guard import LANGUAGE_NOTE, Illness, StreamGuard, marker_for_words
from rag.words import sentences

RETRY_NOTE = "The generator's first answer was unusable ({illness}); it was asked again."
NEAREST_NOTE = (
    "The generator gave no usable answer ({illness}); this is the sentence of the passages nearest to the question."
)
PICTURES_NOTE = (
    "The generator's server refused the question with its pictures ({count}) and was asked with {left}: {why}"
)


class GuardedStream:
    """Iterate over it once for the pieces to show; then `text`, `usage` and `notes` are those of the whole."""

    def __init__(self, generator: Generator, request: GenerationRequest, prompts: Prompts = BUILT_IN) -> None:
        self._generator, self._request, self._prompts = generator, request, prompts
        self._notes: list[str] = []
        self._shown = False
        self.text = ""
        self.usage = Usage()

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._notes))

    @property
    def shown_pictures(self) -> bool:
        """Whether the generator was shown any."""
        return pictures_of(self._request.messages) > 0

    def __iter__(self) -> Iterator[str]:
        """Raises GeneratorUnavailable."""
        guarding = partial(StreamGuard, self._request.language)
        guard, said = yield from self._said(partial(guarding, self._instructions()), self._request)
        if guard.illness is not None and not guard.released and self._request.messages:
            self._notes.append(RETRY_NOTE.format(illness=guard.illness))
            messages = firmer(self._request.messages, guard.illness, self._request.language, self._prompts)
            firmly = partial(guarding, [*self._instructions(), self._firm(guard.illness)], patient=False)
            guard, again = yield from self._said(firmly, replace(self._request, messages=messages))
            said = again or said
        elif guard.illness is None and marker_for_words(guard.text) and self._request.messages:
            yield from self._in_words(guard, said)
            return
        self._notes += guard.notes
        self.text = trailing(guard.text)
        if guard.illness is not None and not guard.released:
            self.text = self._nearest(guard.illness, said)
            if self.text:
                yield self.text

    def _in_words(self, first: StreamGuard, said: str) -> Iterator[str]:
        """Asks for the words that a marker stands for. What was shown stays in the stream, behind it comes the answer: the second one when it has
        the words, or else the sentence nearest to the question; a model that cannot tell says the same again."""
        illness: Illness = "marker for words"
        self._notes += [*first.notes, RETRY_NOTE.format(illness=illness)]
        messages = firmer(self._request.messages, illness, self._request.language, self._prompts)
        told = [*self._instructions(), self._firm(illness)]
        firmly = partial(StreamGuard, self._request.language, told, patient=False)
        pieces = self._said(firmly, replace(self._request, messages=messages))
        try:
            while True:
                next(pieces)
        except StopIteration as ended:
            second: StreamGuard = ended.value[0]
        except GeneratorUnavailable:
            second = first
        usable = second.illness is None and bool(second.text) and not marker_for_words(second.text)
        self.text = trailing(second.text) if usable else self._nearest(illness, said)
        if self.text:
            yield f"\n\n{self.text}"
        else:
            self.text = trailing(first.text)

    def _firm(self, illness: Illness) -> str:
        """What was added to the prompt, which is not to be repeated either."""
        return self._prompts.text(self._request.language, f"again.{illness.replace(' ', '_')}")

    def _instructions(self) -> list[str]:
        """Lines of the prompt that are not to be repeated: the instructions, and the answers of examples."""
        own = {"system", "assistant"}
        return [line for m in self._request.messages if m.role in own for line in m.content.splitlines()]

    def _said(
        self, guarding: Callable[[], StreamGuard], request: GenerationRequest
    ) -> Pieces[str, None, tuple[StreamGuard, str]]:
        """Pieces as the guard lets them through; returns it, and all that the generator said.

        A request that is refused, which it is before its first piece, is made again with fewer pictures. An answer that broke off before
        anything of it was shown is asked for once more.
        """
        count, refused, broken = pictures_of(request.messages), None, False
        while True:
            guard, said = guarding(), list[str]()
            try:
                yield from self._heard(guard, request, said)
                break
            except BadRequest as error:
                if not pictures_of(request.messages):
                    raise
                refused = refused or error
                request = replace(request, messages=with_fewer_pictures(request.messages))
                self._request = replace(self._request, messages=with_fewer_pictures(self._request.messages))
            except GeneratorUnavailable:
                # Without a piece it was tried elsewhere already.
                if broken or self._shown or not said:
                    raise
                broken = True
        if refused is not None:
            left = pictures_of(request.messages) or "none"
            self._notes.append(PICTURES_NOTE.format(count=count, left=left, why=refused))
        return guard, "".join(said)

    def _heard(self, guard: StreamGuard, request: GenerationRequest, said: list[str]) -> Iterator[str]:
        """Pieces as the guard lets them through; what the generator says is added to `said`."""
        markers = LeadingMarkers()
        used: Usage | None = None
        stream = self._generator.stream(request)
        # Leaving early closes the stream, and with it the generator's work.
        with closing(cast("Pieces[str | Usage, None, None]", stream)):
            for piece in stream:
                if isinstance(piece, Usage):
                    used = piece
                    continue
                said.append(piece)
                if shown := markers.feed(guard.feed(piece)):
                    self._shown = True
                    yield shown
                if guard.ended:
                    break
        self._count(used or self._estimated(request, "".join(said)))
        if rest := markers.feed(guard.finish()) + markers.finish():
            self._shown = True
            yield rest

    def _count(self, used: Usage) -> None:
        self.usage = Usage(
            self.usage.prompt_tokens + used.prompt_tokens, self.usage.completion_tokens + used.completion_tokens
        )

    def _estimated(self, request: GenerationRequest, said: str) -> Usage:
        """Of an answer that was cut: a server counts at the end only."""
        count = self._generator.count_tokens
        return Usage(prompt_tokens(request.messages, count), count(said))

    def _nearest(self, illness: Illness, said: str) -> str:
        """A sentence of the passage that the generator named, or of any, with its marker."""
        self._notes = [note for note in self._notes if note != LANGUAGE_NOTE]
        self._notes.append(NEAREST_NOTE.format(illness=illness))
        # Of an answer in words, the markers alone: it may have numbers of its own.
        pattern = {"markers only": r"\d{1,2}", "marker for words": r"(?<=[\[【［])\d{1,2}(?=[\]】］])"}.get(illness)
        named = {int(number) for number in re.findall(pattern, said)} if pattern else set()
        passages: list[Passage] = [p for p in self._request.passages if p.number in named]
        pairs = [(s, p.number) for p in passages or self._request.passages for s in sentences(p.text)]
        if not pairs:
            return ""
        best, number = max(pairs, key=lambda pair: coverage(self._request.question, pair[0]))
        return f"{best} [{number}]"
