from __future__ import annotations

from rag.generators.breaker import CircuitBreaker


class Watch:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def opened(watch: Watch) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=2, pause_s=1.0, longest_s=3.0, now=watch)
    for _ in range(2):
        assert breaker.allows()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = CircuitBreaker(failures=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.closed
    breaker.failed()
    assert not breaker.closed


def test_an_open_one_lets_one_trial_through_after_the_pause() -> None:
    watch = Watch()
    breaker = opened(watch)
    assert not breaker.allows()
    assert breaker.opens_in == 1.0
    watch.time = 1.0
    assert breaker.allows()
    assert not breaker.allows(), "one trial, not two"
    breaker.succeeded()
    assert breaker.closed
    assert breaker.allows()


def test_the_pause_doubles_with_each_failed_trial_up_to_a_limit() -> None:
    watch = Watch()
    breaker = opened(watch)
    pauses = []
    for _ in range(4):
        watch.time += breaker.opens_in
        assert breaker.allows()
        breaker.failed()
        pauses.append(breaker.opens_in)
    assert pauses == [2.0, 3.0, 3.0, 3.0]


def test_who_was_not_there_is_tried_again_after_the_first_pause() -> None:
    watch = Watch()
    breaker = opened(watch)
    for _ in range(5):
        watch.time += breaker.opens_in
        assert breaker.allows()
        breaker.still_away()
        assert breaker.opens_in == 1.0


def test_questions_that_ran_when_it_opened_are_one_outage() -> None:
    watch = Watch()
    breaker = opened(watch)
    watch.time = 0.5
    for _ in range(6):
        breaker.failed()
    assert breaker.opens_in == 0.5
    watch.time = 1.0
    assert breaker.allows()
    breaker.failed()
    assert breaker.opens_in == 2.0
