"""A generated PDF of 1,600 pages: memory of the whole process tree over time, a kill -9 at page 900, a cancel.

Three ingests of the same file: one to its end, whose resident memory is sampled; one killed at the page that `--kill-at` names
and then begun again, where the first page told after the kill says how much was lost; one stopped by an interrupt (Ctrl-C).

    python -m benchmarks.big_pdf --pages 1600 --plot docs/images/big-pdf-memory.svg
    python -m benchmarks.big_pdf --pages 1600 --words 60 --cancels 5
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import psutil

from benchmarks.common import Limit, arguments, command, environment, report, tuwen
from ingest import page_records

NAME = "big.pdf"
EVERY = 0.25
_WORDS = (
    "agreement audit balance board budget capital committee contract cost credit customer delivery director equity estimate "
    "expense filing forecast growth income interest inventory invoice lease liability margin market measure note operating "
    "partner payment period policy product profit quarter rate report reserve revenue review risk segment service share "
    "supplier tax term total trade value volume year"
).split()


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--pages", type=int, default=1600)
    parser.add_argument("--kill-at", type=int, default=900)
    parser.add_argument("--words", type=int, default=220, help="words to a page")
    parser.add_argument("--plot", type=Path, help="write memory over time as SVG")
    parser.add_argument(
        "--cancels", type=int, default=0, help="only interrupt the ingest so often, at pages spread over the file"
    )
    args = parser.parse_args()
    if args.cancels:
        return cancels(args.pages, args.words, args.cancels, args.json)
    with tempfile.TemporaryDirectory(prefix="tuwen-big-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        make_pdf(folder / NAME, args.pages, args.words)
        whole = Watched(folder, Path(scratch) / "whole")
        whole.wait()
        cancelled = Watched(folder, Path(scratch) / "cancelled", until=lambda page: page >= args.pages // 8)
        began = time.perf_counter()
        cancelled.process.send_signal(signal.SIGINT)
        cancelled.process.wait()
        cancel_seconds = time.perf_counter() - began
        # Progress is told by the embedding side, which comes after the reading: what was read stands in the checkpoint.
        killed = Watched(
            folder, Path(scratch) / "killed", until=lambda _: kept_pages(Path(scratch) / "killed") >= args.kill_at
        )
        killed.process.kill()
        killed.process.wait()
        at = kept_pages(Path(scratch) / "killed")
        again = Watched(folder, Path(scratch) / "killed")
        again.wait()
        equal = published(Path(scratch) / "whole") == published(Path(scratch) / "killed")
    kept = [(seconds, value) for seconds, value in whole.memory if seconds > 0.4 * whole.memory[-1][0]]
    first, last = kept[: len(kept) // 3], kept[-len(kept) // 3 :]
    growth = max(v for _, v in last) - max(v for _, v in first)
    if args.plot:
        plot(whole.memory, args.plot)
    figures = {
        "pages": args.pages,
        "whole ingest, s": whole.seconds,
        "pages per second": args.pages / whole.seconds,
        "peak of the tree, MB": max(value for _, value in whole.memory) / 1e6,
        "growth from the middle to the end, MB": growth / 1e6,
        "pages read when it was killed": at,
        "first page read after the kill": again.first_new,
        "rest after the kill, s": again.seconds,
    }
    limits = [
        Limit("peak resident memory of the tree", max(value for _, value in whole.memory) / 1e9, 1.5, "GB"),
        Limit("pages read again after the kill", max(0, at + 1 - (again.first_new or at + 1)), 20),
        Limit("interrupt to the end of the process", cancel_seconds, 2.0, "s"),
        Limit("library equal to that of the undisturbed ingest", float(equal), 1, at_least=True),
    ]
    return report("big PDF", figures, limits, args.json)


def cancels(pages: int, words: int, count: int, as_json: bool) -> int:
    """Interrupts ingests of the file, each in a new directory, as soon as another page is told of."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory(prefix="tuwen-big-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "files"
        folder.mkdir()
        make_pdf(folder / NAME, pages, words)
        for number in range(count):
            data, at = Path(scratch) / f"cancelled{number}", pages * (number + 1) // (2 * count + 2)
            watched = Watched(folder, data, until=partial(_reached, at))
            began = time.perf_counter()
            watched.process.send_signal(signal.SIGINT)
            watched.process.wait()
            seconds.append(time.perf_counter() - began)
    figures = {"pages": pages, "cancels": count, "all of them, s": ", ".join(f"{value:.2f}" for value in seconds)}
    limits = [
        Limit("interrupt to the end of the process, median", statistics.median(seconds), 2.0, "s"),
        Limit("… the longest", max(seconds), 2.0, "s"),
    ]
    return report("cancel of a big PDF", figures, limits, as_json)


def _reached(wanted: int, page: int) -> bool:
    return page >= wanted


