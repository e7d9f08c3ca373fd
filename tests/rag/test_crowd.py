"""Who searches beside others is told so, and results are those of a search alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

from rag.crowd import Crowd


def test_alone_until_another_comes() -> None:
    crowd, entered, go = Crowd(), threading.Event(), threading.Event()

    def stay() -> bool:
        with crowd:
            entered.set()
            assert go.wait(10)
            return crowd.alone

    with ThreadPoolExecutor(1) as pool:
        with crowd:
            assert crowd.alone
            other = pool.submit(stay)
            assert entered.wait(10)
            assert not crowd.alone
        assert crowd.alone
        go.set()
        assert other.result(10)


def test_who_fails_has_left() -> None:
    crowd = Crowd()
    for _ in range(3):
        try:
            with crowd:
                raise ValueError
        except ValueError:
            pass
    with crowd:
        assert crowd.alone
