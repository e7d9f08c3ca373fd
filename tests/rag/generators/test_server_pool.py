"""Failover, retries and load, against servers that say what they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest

from rag import abandon
from rag.answers import Usage
from rag.errors import Abandoned, BadRequest, BadSetting, GeneratorBusy, GeneratorUnavailable
from rag.fake_generator import Reply, ScriptedServer
from rag.generators.breaker import CircuitBreaker
from rag.generators.openai import OpenAIGenerator
from rag.generators.pool import ServerPool
from rag.protocols import GenerationRequest, Message, NextToken, Sampling, WarmUp


def request(question: str = "Hello there") -> GenerationRequest:
    return GenerationRequest(question, "en", (), (), (Message("user", question),), Sampling())


NOBODY = "http://127.0.0.1:9/v1"
FAILS, SAYS = Reply(status=500), Reply(("Yes ", "[1]."))
SAID = ["Yes ", "[1].", Usage(2, 2)]


class Pauses:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def pool(
    *urls: str, sleep: Callable[[float], None] = lambda _: None, failures: int = 99, retries: int = 2, **options: object
) -> ServerPool:
    servers = [OpenAIGenerator(url, "scripted", timeout_s=5.0) for url in urls]
    breaker = partial(CircuitBreaker, failures=failures, pause_s=60.0)
    return ServerPool(servers, retries=retries, breaker=breaker, sleep=sleep, **options)  # type: ignore[arg-type]


def test_a_failure_before_the_first_piece_is_tried_again() -> None:
    pauses = Pauses()
    with ScriptedServer(FAILS, FAILS, SAYS) as server:
        assert list(pool(server.base_url, sleep=pauses).stream(request())) == SAID
        assert len(server.requests) == 3
    assert 0.125 <= pauses.seconds[0] <= 0.375
    assert 0.25 <= pauses.seconds[1] <= 0.75


def test_a_busy_server_is_asked_when_it_says() -> None:
    pauses = Pauses()
    with ScriptedServer(Reply(status=429, retry_after="3"), SAYS) as server:
        assert list(pool(server.base_url, sleep=pauses).stream(request())) == SAID
    assert pauses.seconds == [3.0]


def test_being_busy_for_good_says_when_to_come_again_and_opens_no_breaker() -> None:
    with ScriptedServer(Reply(status=429, retry_after="3")) as server:
        asked = pool(server.base_url, failures=1)
        for _ in range(2):
            with pytest.raises(GeneratorBusy) as caught:
                list(asked.stream(request()))
            assert caught.value.retry_after == 3
        assert len(server.requests) == 6


def test_an_answer_that_breaks_off_is_not_begun_again() -> None:
    with ScriptedServer(Reply(("a", "b", "c"), break_after=1), SAYS) as server:
        pieces = pool(server.base_url).stream(request())
        assert next(pieces) == "a"
        with pytest.raises(GeneratorUnavailable):
            list(pieces)
        assert len(server.requests) == 1
        assert list(pool(server.base_url).stream(request())) == SAID


@pytest.mark.parametrize(("status", "error"), [(400, BadRequest), (401, BadSetting), (404, BadSetting)])
def test_what_no_server_can_mend_is_asked_once(status: int, error: type[Exception]) -> None:
    with ScriptedServer(Reply(status=status)) as server:
        with pytest.raises(error):
            list(pool(server.base_url).stream(request()))
        assert len(server.requests) == 1


def test_another_server_answers_where_one_is_away() -> None:
    with ScriptedServer(SAYS) as server:
        for order in ((NOBODY, server.base_url), (server.base_url, NOBODY)):
            both = pool(*order, retries=0)
            both.ready()
            both.warm_up()
            for number in range(6):
                assert list(both.stream(request(f"question {number}")))[:2] == SAID[:2]


def test_nobody_there_says_so() -> None:
    with pytest.raises(GeneratorUnavailable, match="No answer"):
        pool(NOBODY).ready()
    with pytest.raises(GeneratorUnavailable, match="No answer"):
        pool(NOBODY).warm_up()


def test_who_keeps_failing_is_left_alone() -> None:
    with ScriptedServer(FAILS) as server:
        asked = pool(server.base_url, failures=3)
        with pytest.raises(GeneratorUnavailable, match="500"):
            list(asked.stream(request()))
        with pytest.raises(GeneratorUnavailable, match=r"left alone.*tried again in"):
            list(asked.stream(request()))
        assert len(server.requests) == 3


def test_a_server_that_came_back_is_asked_at_once_when_the_pause_is_over() -> None:
    now = 0.0
    breaker = partial(CircuitBreaker, failures=1, pause_s=1.0, now=lambda: now)
    with ScriptedServer(FAILS, SAYS) as server:
        asked = ServerPool([OpenAIGenerator(server.base_url, "scripted")], retries=0, breaker=breaker)
        with pytest.raises(GeneratorUnavailable):
            list(asked.stream(request()))
        with pytest.raises(GeneratorUnavailable, match="left alone"):
            list(asked.stream(request()))
        now = 1.0
        assert list(asked.stream(request())) == SAID


def test_a_trial_of_a_server_that_is_still_away_costs_no_waiting_for_an_answer() -> None:
    now = 0.0
    breaker = partial(CircuitBreaker, failures=1, pause_s=1.0, now=lambda: now)
    asked = ServerPool([OpenAIGenerator(NOBODY, "scripted")], retries=0, breaker=breaker)
    for _ in range(4):
        with pytest.raises(GeneratorUnavailable):
            list(asked.stream(request()))
        now += 1.0


def test_a_server_that_came_back_is_asked_again_while_another_answers() -> None:
    """Without anybody who has to ask in vain for it."""
    now = 0.0
    breaker = partial(CircuitBreaker, failures=1, pause_s=1.0, now=lambda: now)
    with ScriptedServer(SAYS) as stays, ScriptedServer(FAILS, FAILS, SAYS) as returns:
        servers = [OpenAIGenerator(server.base_url, "scripted") for server in (stays, returns)]
        asked = ServerPool(servers, retries=0, breaker=breaker)

        def ask_until(count: int) -> None:
            for number in range(200):
                assert list(asked.stream(request(f"question {number}"))) == SAID
                if len(returns.requests) == count:
                    return
                time.sleep(0.005)
            raise AssertionError(f"it was asked {len(returns.requests)} times")

        ask_until(1)
        for number in range(20):
            assert list(asked.stream(request(f"another {number}"))) == SAID
        assert len(returns.requests) == 1
        now = 1.0
        ask_until(2)  # there, and still ill: left alone for twice as long
        now = 2.5
        time.sleep(0.05)
        for number in range(20):
            assert list(asked.stream(request(f"another {number}"))) == SAID
        assert len(returns.requests) == 2
        now = 3.1
        ask_until(10)


def test_the_search_for_one_that_is_away_keeps_nobody_waiting() -> None:
    class Silent(OpenAIGenerator):
        looks = 0

        def ready(self) -> None:
            self.looks += 1
            time.sleep(0.5)
            raise GeneratorUnavailable("Nothing.", "Wait.")

    now = 0.0
    breaker = partial(CircuitBreaker, failures=1, pause_s=1.0, now=lambda: now)
    with ScriptedServer(SAYS) as stays:
        silent = Silent(NOBODY, "scripted")
        asked = ServerPool([OpenAIGenerator(stays.base_url, "scripted"), silent], retries=0, breaker=breaker)
        for number in range(20):
            list(asked.stream(request(f"question {number}")))
        began = time.perf_counter()
        for number in range(5):
            now += 1.0
            list(asked.stream(request(f"another {number}")))
        assert time.perf_counter() - began < 0.4
        assert silent.looks == 1


def test_the_least_loaded_is_asked() -> None:
    slow = Reply(("word ",) * 50, between_s=0.2)
    with ExitStack() as stack:
        servers = [stack.enter_context(ScriptedServer(slow)) for _ in range(3)]
        asked = pool(*(server.base_url for server in servers))
        under_way = [asked.stream(request()) for _ in range(6)]
        for pieces in under_way:
            assert next(pieces) == "word "
        assert [len(server.requests) for server in servers] == [2, 2, 2]
        for pieces in under_way:
            pieces.close()  # type: ignore[attr-defined]


def test_questions_on_the_same_passages_meet_the_same_server_while_none_is_busier() -> None:
    passages = "passage " * 400
    with ScriptedServer(SAYS) as one, ScriptedServer(SAYS) as two:
        asked = pool(one.base_url, two.base_url)
        for number in range(8):
            list(asked.stream(request(f"{passages} question {number}")))
        assert sorted((len(one.requests), len(two.requests))) == [0, 8]
        for number in range(40):
            list(asked.stream(request(f"{number} {passages}")))
        assert min(len(one.requests), len(two.requests)) >= 5


def test_no_round_begins_when_the_patience_is_over() -> None:
    times = iter([0.0, 11.0])
    with ScriptedServer(FAILS) as server:
        with pytest.raises(GeneratorUnavailable):
            list(pool(server.base_url, patience_s=10.0, now=lambda: next(times)).stream(request()))
        assert len(server.requests) == 1


def test_nothing_is_tried_again_for_somebody_who_has_gone() -> None:
    waiting = abandon.Abandonment()
    raised: list[BaseException] = []

    def ask(base_url: str) -> None:
        abandon.within(waiting)
        try:
            list(pool(base_url, sleep=lambda _: waiting.leave()).stream(request()))
        except Abandoned as error:
            raised.append(error)

    with ScriptedServer(FAILS) as server:
        thread = threading.Thread(target=ask, args=(server.base_url,))
        thread.start()
        thread.join(5)
        assert len(server.requests) == 1
    assert raised


def test_closing_the_iterator_hangs_up_and_unloads() -> None:
    with ScriptedServer(Reply(("word ",) * 400, between_s=0.01)) as server:
        asked = pool(server.base_url)
        pieces = asked.stream(request())
        assert next(pieces) == "word "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(3)
        assert asked._places[0].under_way == 0


def test_it_can_do_what_its_servers_can() -> None:
    made = pool(NOBODY)
    assert isinstance(made, NextToken)
    assert isinstance(made, WarmUp)
    assert made.name == "openai scripted"
    with pytest.raises(ValueError, match="at least one"):
        ServerPool([])
