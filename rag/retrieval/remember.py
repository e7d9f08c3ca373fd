"""What a generator wrote for a step of the question (a stand-alone question, its variants) is kept: the same question costs nothing twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.answers import Usage
from rag.protocols import GenerationRequest, Generator, Message, Sampling

Key = tuple[str, tuple[Message, ...], str]


@dataclass(slots=True)
class StepCache:
    """The last `size` texts by generator, prompt and sampling; 0 keeps none. Safe to use from several threads."""

    size: int = 1000
    _texts: OrderedDict[Key, str] = field(default_factory=OrderedDict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Key) -> str | None:
        with self._guard:
            if key in self._texts:
                self._texts.move_to_end(key)
            return self._texts.get(key)

    def put(self, key: Key, text: str) -> None:
        with self._guard:
            self._texts[key] = text
            self._texts.move_to_end(key)
            while len(self._texts) > self.size:
                self._texts.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Remembering:
    """A generator for the steps of a question. What was broken off, failed, or drawn by chance is not kept."""

    generator: Generator
    cache: StepCache

    @property
    def name(self) -> str:
        return self.generator.name

    @property
    def context_tokens(self) -> int:
        return self.generator.context_tokens

    def count_tokens(self, text: str) -> int:
        return self.generator.count_tokens(text)

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        key = (self.generator.name, request.messages, _sampling(request.sampling))
        known = self.cache.get(key)
        if known is not None:
            yield known
            yield Usage()
            return
        pieces: list[str] = []
        for piece in self.generator.stream(request):
            if isinstance(piece, str):
                pieces.append(piece)
            yield piece
        text = "".join(pieces)
        if text.strip() and request.sampling.temperature == 0:
            self.cache.put(key, text)

    def ready(self) -> None:
        self.generator.ready()

    def close(self) -> None:
        """Nothing: the generator belongs to whoever made it."""


def _sampling(sampling: Sampling) -> str:
    return repr(sampling)
