"""Callers who come at the same time go together."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.combining import Combining


class Watched:
    """Doubles numbers. The first call waits until `go` is set; one with -1 in it fails."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        self.entered.set()
        assert self.go.wait(10)
        if -1 in numbers:
            raise ValueError(str(list(numbers)))
        return [2 * number for number in numbers]


def test_who_comes_meanwhile_waits_and_goes_along() -> None:
    watched = Watched()
    double = Combining(watched, most=3)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(double, 0)
        assert watched.entered.wait(10)
        others = []
        for number in range(1, 6):
            others.append(pool.submit(double, number))
            while double.waiting < number:
                threading.Event().wait(0.002)
        watched.go.set()
        assert [future.result(10) for future in (first, *others)] == [0, 2, 4, 6, 8, 10]
    assert [len(call) for call in watched.calls] == [1, 3, 2]
    assert double.waiting == 0


def test_alone_nobody_waits() -> None:
    watched = Watched()
    watched.go.set()
    double = Combining(watched, most=3)
    assert [double(number) for number in range(4)] == [0, 2, 4, 6]
    assert watched.calls == [[0], [1], [2], [3]]


def test_an_error_is_its_own_callers() -> None:
    watched = Watched()
    double = Combining(watched, most=8)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(double, 0)
        assert watched.entered.wait(10)
        good, bad = pool.submit(double, 4), pool.submit(double, -1)
        while double.waiting < 2:
            threading.Event().wait(0.002)
        watched.go.set()
        assert (first.result(10), good.result(10)) == (0, 8)
        with pytest.raises(ValueError, match=r"\[-1\]"):
            bad.result(10)
    assert double(5) == 10


def test_under_many_callers_each_gets_their_own() -> None:
    double: Combining[int, int] = Combining(lambda numbers: [2 * number for number in numbers], most=4)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(double, range(2_000))) == [2 * number for number in range(2_000)]
