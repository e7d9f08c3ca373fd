"""Labelled sets under review: questions.jsonl, each line with its `state`, changed one decision at a time.

A decision rewrites the file beside itself and renames it, so that a killed process leaves the old file or the new one, and every
other line stays byte for byte as it was. The file is read anew before each decision: two reviewers do not undo each other's.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

from rag.errors import BadRequest, NotFound

State = Literal["proposed", "accepted", "edited", "rejected"]
STATES: tuple[State, ...] = get_args(State)
_writing = threading.Lock()


class QuestionSet:
    """One file. Raises BadRequest, naming the line, for one that holds no questions."""

    def __init__(self, path: Path) -> None:
        self.path = path / "questions.jsonl" if path.is_dir() else path

    @property
    def name(self) -> str:
        return self.path.parent.name if self.path.name == "questions.jsonl" else self.path.stem

    def read(self) -> list[dict[str, Any]]:
        """The questions in the order of the file. One without a state was written by a person: it counts as accepted."""
        return [record for _, record in self._lines() if record is not None]

    def counts(self) -> dict[str, int]:
        return counted(self.read())

    def decide(
        self, id_: str, state: State, *, question: str | None = None, answer: str | None = None
    ) -> dict[str, Any]:
        """Writes one decision at once and answers the question as it stands now. Raises NotFound, BadRequest.

        `edited` takes the new texts and keeps those of the proposal in `original`; every other state brings them back.
        """
        if state == "edited" and not (question or "").strip():
            raise BadRequest("An edited question needs a text.", "Reject it instead, or write one.")
        with _writing:
            lines = self._lines()
            for number, (_, record) in enumerate(lines):
                if record is not None and str(record["id"]) == id_:
                    changed = decided(record, state, question, answer)
                    lines[number] = (json.dumps(changed, ensure_ascii=False), changed)
                    self._write("\n".join(line for line, _ in lines))
                    return changed
        raise NotFound(f"{self.path} has no question {id_!r}.", "Load the set again: it has changed.")

    def _lines(self) -> list[tuple[str, dict[str, Any] | None]]:
        """Each line as it stands, with its question; empty lines have none."""
        try:
            text = self.path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise BadRequest(f"{self.path} cannot be read: {error.strerror}.", "Check the path.") from error
        except UnicodeDecodeError as error:
            raise BadRequest(f"{self.path} is no UTF-8 text.", "Save it as UTF-8.") from error
        lines: list[tuple[str, dict[str, Any] | None]] = []
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                lines.append((line, None))
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise BadRequest(
                    f"{self.path}, line {number}: this is no JSON.", "Correct or remove the line."
                ) from error
            if not isinstance(record, dict) or "id" not in record or "question" not in record:
                raise BadRequest(
                    f"{self.path}, line {number}: a question with an id is expected.", "Correct or remove the line."
                )
            lines.append((line, record))
        return lines

    def _write(self, text: str) -> None:
        new = self.path.with_name(f".{self.path.name}.new")
        with new.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)


def counted(records: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many questions there are, and how many in each state."""
    found = Counter(state_of(record) for record in records)
    return {"questions": found.total(), **{state: found[state] for state in STATES}}


def state_of(record: dict[str, Any]) -> State:
    found = record.get("state", "accepted")
    return found if found in STATES else "proposed"


def decided(record: dict[str, Any], state: State, question: str | None, answer: str | None) -> dict[str, Any]:
    """The question with a decision."""
    original = record.get("original") or {"question": record["question"], "answer": record.get("answer")}
    changed = {name: value for name, value in record.items() if name != "original"} | original
    if state == "edited":
        # An unanswerable question has no answer to edit.
        new_answer = original["answer"] if original["answer"] is None and not answer else answer
        changed |= {"question": (question or "").strip(), "answer": new_answer, "original": original}
    return changed | {"state": state}


def find_sets(folder: Path) -> dict[str, QuestionSet]:
    """The sets in a folder by name: `NAME.jsonl`, or `NAME/questions.jsonl`."""
    if not folder.is_dir():
        return {}
    found = [QuestionSet(path) for path in [*folder.glob("*.jsonl"), *folder.glob("*/questions.jsonl")]]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}
