"""`dataset.toml`: where the parts of a labelled set are, and what its fields are called, so that data can be used as it came.

Lies beside the data, or anywhere else with `root` naming the folder. Paths are relative to that folder; `root` itself is relative
to the description and may hold `~` and environment variables (`$DATA/handbook`).

    name = "handbook"
    format = "questions"               # beir, trec, squad, captions, tatqa or questions; looked for when left out
    corpus = "content/handbook"        # folder of the documents
    links = "."                        # folder that links to pictures in the documents start from
    questions = ["datasets/*.jsonl"]
    skip = ["missing", "empty"]        # leaves out questions about documents that are not here, and without a text: else errors

    [fields]                           # ours = theirs
    turns = "context"                  # "" for a field that is not to be used

    [only]                             # questions with one of these values
    type = ["Single-Text", "Multimodal"]

    [[file]]                           # what is different in some of the files
    match = "datasets/contextual_anaphora.jsonl"
    evidence = "last"
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from eval.datasets.lines import Place, whole_text
from rag.errors import BadRequest

NAME = "dataset.toml"
STEPS = ("all", "first", "last")
SKIPS = ("missing", "empty")


@dataclass(frozen=True)
class FileRule:
    """What holds for the question files that match. `evidence` says which of the steps of an evidence list count."""

    match: str = "*"
    evidence: str = "all"
    kind: str = ""
    language: str = ""


@dataclass(frozen=True)
class Description:
    """`root` is the folder of the data; everything else is optional. `fields` gives their name by ours."""

    root: Path
    name: str = ""
    format: str = ""
    questions: tuple[str, ...] = ()
    qrels: str = ""
    corpus: Path | None = None
    links: Path | None = None
    language: str = ""
    topic: str = "title"
    skip: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[FileRule, ...] = ()
    source: Path | None = None

    @property
    def title(self) -> str:
        return self.name or self.root.resolve().name

    def rule(self, path: Path) -> FileRule:
        """What holds for a file of questions."""
        below = path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name
        found = next((rule for rule in self.files if fnmatch(below, rule.match)), FileRule())
        return replace(found, language=found.language or self.language)

    def question_files(self) -> list[Path]:
        """Those that `questions` names, in order of name within a pattern. Raises BadRequest for a pattern without any."""
        found: dict[Path, None] = {}
        for pattern in self.questions:
            try:
                paths = sorted(path for path in self.root.glob(pattern) if path.is_file())
            except (ValueError, NotImplementedError):  # an empty or an absolute one
                paths = []
            if not paths:
                raise BadRequest(
                    f"There is no {pattern or 'empty name'} in {self.root}.", f"Correct `questions` in {self.source}."
                )
            found |= dict.fromkeys(paths)
        return list(found)


def read_description(path: Path) -> Description:
    """Raises BadRequest naming file and line."""
    text = whole_text(path)
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path}: this is no TOML ({error}).", "Correct the line.") from error
    reader = _Reader(path, text)
    root = path.parent / _expand(reader, reader.text(given, "root", "."))
    if not root.is_dir():
        raise reader.wrong("root", f"there is no folder {root}", "Correct `root`.")
    reader.known(given, _KEYS)
    names = given.get("questions", [])
    return Description(
        root=root,
        name=reader.text(given, "name"),
        format=reader.text(given, "format"),
        questions=reader.texts("questions", [names] if isinstance(names, str) else names),
        qrels=reader.text(given, "qrels"),
        corpus=reader.folder(given, "corpus", root),
        links=reader.folder(given, "links", root),
        language=reader.text(given, "language"),
        topic=reader.text(given, "topic", "title"),
        skip=reader.choices(given, "skip", SKIPS),
        fields={ours: reader.text(reader.table(given, "fields"), ours) for ours in reader.table(given, "fields")},
        only={theirs: reader.texts(theirs, values) for theirs, values in reader.table(given, "only").items()},
        files=tuple(_rule(reader, one) for one in reader.tables(given, "file")),
        source=path,
    )


_KEYS = (
    *("root", "name", "format", "questions", "qrels", "corpus", "links", "language", "topic", "skip"),
    *("fields", "only", "file"),
)


def _rule(reader: _Reader, given: dict[str, Any]) -> FileRule:
    reader.known(given, ("match", "evidence", "kind", "language"))
    texts = {key: reader.text(given, key) for key in ("match", "kind", "language") if key in given}
    return FileRule(evidence=reader.choice(given, "evidence", STEPS), **texts)


def _expand(reader: _Reader, text: str) -> Path:
    # A variable that is not set is left as it stands.
    expanded = os.path.expandvars(text)
    if left := re.search(r"\$\{?(\w+)", expanded):
        raise reader.wrong("root", f"the environment variable {left[1]} is not set", f"Set {left[1]} to a folder.")
    return Path(expanded).expanduser()


@dataclass(frozen=True)
class _Reader:
    path: Path
    content: str

    def wrong(self, key: str, what: str, remedy: str = "Correct the line.") -> BadRequest:
        found = re.search(rf"^\s*\[*[\"']?{re.escape(key)}\b", self.content, re.MULTILINE)
        line = self.content.count("\n", 0, found.end()) + 1 if found else 1
        return BadRequest(f"{Place(self.path, line)}: {what}.", remedy)

    def known(self, given: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in given:
            if key not in keys:
                raise self.wrong(key, f"there is no {key!r}", f"There is: {', '.join(keys)}.")

    def text(self, given: Mapping[str, Any], key: str, default: str = "") -> str:
        value = given.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, f"{key!r} is no text", f'Write {key} = "…".')
        return value

    def texts(self, key: str, values: Any) -> tuple[str, ...]:
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.wrong(key, f"{key!r} is no list of texts", f'Write {key} = ["…", "…"].')
        return tuple(values)

    def table(self, given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = given.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"{key!r} is no table", f"Write [{key}] and a line for each.")
        return value

    def tables(self, given: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        value = given.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.wrong(key, f"{key!r} is no list of tables", f"Write [[{key}]] and its lines for each.")
        return value

    def choice(self, given: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
        value = self.text(given, key, choices[0])
        if value not in choices:
            raise self.wrong(key, f"{key!r} is {value!r}", f"It is one of {', '.join(choices)}.")
        return value

    def choices(self, given: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        values = self.texts(key, given.get(key, []))
        for value in values:
            if value not in choices:
                raise self.wrong(key, f"{key!r} has {value!r}", f"There is {' and '.join(choices)}.")
        return values

    def folder(self, given: Mapping[str, Any], key: str, root: Path) -> Path | None:
        value = self.text(given, key)
        if not value:
            return None
        if not (root / value).is_dir():
            raise self.wrong(key, f"there is no folder {root / value}", f"Correct `{key}`, or the `root` it is below.")
        return root / value
