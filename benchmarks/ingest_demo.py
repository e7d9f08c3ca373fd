"""Ingest of a folder of real files: wall time, peak memory of the whole process tree, and a second run over the same files.

python -m benchmarks.ingest_demo --data-set FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.common import Limit, TreeMemory, arguments, command, directory, environment, report


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True, help="the folder to ingest")
    parser.add_argument("--data", type=Path, help="data directory to keep (default: a temporary one)")
    parser.add_argument("--limit-seconds", type=float, default=240.0)
    parser.add_argument("--limit-gb", type=float, default=2.0)
    parser.add_argument("--limit-again-seconds", type=float, default=3.0)
    args = parser.parse_args()
    with directory(args.data, "ingest") as data:
        seconds, peak, first = ingest(args.data_set, data)
        again, _, second = ingest(args.data_set, data)
    figures = {
        "published": first["published"],
        "failed": first["failed"],
        "failures": "; ".join(f"{f['name']}: {f['error']['message']}" for f in first["failures"]) or "none",
        "chunks": first["chunks"],
        "pages": first["pages"],
        "unchanged in the second run": second["unchanged"],
    }
    limits = [
        Limit("first run", seconds, args.limit_seconds, "s"),
        Limit("peak resident memory of the tree", peak / 1e9, args.limit_gb, "GB"),
        Limit("second run", again, args.limit_again_seconds, "s"),
    ]
    return report("ingest", figures, limits, args.json)


def ingest(folder: Path, data: Path) -> tuple[float, int, dict[str, Any]]:
    """Wall seconds from start to end of the command, peak bytes, and its report."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command("ingest", str(folder), "--json"), env=environment(data), stdout=subprocess.PIPE, text=True
    )
    memory = TreeMemory(process.pid)
    memory.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - began
    if process.returncode not in (0, 1):
        raise SystemExit(f"tuwen ingest ended with {process.returncode}")
    return seconds, memory.peak, json.loads(output)


if __name__ == "__main__":
    sys.exit(main())
