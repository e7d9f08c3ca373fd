"""kill -9 at random moments of an ingest, then again: nothing lost, nothing doubled, everything found.

Each round starts `tuwen ingest` on the same directory and kills it after a random time, every second time with its parse
processes, otherwise alone. Kills go on over one data directory until an ingest gets to its end; then a new directory is begun. After
the kills an ingest runs to its end, and every directory is compared with one that was never disturbed: the same
documents with the same chunks, each once, the same words, vectors and blobs, and `tuwen doctor` finds every chunk by its own vector and
its own words.

    python -m benchmarks.kill9 --data-set examples/corpus --kills 30
    TUWEN_ENCODER__KIND=hashing python -m benchmarks.kill9 --generate 600 --kills 20 --workers 4
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks import stores
from benchmarks.common import Limit, arguments, command, environment, report, tuwen

Documents = dict[str, tuple[str, str, int]]
"""By name: status, hash of the bytes, number of chunks."""


def main() -> int:
    parser = arguments(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-set", type=Path, help="the folder to ingest")
    source.add_argument(
        "--generate", type=int, metavar="N", help="ingest N generated files, texts, archives and broken ones"
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--workers", type=int, default=1, help="parse processes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doctor-each", action="store_true", help="run `tuwen doctor` after every kill, too")
    args = parser.parse_args()
    moments = random.Random(args.seed)
    os.environ["TUWEN_INGEST__WORKERS"] = str(args.workers)
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tuwen-kill9-", ignore_cleanup_errors=True) as scratch:
        folder = args.data_set or generate(Path(scratch) / "files", args.generate)
        calm = Path(scratch) / "calm"
        began = time.perf_counter()
        tuwen(calm, "ingest", str(folder), accept=(0, 1))
        whole = time.perf_counter() - began
        expected = documents(calm, problems)
        kills = finished = directories = orphans = 0
        while kills < args.kills:
            directories += 1
            data = Path(scratch) / f"killed{directories}"
            while kills < args.kills:
                # An ingest that goes on where it stopped is shorter each time: short waits kill it often.
                wait = moments.uniform(0.0, whole) * moments.choice((1.0, 0.5, 0.25))
                if not killed(folder, data, wait, with_children=kills % 2 == 1):
                    finished += 1
                    break
                kills += 1
                orphans += wait_for_orphans(data)
                if args.doctor_each:
                    problems += doctor(data, f"after kill {kills}")
            tuwen(data, "ingest", str(folder), accept=(0, 1))
            problems += differences(expected, documents(data, problems), data.name)
            problems += doctor(data, data.name)
            unequal = stores.differences(calm, data)
            problems += [f"{data.name}: {count} {name} differ" for name, count in unequal.items() if count]
    figures = {
        "undisturbed ingest, s": whole,
        "documents": len(expected),
        "chunks": sum(chunks for _, _, chunks in expected.values()),
        "kills": kills,
        "workers": args.workers,
        "seed": args.seed,
        "data directories": directories,
        "ingests that ended before their kill": finished,
        "problems": "; ".join(problems[:10]) or "none",
    }
    limits = [
        Limit("problems after kill -9", len(problems), 0),
        Limit("parse processes that outlived their parent", orphans, 0),
    ]
    return report("kill -9", figures, limits, args.json)


def generate(folder: Path, count: int) -> Path:
    """Short texts in two languages; every 50th file is an archive of three, every 40th is broken."""
    for number in range(count):
        parts = "\n\n".join(
            f"## Part {part}\n\nClause {part} of contract {number}: {number * part % 97} days. 第{number}号合同第{part}条。"
            for part in range(1 + number % 12)
        )
        path = folder / f"{number // 100:02}" / f"file{number:04}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 50 == 49:
            with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
                for inner in range(3):
                    archive.writestr(f"inner{inner}.md", f"# Annex {inner} of {number}\n\n{parts}\n")
        elif number % 40 == 39:
            path.with_suffix(".pdf").write_bytes(b"%PDF-1.7 nothing")
        else:
            path.write_text(f"# Contract {number}\n\n{parts}\n", encoding="utf-8")
    return folder


def killed(folder: Path, data: Path, wait: float, *, with_children: bool) -> bool:
    """Whether the ingest was still running when its time came."""
    process = subprocess.Popen(
        command("ingest", str(folder), "--json"),
        env=environment(data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        if with_children:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return True
    return False


def wait_for_orphans(data: Path, seconds: float = 30.0) -> int:
    """How many processes of a killed ingest still live after a while; they are ended. One that was just being started first has to come
    to where it sees that nobody waits for it: more than 10 s at a load of 10 on two cores."""
    end = time.monotonic() + seconds
    while (left := _of_directory(data)) and time.monotonic() < end:
        time.sleep(0.1)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(left)


def _of_directory(data: Path) -> list[psutil.Process]:
    """Processes started with this data directory. Parse processes inherit the environment of their parent."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TUWEN_DATA") == str(data) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def documents(data: Path, problems: list[str]) -> Documents:
    found: Documents = {}
    for file in tuwen(data, "documents", "list")["files"]:
        if file["name"] in found:
            problems.append(f"{data.name}: {file['name']} is there twice")
        found[file["name"]] = (file["status"], file.get("sha256", ""), file.get("chunks", 0))
    return found


def differences(expected: Documents, found: Documents, where: str) -> list[str]:
    names = sorted(expected.keys() | found.keys())
    return [
        f"{where}: {name} is {found.get(name, 'lost')} instead of {expected.get(name, 'absent')}"
        for name in names
        if expected.get(name) != found.get(name)
    ]


def doctor(data: Path, where: str) -> list[str]:
    return [f"{where}: {problem}" for problem in tuwen(data, "doctor", accept=(0, 1)).get("problems", ["no report"])]


if __name__ == "__main__":
    sys.exit(main())
