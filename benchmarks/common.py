"""What the benchmarks share: the command as a person runs it, a server, memory of a process tree, and how results are shown."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Limit:
    """A promise: `value` has to be at most (or, with `at_least`, at least) `bound`."""

    name: str
    value: float
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def kept(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def command(*arguments: str) -> list[str]:
    """`tuwen …` by the interpreter of this benchmark."""
    return [sys.executable, "-m", "tuwen", *arguments]


def environment(data: Path) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "TUWEN_DATA": str(data), "PYTHONPATH": os.pathsep.join(paths)}


def tuwen(data: Path, *arguments: str, accept: Sequence[int] = (0,)) -> dict[str, Any]:
    """Runs a command to its end and answers its JSON. Ends the benchmark when its status is not one of `accept`."""
    done = subprocess.run(
        command(*arguments, "--json"), env=environment(data), capture_output=True, text=True, check=False
    )
    if done.returncode not in accept:
        raise SystemExit(f"tuwen {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}\n{done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def served(data: Path) -> Iterator[httpx.Client]:
    """A real server over the directory, ready to answer."""
    process = subprocess.Popen(
        command("serve", "--port", "0", "--json"), env=environment(data), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        url = json.loads(line)["url"]
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            _wait_until_ready(client, process)
            yield client
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        if process.poll() is None:
            process.kill()


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.HTTPError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit("the server was not ready after 180 s, or ended")


class TreeMemory(threading.Thread):
    """Samples the resident memory of a process and all its descendants; `peak` is the largest sum seen, in bytes.

    Pages that parent and child share count twice: an upper bound.
    """

    def __init__(self, pid: int, every: float = 0.1) -> None:
        super().__init__(daemon=True)
        self._root, self._every, self.peak = psutil.Process(pid), every, 0

    def run(self) -> None:
        while True:
            try:
                tree = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            total = 0
            for process in tree:
                with suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
            self.peak = max(self.peak, total)
            if not self._root.is_running() or self._root.status() == psutil.STATUS_ZOMBIE:
                return
            time.sleep(self._every)


@contextmanager
def directory(given: Path | None, name: str) -> Iterator[Path]:
    """The given data directory, kept; or a new one that is removed."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix=f"tuwen-{name}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def arguments(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON only")
    return parser


def report(title: str, figures: Mapping[str, Any], limits: Sequence[Limit], as_json: bool) -> int:
    """Prints a table, or JSON; answers the exit status: 1 when a limit is broken."""
    kept = all(limit.kept for limit in limits)
    shown = [
        {
            "name": limit.name,
            "value": round(limit.value, 4),
            "bound": limit.bound,
            "unit": limit.unit,
            "kind": "at least" if limit.at_least else "at most",
            "kept": limit.kept,
        }
        for limit in limits
    ]
    if as_json:
        machine = {"cpus": os.cpu_count(), "load": [round(value, 2) for value in os.getloadavg()]}
        print(json.dumps({"benchmark": title, "figures": figures, "limits": shown, "kept": kept, "machine": machine}))
        return 0 if kept else 1
    print(f"{title}  (load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)")
    for name, value in figures.items():
        print(f"  {name:<34} {f'{value:,.3f}' if isinstance(value, float) else value}")
    for limit in limits:
        sign = "≥" if limit.at_least else "≤"
        verdict = "kept" if limit.kept else "BROKEN"
        print(f"  {verdict:<7} {limit.name}: {limit.value:,.3f} {sign} {limit.bound:g} {limit.unit}")
    return 0 if kept else 1


def ingested(service: Any, dataset: Any, collection: str, keep: Path) -> dict[str, str]:
    """Document id of a labelled set by the name it is stored under; ingested where it is not there. `keep` has the files of its texts."""
    from ingest.files import InputFile

    files = dataset.corpus.files(keep / "corpora" / dataset.corpus.digest)
    if not service.library.has_collection(collection):
        service.ingest([InputFile(f.path, f.name, str(f.path), f.root) for f in files], collection)
    return {file.name: file.id for file in files}
