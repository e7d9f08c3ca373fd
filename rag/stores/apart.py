"""A vector store in a process of its own.

To look for neighbours and hand them over takes 2 to 3 ms of a search over 100,000 chunks, of the server's own process otherwise. A process
apart does that beside it; a question and its answer cross over in 0.1 ms. It alone opens the folder, and ends with the process that it belongs
to, also when that is killed: what it had begun it finishes first, and whoever opens the folder next waits for that.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rag.errors import TuwenError, Unavailable
from rag.protocols import IndexKey, Vectors, VectorStore

LOCK = "index.lock"
"""Beside the folder: held by the process that has it open."""
_WAIT_S = 60.0
_CLOSE_S = 60.0

Make = Callable[[Path], VectorStore]


class StoreApart:
    """Satisfies VectorStore over the store that `make`, a function of a module, opens in the other process. Safe to use from several
    threads. A process that ended is started once more, and asked again: everything it is asked may be done twice."""

    def __init__(self, folder: Path, make: Make) -> None:
        self._folder, self._make = folder, make
        self._guard = threading.Lock()
        self._process, self._connection = self._start()

    def upsert(self, key: IndexKey, ids: Sequence[str], vectors: Vectors) -> None:
        self._ask("upsert", key, list(ids), vectors)

    def delete(self, key: IndexKey, ids: Sequence[str]) -> None:
        self._ask("delete", key, list(ids))

    def query(self, key: IndexKey, vector: Vectors, k: int) -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = self._ask("query", key, vector, k)
        return found

    def count(self, key: IndexKey) -> int:
        return int(self._ask("count", key))

    def ids(self, key: IndexKey) -> set[str]:
        found: set[str] = self._ask("ids", key)
        return found

    def held(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        found: tuple[list[str], Vectors] = self._ask("held", key, list(ids))
        return found

    def keys(self) -> list[IndexKey]:
        found: list[IndexKey] = self._ask("keys")
        return found

    def drop(self, key: IndexKey) -> None:
        self._ask("drop", key)

    def settle(self) -> None:
        self._ask("settle")

    def close(self) -> None:
        with self._guard:
            # Closed, it ends by itself.
            self._connection.close()
            self._process.join(_CLOSE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()

    def _start(self) -> tuple[BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")
        own, other = context.Pipe()
        process = context.Process(
            target=_serve, args=(other, self._folder, self._make), name="tuwen-index", daemon=True
        )
        process.start()
        other.close()
        try:
            _told(own.recv())
        except (EOFError, OSError) as error:
            raise self._ended() from error
        except TuwenError:
            own.close()
            process.join(_CLOSE_S)
            raise
        return process, own

    def _ask(self, name: str, *arguments: Any) -> Any:
        with self._guard:
            try:
                return self._asked(name, arguments)
            except (EOFError, OSError):
                self._process.join(_CLOSE_S)
                self._process, self._connection = self._start()
                try:
                    return self._asked(name, arguments)
                except (EOFError, OSError) as error:
                    raise self._ended() from error

    def _asked(self, name: str, arguments: tuple[Any, ...]) -> Any:
        self._connection.send((name, arguments))
        return _told(self._connection.recv())

    def _ended(self) -> Unavailable:
        return Unavailable(
            f"The process of the vector index in {self._folder} ended.",
            "Look at the log for its reason; `index.apart = false` has the index in the server's own process.",
        )


def _told(answer: tuple[bool, Any]) -> Any:
    good, value = answer
    if not good:
        raise value
    return value


def _serve(connection: Connection, folder: Path, make: Make) -> None:
    """What the other process does until the connection is closed."""
    # Ctrl-C goes to all processes of a terminal: the one that owns this one closes it in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        try:
            with _alone(folder):
                store = make(folder)
                try:
                    connection.send((True, None))
                    while True:
                        name, arguments = connection.recv()
                        connection.send(_answer(store, name, arguments))
                finally:
                    store.close()
        except TuwenError as error:
            connection.send((False, error))


def _answer(store: VectorStore, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, getattr(store, name)(*arguments)
    except Exception as error:
        return False, error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits for the process that an earlier owner of the folder left behind."""
    try:
        import fcntl
    except ImportError:  # Windows: a file that is open there cannot be opened by another
        yield
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _WAIT_S
    with (folder.parent / LOCK).open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise Unavailable(
                        f"Another process has the vector index in {folder} open.", "Wait for it to end, or end it."
                    ) from None
                time.sleep(0.05)
        yield
