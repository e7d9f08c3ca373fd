"""The folder of a run: `run.json` says what was measured and how it ended, `questions.jsonl` has one line per question.

A line is written when its question is done, so that a run that was killed goes on where it stopped: a half-written last line
is dropped. A folder belongs to one fingerprint (labels, settings, index, code): figures of two configurations never mix.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from rag.errors import BadRequest


class RunFolder:
    """One run. `done` holds the records of the questions that are finished, by question id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[str, dict[str, Any]] = {}
        self.head: dict[str, Any] = {}
        self._guard = threading.Lock()
        self._lines: TextIO | None = None

    @property
    def there(self) -> bool:
        return (self.path / "run.json").is_file()

    @property
    def finished(self) -> bool:
        return "metrics" in self.head

    def open(self, fingerprint: str, head: Mapping[str, Any]) -> None:
        """Begins the run, or goes on with the one that is there. Raises BadRequest if that is another one."""
        if self.there:
            self.read()
            if self.head.get("fingerprint") != fingerprint:
                raise BadRequest(
                    f"{self.path} holds a run of other questions, settings, documents or code.",
                    "Name another folder with --out.",
                )
            return
        if occupied(self.path):
            raise BadRequest(f"{self.path} is not empty and holds no run.", "Name another folder with --out.")
        self.path.mkdir(parents=True, exist_ok=True)
        self.head = {"fingerprint": fingerprint, **head}
        self._write_head()

    def read(self) -> None:
        """Raises BadRequest for a folder that holds no run."""
        self.read_head()
        self._read_lines()

    def read_head(self) -> None:
        """How it was begun and ended, without its questions. Raises BadRequest for a folder that holds no run."""
        try:
            self.head = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadRequest(
                f"{self.path} holds no run: {error}.", "Name the --out folder of `tuwen eval run`."
            ) from error

    def _read_lines(self) -> None:
        self.done = {}
        lines = self.path / "questions.jsonl"
        if not lines.is_file():
            return
        data = lines.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with lines.open("r+b") as file:
                file.truncate(whole)
        # Not splitlines(): a question may hold U+2028, which is no end of a JSON line.
        for number, line in enumerate(data[:whole].decode().split("\n")[:-1], 1):
            try:
                record = json.loads(line)
                self.done[record["id"]] = record
            except (ValueError, KeyError, TypeError) as error:
                raise BadRequest(
                    f"{lines}, line {number}: this is no record of a question.", "Remove the line."
                ) from error

    def add(self, record: dict[str, Any]) -> None:
        """May be called from several threads."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with self._guard:
            if self._lines is None:
                self._lines = (self.path / "questions.jsonl").open("a", encoding="utf-8")
            self._lines.write(line)
            # With the system, whatever becomes of this process.
            self._lines.flush()
            self.done[record["id"]] = record

    def close(self) -> None:
        """More may be added later."""
        with self._guard:
            if self._lines is not None:
                self._lines.close()
                self._lines = None

    def finish(self, result: Mapping[str, Any]) -> None:
        self.head |= result
        self._write_head()

    def _write_head(self) -> None:
        write_json(self.path / "run.json", self.head)


def occupied(folder: Path) -> bool:
    """Whether there is anything in it beside what a kill may leave of `write_json`."""
    return folder.exists() and any(path.suffix != ".new" for path in folder.iterdir())


def write_json(path: Path, value: Any) -> None:
    """Whole or not at all: whoever reads it while it is written sees the older one."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    new.replace(path)


def next_folder(base: Path, name: str, fingerprint: str) -> Path:
    """A folder below `base` for this run: an unfinished one of the same fingerprint goes on, otherwise a new one."""
    number = 1
    while True:
        folder = RunFolder(base / f"{name}-{fingerprint[:8]}-{number}")
        if not folder.there:
            return folder.path
        folder.read_head()
        if folder.head.get("fingerprint") == fingerprint and not folder.finished:
            return folder.path
        number += 1
