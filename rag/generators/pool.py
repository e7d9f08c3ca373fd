"""Several servers of one model as one generator: the least loaded is asked, another when it fails; who keeps failing is left alone.

An answer is tried elsewhere only until its first piece has come: what was shown cannot be taken back. One server makes a pool, too:
retries and the circuit breaker are here.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from rag import abandon
from rag.answers import Usage
from rag.errors import Abandoned, GeneratorBusy, GeneratorUnavailable, TuwenError
from rag.generators.breaker import CircuitBreaker
from rag.protocols import GenerationRequest, Message

T = TypeVar("T")
Pieces = Generator[str | Usage, None, None]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
"""Between two rounds of trying; doubled each time, and up to a half more or less, so that callers do not come back together."""
STABLE_CHARACTERS = 2_000
"""Of a prompt's beginning, by which equally loaded servers are told apart: questions on the same passages meet the same prefix cache."""


class Server(Protocol):
    """What the pool needs of one server: a Generator that tells NextToken and WarmUp."""

    @property
    def name(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def context_tokens(self) -> int: ...
    def count_tokens(self, text: str) -> int: ...
    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]: ...
    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]: ...
    def ready(self) -> None: ...
    def warm_up(self) -> None: ...
    def close(self) -> None: ...


@dataclass
class _Place:
    server: Server
    breaker: CircuitBreaker
    under_way: int = 0
    back: bool = False
    """It was given up and is there again: the next question is its trial."""
    looking: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def occupied(self) -> Iterator[None]:
        with self.guard:
            self.under_way += 1
        try:
            yield
        finally:
            with self.guard:
                self.under_way -= 1


class ServerPool:
    """Safe to use from several threads. Load is what this process asks of a server, not what others do."""

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        retries: int = 2,
        patience_s: float = 10.0,
        breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`retries` are further rounds over the servers, before the first piece; none begins after `patience_s`: who waited for a server
        that says nothing does not wait as long again. Servers may differ in nothing but their address."""
        if not servers:
            raise ValueError("a pool has at least one server")
        self._places = [_Place(server, breaker()) for server in servers]
        self._retries = retries
        self._patience_s = patience_s
        self._sleep, self._now = sleep, now

    @property
    def name(self) -> str:
        return self._places[0].server.name

    @property
    def context_tokens(self) -> int:
        return min(place.server.context_tokens for place in self._places)

    def count_tokens(self, text: str) -> int:
        return self._places[0].server.count_tokens(text)

    def ready(self) -> None:
        """One server that can answer is enough."""
        self._any(lambda server: server.ready())

    def warm_up(self) -> None:
        """Every server; one that succeeds is enough."""
        errors = []
        for place in self._places:
            try:
                place.server.warm_up()
            except TuwenError as error:
                errors.append(error)
        if len(errors) == len(self._places):
            raise errors[0]

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        """Raises the last server's error when none answers."""

        def begin(server: Server) -> tuple[str | Usage, Pieces]:
            pieces = cast("Pieces", server.stream(request))
            return next(pieces), pieces

        with self._first(begin, _stable(request.messages)) as (place, (first, pieces)), closing(pieces):
            yield first
            try:
                yield from pieces
            except GeneratorUnavailable:
                place.breaker.failed()
                raise

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        """Satisfies `rag.protocols.NextToken`. A server that takes too long is not replaced by another: the time is over."""
        ends = self._now() + seconds
        with self._first(lambda s: s.next_token(messages, ends - self._now()), _stable(messages)) as (_, found):
            return found

    def close(self) -> None:
        for place in self._places:
            place.server.close()

    @contextmanager
    def _first(self, ask: Callable[[Server], T], stable: str) -> Iterator[tuple[_Place, T]]:
        """The first server that answers, and what it answers; it counts as loaded within."""
        error: GeneratorUnavailable | None = None
        begun = self._now()
        for attempt in range(self._retries + 1):
            if attempt:
                if self._now() - begun > self._patience_s:
                    break
                self._pause(attempt, error)
            self._look_for_those_away()
            for place in self._by_load(stable):
                if not self._may_ask(place):
                    continue
                with place.occupied():
                    try:
                        found = ask(place.server)
                    except GeneratorUnavailable as failed:
                        # Having no room is no illness.
                        if not isinstance(failed, GeneratorBusy):
                            place.breaker.failed()
                        error = failed
                        continue
                    place.breaker.succeeded()
                    yield place, found
                    return
            if error is None or all(not place.breaker.closed for place in self._places):
                break
        raise error or self._all_away()

    def _may_ask(self, place: _Place) -> bool:
        """Of a server that was given up, by a question that costs it nothing: who waits for an answer is not made to try it."""
        if place.breaker.closed:
            return True
        with place.guard:
            if place.back:
                place.back = False
                return True
        return not place.looking and place.breaker.allows() and self._is_there(place)

    def _is_there(self, place: _Place) -> bool:
        try:
            place.server.ready()
        except TuwenError:
            place.breaker.still_away()
            return False
        return True

    def _look_for_those_away(self) -> None:
        """While another answers, in the background: without it, a server that came back would never be asked again."""
        if not any(place.breaker.closed for place in self._places):
            return
        for place in self._places:
            with place.guard:
                if place.breaker.closed or place.back or place.looking or not place.breaker.allows():
                    continue
                place.looking = True
            threading.Thread(target=self._look, args=(place,), name="tuwen-look", daemon=True).start()

    def _look(self, place: _Place) -> None:
        there = self._is_there(place)
        with place.guard:
            place.back, place.looking = there, False

    def _by_load(self, stable: str) -> list[_Place]:
        def rank(place: _Place) -> str:
            return hashlib.sha256(f"{place.server.base_url}\0{stable}".encode()).hexdigest()

        return sorted(
            self._places, key=lambda place: (not (place.breaker.closed or place.back), place.under_way, rank(place))
        )

    def _pause(self, attempt: int, error: GeneratorUnavailable | None) -> None:
        seconds = min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S)
        seconds *= random.uniform(0.5, 1.5)  # noqa: S311 - nothing is kept secret by it
        if isinstance(error, GeneratorBusy):
            seconds = max(seconds, min(error.retry_after, LONGEST_PAUSE_S))
        self._sleep(seconds)
        if abandon.current().gone:
            raise Abandoned("Nobody waits for this answer any more.", "Ask again.")

    def _any(self, ask: Callable[[Server], None]) -> None:
        error: TuwenError | None = None
        for place in self._places:
            try:
                return ask(place.server)
            except TuwenError as failed:
                error = error or failed
        assert error is not None
        raise error

    def _all_away(self) -> GeneratorUnavailable:
        names = ", ".join(place.server.base_url for place in self._places)
        wait = min(place.breaker.opens_in for place in self._places)
        return GeneratorUnavailable(
            f"{names} did not answer several times in a row and {'is' if len(self._places) == 1 else 'are'} left alone.",
            f"It is tried again in {wait:.0f} s. Start the server, or look at its log.",
        )


def _stable(messages: Sequence[Message]) -> str:
    """The beginning of the prompt: what stands before the question."""
    return "\n".join(message.content for message in messages)[:STABLE_CHARACTERS]
