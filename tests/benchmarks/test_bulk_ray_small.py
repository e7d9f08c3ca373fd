"""A small version of benchmarks/bulk_ray.py: the command line over a local Ray, an actor killed on the way, equal stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.light import LIGHT_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_two_equal_stores_and_a_killed_actor() -> None:
    pytest.importorskip("ray")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bulk_ray", "--generate", "120", "--kills", "1", "--json"],
        cwd=ROOT,
        env={**os.environ, **LIGHT_ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["kept"], report
    assert report["figures"]["files"] == 126
    assert report["figures"]["least cosine of two vectors of one text"] == 1.0
