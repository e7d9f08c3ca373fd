"""JSON read so that a mistake is reported with its file and line."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import BadRequest

_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = re.compile(f"{_HIGH}(?!{_LOW})|(?<!{_HIGH.replace('{2}', '[0-9a-fA-F]')}){_LOW}")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}"


def text_lines(path: Path) -> Iterator[tuple[Place, str]]:
    """Lines that are not blank; `.gz` is unpacked. Raises BadRequest for bytes that are no text."""
    number = 0
    try:
        # Lines are decoded one by one: a text file is decoded in blocks, and tells a bad byte many lines early.
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if text.strip():
                    yield Place(path, number), text
    except UnicodeDecodeError as error:
        raise no_text(Place(path, number)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Check the path, or download the file again.") from error


def no_text(where: Place | Path) -> BadRequest:
    return BadRequest(f"{where}: this is no UTF-8 text.", "Save the file as UTF-8 (Excel: “CSV UTF-8”).")


def twice(place: Any, before: Any, what: str) -> BadRequest:
    """`place` and `before` have a path and a line."""
    there = f"line {before.line}" if before.path == place.path else str(before)
    return BadRequest(f"{place}: {what} is already on {there}.", "Remove one of the two, or give it another id.")


def json_lines(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The objects of a JSONL file."""
    for place, line in text_lines(path):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise bad_json(place, error) from error
        check_characters(place, line, value)
        yield place, _object(place, value)


def json_objects(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The objects of a JSONL file, or of a JSON file that holds one list of them."""
    if path.suffix != ".json":
        yield from json_lines(path)
        return
    text = whole_text(path)
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise BadRequest(
            f"{Place(path, 1)}: a list of questions is expected.", "Put the objects into [ … ], or use JSONL."
        )
    at, line, counted = _skip(text, at + 1), 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        place = Place(path, line)
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise bad_json(place, error) from error
        check_characters(place, text[counted:at], value)
        yield place, _object(place, value)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            line += text.count("\n", counted, at)
            raise BadRequest(f"{Place(path, line)}: a comma or ] is missing.", "Correct the file.")


def check_characters(place: Place, text: str, value: Any) -> None:
    """JSON can write half a character (`\\ud83d` without its other half), which no file and no hash takes. Raises BadRequest.
    `text` begins at `place`."""
    # Looking for the letters first: the expression alone is a third of the time that reading a large corpus takes.
    if ("\\ud" in text or "\\uD" in text) and (half := _HALF.search(text)):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            here = Place(place.path, place.line + text.count("\n", 0, half.start()))
            raise BadRequest(f"{here}: {half[0]} is half a character.", "Correct or remove the line.") from error


def string(place: Place, record: dict[str, Any], key: str, *, required: bool = True) -> str:
    """A field as text; numbers count as text, because ids often are numbers."""
    value = record.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        there = ", ".join(record) or "nothing"
        raise BadRequest(
            f"{place}: {key!r} is missing or no text (the line has: {there}).", f"Give every line a {key!r}."
        )
    return value


def whole_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise no_text(Place(path, line)) from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Check the path.") from error


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def bad_json(place: Place, error: Exception) -> BadRequest:
    """Names the line of the mistake where the error knows it; `place` is where the value begins."""
    reason = str(error)
    if isinstance(error, json.JSONDecodeError):
        # A line of JSONL is parsed by itself, and is line 1 to the parser.
        line = place.line if error.lineno == 1 else error.lineno
        place, reason = Place(place.path, line), f"{error.msg}, column {error.colno}"
    elif isinstance(error, RecursionError):
        reason = "nested too deeply"
    return BadRequest(f"{place}: this is no JSON ({reason}).", "Correct or remove the line.")


def _object(place: Place, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(
            f"{place}: an object {{…}} is expected, not {str(value)[:40]!r}.", "Correct or remove the line."
        )
    return value
