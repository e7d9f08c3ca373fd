"""From the command to its result: `tuwen search` in a new process, models and index opened for one question.

python -m benchmarks.cold_start --data .tuwen --question "How is a marker checked?"
python -m benchmarks.cold_start --data-set examples/corpus
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.common import Limit, arguments, command, directory, environment, report, tuwen

FORBIDDEN = ("torch", "transformers", "sentence_transformers", "langchain_core")
"""Packages whose import costs seconds; none is needed for a search of the embedded profile."""

_PROBE = f"""
import sys, tuwen
sys.argv = ["tuwen", *sys.argv[1:]]
try:
    tuwen.main()
except SystemExit as error:
    assert not error.code, error.code
print([name for name in {FORBIDDEN!r} if name in sys.modules], file=sys.stderr)
"""


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="a data directory with documents")
    parser.add_argument("--data-set", type=Path, help="a folder to ingest first")
    parser.add_argument("--question", default="What is this about?")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit-seconds", type=float, default=5.0)
    args = parser.parse_args()
    if args.data is None and args.data_set is None:
        parser.error("give --data with documents in it, or --data-set to ingest")
    with directory(args.data, "cold") as data:
        if args.data_set is not None:
            tuwen(data, "ingest", str(args.data_set), accept=(0, 1))
        seconds: list[float] = []
        hits = 0
        for _ in range(args.runs + 1):
            began = time.perf_counter()
            hits = len(tuwen(data, "search", args.question)["hits"])
            seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run(command("--help"), env=environment(data), capture_output=True, check=True)
        help_seconds = time.perf_counter() - began
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, "search", args.question, "--json"],
            env=environment(data),
            capture_output=True,
            text=True,
            check=True,
        )
    imported = json.loads(probe.stderr.strip().splitlines()[-1].replace("'", '"'))
    # The first run warms the disk; the promise is about a warm one.
    figures = {
        "runs": args.runs,
        "hits": hits,
        "first run, s": seconds[0],
        "search, median s": median(seconds[1:]),
        "search, slowest s": max(seconds[1:]),
        "--help, s": help_seconds,
        "heavy imports": ", ".join(imported) or "none",
    }
    limits = [
        Limit("search, median", median(seconds[1:]), args.limit_seconds, "s"),
        Limit("heavy packages imported", len(imported), 0),
    ]
    return report("cold start", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
