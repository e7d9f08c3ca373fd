"""A file that crashes, hangs or swells takes down its worker, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ingest.protocols import Limits, Source
from ingest.worker import ParseWorker, Toolbox
from rag.errors import CorruptFile, EncryptedFile, LimitExceeded, SetupError, UnsupportedFile
from tests.support.hostile import build, build_broken, build_dying, build_nothing


@pytest.fixture(scope="module")
def worker() -> Iterator[ParseWorker]:
    made = ParseWorker(build, memory=500_000_000)
    yield made
    made.close()


def source(folder: Path, text: str, **limits: float) -> Source:
    path = folder / "file.txt"
    path.write_text(text)
    return Source(path, "file.txt", "", Limits(**limits))  # type: ignore[arg-type]


def texts(worker: ParseWorker, given: Source) -> list[str]:
    return [element.text for page in worker.parse(given).pages for element in page.elements]


def test_pages_come_in_order(worker: ParseWorker, tmp_path: Path) -> None:
    parsed = worker.parse(source(tmp_path, "one\ftwo\fthree"))
    assert parsed.media_type == "text/plain"
    assert [page.elements[0].text for page in parsed.pages] == ["one", "two", "three"]


def test_the_parsers_own_error_comes_through(worker: ParseWorker, tmp_path: Path) -> None:
    with pytest.raises(EncryptedFile, match=r"file\.txt is locked\. Unlock it\."):
        texts(worker, source(tmp_path, "LOCKED"))
    assert texts(worker, source(tmp_path, "next")) == ["next"]


def test_a_foreign_exception_is_this_files_error(worker: ParseWorker, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="ZeroDivisionError"):
        texts(worker, source(tmp_path, "RAISE"))
    assert texts(worker, source(tmp_path, "next")) == ["next"]


@pytest.mark.parametrize("text", ["CRASH", "one\ftwo\fTHEN CRASH"])
def test_a_crash_is_survived(worker: ParseWorker, tmp_path: Path, text: str) -> None:
    with pytest.raises(CorruptFile, match="process died"):
        texts(worker, source(tmp_path, text))
    assert texts(worker, source(tmp_path, "next")) == ["next"]


def test_a_hang_is_ended_at_the_limit(worker: ParseWorker, tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match=r"longer than 1 s.*ingest\.limits\.seconds"):
        texts(worker, source(tmp_path, "HANG", seconds=1.0))
    assert texts(worker, source(tmp_path, "next")) == ["next"]


def test_a_swelling_parser_is_ended_at_the_limit(worker: ParseWorker, tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match=r"0\.5 GB of memory"):
        texts(worker, source(tmp_path, "SWELL"))
    assert texts(worker, source(tmp_path, "next")) == ["next"]


def test_too_many_bytes_are_not_even_opened(worker: ParseWorker, tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match=r"ingest\.limits\.bytes"):
        texts(worker, source(tmp_path, "HANG" * 100, bytes=10))


def test_a_type_without_a_parser_says_so(worker: ParseWorker, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(b"%PDF-1.4\n%%EOF")
    with pytest.raises(UnsupportedFile, match="application/pdf"):
        texts(worker, Source(path, "file.pdf", ""))


def test_leaving_early_ends_the_file_not_the_worker(worker: ParseWorker, tmp_path: Path) -> None:
    pages = worker.parse(source(tmp_path, "\f".join(str(n) for n in range(500)))).pages
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert texts(worker, source(tmp_path, "next")) == ["next"]


@pytest.mark.parametrize(
    ("build", "named"), [(build_nothing, "not here"), (build_broken, "no such package"), (build_dying, "died")]
)
def test_a_worker_that_cannot_start_is_not_the_files_fault(
    build: Callable[[], Toolbox], named: str, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match=named) as raised:
        texts(ParseWorker(build), source(tmp_path, "fine"))
    assert raised.value.remedy


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for it")
def test_a_hung_parser_ends_with_whoever_watched_over_it(tmp_path: Path) -> None:
    script = tmp_path / "watcher.py"
    script.write_text(
        "from pathlib import Path\n"
        "from ingest.protocols import Source\n"
        "from ingest.worker import ParseWorker\n"
        "from tests.support.hostile import build\n"
        "if __name__ == '__main__':\n"
        "    worker = ParseWorker(build)\n"
        f"    print('begun', flush=True), list(worker.parse(Source(Path({str(tmp_path / 'file')!r}), 'file', '')).pages)\n"
    )
    (tmp_path / "file").write_text("HANG")
    root = str(Path(__file__).parents[2])
    watcher = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    )
    assert watcher.stdout is not None
    watcher.stdout.readline()
    children: list[psutil.Process] = []
    while not children:
        children = psutil.Process(watcher.pid).children(recursive=True)
        time.sleep(0.1)
    time.sleep(1)
    watcher.kill()
    watcher.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    for process in alive:
        process.kill()
    assert alive == []
