"""The vector store in a process of its own: what it says, and what happens when either process ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag.errors import StoreCorrupt
from rag.protocols import IndexKey, Vectors, VectorStore
from rag.stores.apart import StoreApart
from rag.stores.chroma import ChromaVectorStore
from rag.stores.exact import ExactVectorStore

KEY = IndexKey("default", "space", "text")
ROOT = Path(__file__).resolve().parents[3]


def unit(rows: int) -> Vectors:
    vectors = np.random.default_rng(0).normal(size=(rows, 8))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


class Refusing(ExactVectorStore):
    def count(self, key: IndexKey) -> int:
        raise StoreCorrupt(f"{key.collection} is broken.", "Mend it.")


def refusing(_: Path) -> VectorStore:
    return Refusing()


def unopened(folder: Path) -> VectorStore:
    raise StoreCorrupt(f"{folder.name} cannot be opened.", "Mend it.")


def test_its_errors_are_those_of_the_store(tmp_path: Path) -> None:
    store = StoreApart(tmp_path / "index", refusing)
    with pytest.raises(StoreCorrupt, match="default is broken") as told:
        store.count(KEY)
    assert told.value.remedy == "Mend it."
    store.upsert(KEY, ["a"], unit(1))
    assert store.ids(KEY) == {"a"}
    store.close()
    with pytest.raises(StoreCorrupt, match="cannot be opened"):
        StoreApart(tmp_path / "index", unopened)


def test_a_process_that_was_killed_is_started_again(tmp_path: Path) -> None:
    store = StoreApart(tmp_path / "index", ChromaVectorStore)
    store.upsert(KEY, ["a", "b"], unit(2))
    assert store._process.pid is not None
    os.kill(store._process.pid, signal.SIGKILL)
    store._process.join()
    assert store.ids(KEY) == {"a", "b"}
    assert store.query(KEY, unit(2)[1], 1)[0][0] == "b"
    store.close()


_OWNER = """
import os, sys, time
from pathlib import Path
from rag.stores.apart import StoreApart
from rag.stores.chroma import ChromaVectorStore
if __name__ == "__main__":
    store = StoreApart(Path(sys.argv[1]), ChromaVectorStore)
    print(store._process.pid, flush=True)
    time.sleep(60)
"""


def test_it_ends_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(_OWNER)
    owner = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "index")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    # Whoever comes next gets the folder as soon as it has ended.
    store = StoreApart(tmp_path / "index", ChromaVectorStore)
    assert store.keys() == []
    store.close()
    end = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
