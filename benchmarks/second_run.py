"""What a second run over unchanged files costs: the whole command, from its start to its end, median of several.

The files are short generated texts in folders of a hundred. The first run, which reads them, is not timed; with `--data` it is kept, so that the
second runs can be measured later, on a quiet machine.

    TUWEN_ENCODER__KIND=hashing python -m benchmarks.second_run --files 10000
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from benchmarks.common import Limit, arguments, directory, report, tuwen

BOUND_SECONDS = 5.0


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="parse processes of the first run")
    parser.add_argument("--data", type=Path, help="keep the files and the data directory here, and use what is there")
    args = parser.parse_args()
    with directory(args.data, "second") as folder:
        files, data = folder / "files", folder / "data"
        write(files, args.files)
        first = tuwen(data, "ingest", str(files), "--workers", str(args.workers))
        seconds: list[float] = []
        inside: list[float] = []
        for _ in range(args.runs):
            began = time.perf_counter()
            again = tuwen(data, "ingest", str(files))
            seconds.append(time.perf_counter() - began)
            inside.append(again["seconds"])
            if again["unchanged"] != args.files:
                raise SystemExit(f"only {again['unchanged']} of {args.files} files were found unchanged")
    if not seconds:
        print(f"prepared: {first['published']} published, {first['unchanged']} unchanged", file=sys.stderr)
        return 0
    figures = {
        "files": args.files,
        "second runs": args.runs,
        "wall, median, s": statistics.median(seconds),
        "wall, most, s": max(seconds),
        "the ingest of it, median, s": statistics.median(inside),
    }
    limits = [Limit("second run over unchanged files", statistics.median(seconds), BOUND_SECONDS, "s")]
    return report("second run", figures, limits, args.json)


def write(folder: Path, count: int) -> None:
    """Does not touch what is there: a file that is written again is not unchanged."""
    for number in range(count):
        path = folder / f"{number // 100:03}" / f"note{number:05}.txt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                f"Note {number}: clause {number * 7 % 97} ends after {number % 31} days. 第{number}条。\n", "utf-8"
            )


if __name__ == "__main__":
    sys.exit(main())
