"""The same files through a plain ingest and through Ray on this machine: two equal stores, also when actors are killed on the way.

python -m benchmarks.bulk_ray --data-set examples/corpus --workers 2 --encoders 2 --kills 2
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks import stores
from benchmarks.common import Limit, arguments, command, environment, report, tuwen
from benchmarks.kill9 import generate


def main() -> int:
    parser = arguments(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-set", type=Path, help="the folder to ingest")
    source.add_argument("--generate", type=int, metavar="N", help="ingest N generated files")
    parser.add_argument("--workers", type=int, default=2, help="parse actors")
    parser.add_argument("--encoders", type=int, default=2, help="embed actors")
    parser.add_argument("--kills", type=int, default=0, help="actors to kill while they work, of both kinds in turn")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between the kills")
    args = parser.parse_args()
    os.environ |= {"TUWEN_INGEST__WORKERS": str(args.workers), "TUWEN_INGEST__RAY_ENCODERS": str(args.encoders)}
    with tempfile.TemporaryDirectory(prefix="tuwen-ray-", ignore_cleanup_errors=True) as scratch:
        folder = args.data_set or generate(Path(scratch) / "files", args.generate)
        plain, over_ray = Path(scratch) / "plain", Path(scratch) / "ray"
        began = time.perf_counter()
        tuwen(plain, "ingest", str(folder), accept=(0, 1))
        plain_seconds = time.perf_counter() - began
        began = time.perf_counter()
        killed = ingest(folder, over_ray, args.kills, args.every)
        ray_seconds = time.perf_counter() - began
        unequal = stores.differences(plain, over_ray)
        cosine = stores.least_cosine(plain, over_ray)
        problems = tuwen(over_ray, "doctor", accept=(0, 1))["problems"]
        documents = len(tuwen(plain, "documents", "list")["files"])
    figures = {
        "files": documents,
        "plain ingest, s": plain_seconds,
        "over Ray, with its start, s": ray_seconds,
        "actors killed": killed,
        "least cosine of two vectors of one text": cosine,
        "problems": "; ".join(problems[:5]) or "none",
    }
    limits = [Limit(f"{name} that differ", count, 0) for name, count in unequal.items()]
    limits += [Limit("problems that doctor finds", len(problems), 0), Limit("kills not made", args.kills - killed, 0)]
    return report("bulk over Ray", figures, limits, args.json)


def ingest(folder: Path, data: Path, kills: int, every: float) -> int:
    """Ingests over Ray, killing an actor now and then. Answers how many were killed."""
    process = subprocess.Popen(
        command("ingest", str(folder), "--ray", "local", "--json"),
        env=environment(data),
        stdout=subprocess.PIPE,
        text=True,
    )
    killed = 0
    wanted = ("ParseActor", "EncodeActor")
    next_kill = 0.0
    while process.poll() is None:
        time.sleep(0.1)
        if killed < kills and time.monotonic() >= next_kill and kill_one(process.pid, wanted[killed % 2]):
            killed += 1
            next_kill = time.monotonic() + every
    assert process.stdout is not None
    said = process.stdout.read()
    if process.returncode not in (0, 1) or "error" in json.loads(said):
        raise SystemExit(f"the ingest over Ray ended with {process.returncode}: {said}")
    return killed


def kill_one(parent: int, kind: str) -> bool:
    """Kills an actor of a kind that is at work, below a process."""
    with suppress(psutil.Error):
        for process in psutil.Process(parent).children(recursive=True):
            with suppress(psutil.Error):
                # Ray names a worker after the call that it is at.
                if process.cmdline() and process.cmdline()[0].startswith(f"ray::{kind}."):
                    process.kill()
                    return True
    return False


if __name__ == "__main__":
    sys.exit(main())
