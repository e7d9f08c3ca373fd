"""A real sweep of a real service, killed with SIGKILL and started again: it ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.light import LIGHT_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
N = 30

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    words = ["amber", "basalt", "cedar", "dune", "ember", "fjord", "grove", "heron", "inlet", "jade"]

    def text(number: int) -> str:
        picked = [words[(number * step) % len(words)] for step in (1, 3, 7)]
        return f"Station {number} stands near {' and '.join(picked)}. " + "It was measured every spring. " * (
            number % 5
        )

    corpus = [json.dumps({"_id": f"d{n}", "title": f"Station {n}", "text": text(n)}) for n in range(N)]
    queries = [json.dumps({"_id": f"q{n}", "text": f"Which station {n} is near {words[n % 10]}?"}) for n in range(N)]
    (folder / "corpus.jsonl").write_text("\n".join(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"q{n}\td{n}\t1\n" for n in range(N)))
    return folder


def environment(place: Path) -> dict[str, str]:
    paths = {"TUWEN_DATA": str(place / "own"), "XDG_CACHE_HOME": str(place / "cache"), "PYTHONPATH": str(ROOT)}
    return {**os.environ, **LIGHT_ENVIRONMENT, **paths}


def arguments(dataset: Path, place: Path) -> list[str]:
    varied = ["--set", "retrieval.rrf_k=1,60", "--set", "ingest.chunk_tokens=40,200", "--metric", "mrr@10"]
    command = [sys.executable, "-m", "tuwen", "eval", "sweep", str(dataset), *varied, "--split", "0.5"]
    return [*command, "--use", "--out", str(place / "sweep"), "--json"]


def sweep(dataset: Path, place: Path) -> dict[str, Any]:
    done = subprocess.run(
        arguments(dataset, place), env=environment(place), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def lines(place: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (place / "sweep").rglob("questions.jsonl"))


def test_a_killed_sweep_goes_on(dataset: Path, tmp_path: Path) -> None:
    whole, place = tmp_path / "whole", tmp_path / "killed"
    expected = sweep(dataset, whole)
    # One kill in the first run, one in a later one.
    for wanted in (5, 2 * N + 5):
        process = subprocess.Popen(
            arguments(dataset, place), env=environment(place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 240
        while lines(place) < wanted and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lines(place) < 5 * N, "it was over before it could be killed"
    result = sweep(dataset, place)
    # Four combinations, and the settings as they stand.
    assert lines(place) == 5 * N
    assert result["finished"]
    for name in ("metric", "axes", "baseline", "best", "confirmed", "split", "dataset"):
        assert result[name] == expected[name], name
    assert [cell["metrics"] for cell in result["cells"]] == [cell["metrics"] for cell in expected["cells"]]
    # An index for each size of chunks, that of the settings as they stand among them, whatever k fuses by.
    assert len(list((place / "cache" / "tuwen" / "eval" / "indexes").iterdir())) == 3


def test_the_best_settings_are_put_to_use(dataset: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "tuwen.toml").write_text("# mine\n[retrieval]\ndepth = 50 # enough\n", encoding="utf-8")
    result = sweep(dataset, tmp_path)
    best = result["cells"][result["best"]]["settings"]
    written = tomllib.loads((own / "tuwen.toml").read_text(encoding="utf-8"))
    assert written["retrieval"]["depth"] == 50
    assert "# mine" in (own / "tuwen.toml").read_text(encoding="utf-8")
    defaults = {"retrieval.rrf_k": 60, "ingest.chunk_tokens": 300}
    different = {name: value for name, value in best.items() if value != defaults[name]}
    assert result["used"]["settings"] == different
    assert result["used"]["ingest_again"] == ("ingest.chunk_tokens" in different)
    for name, value in different.items():
        section, _, field = name.partition(".")
        assert written[section][field] == value
    # Nobody's documents were touched.
    assert not (own / "library.sqlite3").exists()


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        ("retrieval.rrfk=5", "retrieval.rrf_k"),
        ("retrieval.rrf_k=-1", "retrieval.rrf_k"),
        ("ingest.chunk_tokens=many", "ingest.chunk_tokens"),
        ("http.port=1", "http.port"),
        ("data=here", "data"),
        ("retrieval.rrf_k", "names no setting"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_ingested(
    dataset: Path, tmp_path: Path, varied: str, message: str
) -> None:
    command = [sys.executable, "-m", "tuwen", "eval", "sweep", str(dataset), "--set", varied, "--json"]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=120)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["type"]) == (1, "BadRequest")
    assert message in error["message"] + error["remedy"]
    assert not (tmp_path / "cache" / "tuwen" / "eval" / "indexes").exists()