@dataclass
class Watched:
    """An ingest under way: its pages by its own progress, and the memory of its processes. `until` is waited for by the constructor."""

    folder: Path
    data: Path
    until: Callable[[int], bool] | None = None
    page: int = 0
    first_new: int = 0
    seconds: float = 0.0
    memory: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command("ingest", str(self.folder), "--json", "--events"),
            env=environment(self.data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # A benchmark in the background of a shell has its interrupts ignored, and its children would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )
        assert self.process.stderr is not None
        threading.Thread(target=self._follow, args=(self.process.stderr,), daemon=True).start()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        while self.until is not None and not self.until(self.page) and self.process.poll() is None:
            time.sleep(0.1)

    def wait(self) -> None:
        if self.process.wait() != 0:
            raise SystemExit(f"tuwen ingest ended with {self.process.returncode}")
        self.seconds = time.perf_counter() - self.began

    def _follow(self, lines: IO[str]) -> None:
        for line in lines:
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("state") == "parsing" and event.get("page"):
                self.page = int(event["page"])
                self.first_new = self.first_new or self.page

    def _sample(self) -> None:
        root = psutil.Process(self.process.pid)
        while self.process.poll() is None:
            total = 0
            with suppress(psutil.Error):
                for process in (root, *root.children(recursive=True)):
                    with suppress(psutil.Error):
                        total += process.memory_info().rss
            self.memory.append((time.perf_counter() - self.began, total))
            time.sleep(EVERY)


def make_pdf(path: Path, pages: int, words: int) -> None:
    """Text with a running header, a heading and a table now and then, every page different; written without a library."""
    draw = random.Random(7)
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for number in range(1, pages + 1):
        lines = [("10", f"Annual report, volume {number // 100 + 1}"), ("16", f"{number}. {_title(draw)}")]
        left = [draw.choice(_WORDS) if draw.random() < 0.9 else str(draw.randint(1, 99_999)) for _ in range(words)]
        while left:
            lines.append(("11", " ".join(left[:11]) + ("." if len(left) < 30 or draw.random() < 0.3 else "")))
            left = left[11:]
        height, text = 780, []
        for size, line in lines:
            text.append(f"BT /F1 {size} Tf 60 {height} Td ({line}) Tj ET")
            height -= 30 if size != "11" else 15
        text.append(f"BT /F1 9 Tf 290 30 Td ({number}) Tj ET")
        stream = "\n".join(text).encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % kid for kid in kids))
    with path.open("wb") as file:
        file.write(b"%PDF-1.4\n")
        offsets = []
        for number, body in enumerate(objects, start=1):
            offsets.append(file.tell())
            file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
        file.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
        file.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))


def _title(draw: random.Random) -> str:
    return " ".join(draw.choice(_WORDS).capitalize() for _ in range(3))


def kept_pages(data: Path) -> int:
    """Pages in the checkpoint of the file under way."""
    found = 0
    for path in (data / "checkpoints").glob("*.pages"):
        with path.open("rb") as file, suppress(EOFError):
            while (record := page_records.read(file)) is not None:
                found += record[0] == page_records.PAGE
    return found


def published(data: Path) -> list[tuple[object, ...]]:
    """Every chunk with its place and text."""
    tuwen(data, "documents", "list")
    with sqlite3.connect(data / "library.sqlite3") as db:
        return db.execute("SELECT id, ordinal, kind, text, context, page, boxes FROM chunks ORDER BY id").fetchall()


def plot(memory: list[tuple[float, int]], path: Path) -> None:
    """Memory over time as a small SVG, with the limit as a line."""
    width, height, left, bottom = 640, 260, 60, 40
    end = memory[-1][0] or 1.0
    top = 1.6e9

    def at(seconds: float, value: float) -> str:
        return f"{left + (width - left - 20) * seconds / end:.1f},{height - bottom - (height - bottom - 20) * value / top:.1f}"

    line = " ".join(at(seconds, value) for seconds, value in memory)
    limit = f"{at(0, 1.5e9)} {at(end, 1.5e9)}"
    marks = "".join(
        f'<text x="{left - 8}" y="{float(at(0, value).split(",")[1]) + 4:.0f}" text-anchor="end">{value / 1e9:.1f}</text>'
        for value in (0.0, 0.5e9, 1.0e9, 1.5e9)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#555">'
        f'<rect width="{width}" height="{height}" fill="#fff"/><polyline points="{limit}" fill="none" stroke="#c33" stroke-dasharray="4 4"/>'
        f'<polyline points="{line}" fill="none" stroke="#26c" stroke-width="1.5"/>{marks}'
        f'<text x="{left}" y="14">resident memory of all processes, GB</text>'
        f'<text x="{width - 20}" y="{height - 12}" text-anchor="end">{end:.0f} s</text></svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
