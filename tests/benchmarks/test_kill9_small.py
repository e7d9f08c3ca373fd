"""A small version of benchmarks/kill9.py: real processes, real kills, the encoder that needs no weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(60):
        text = "\n\n".join(
            f"## Part {part}\n\nSentence {part} of file {number} is here. 第{part}段。" for part in range(12)
        )
        (folder / f"file{number:02}.md").write_text(f"# File {number}\n\n{text}\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    environment = {
        **os.environ,
        "TUWEN_ENCODER__KIND": "hashing",
        "TUWEN_PICTURES__DESCRIBER": "none",
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill9", "--data-set", str(folder), "--kills", "4", "--seed", "1", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["kept"], report
    assert report["figures"]["kills"] == 4
    assert report["figures"]["documents"] == 61
