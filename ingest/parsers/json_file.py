"""JSON and JSON Lines: data as readable text. Notebooks (Jupyter) are read as what people see of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ingest.decoding import open_text, sniff
from ingest.delimited import MAX_LINE
from ingest.parsers.json_blocks import blocks, columns_of, record_blocks, table
from ingest.parsers.notebook import is_notebook, notebook_page
from ingest.parsers.prose import clean_lines, source_text
from ingest.parsers.sheets import PART_ROWS
from ingest.protocols import ParsedPage, Source
from rag.documents import Element
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
MAX_DOCUMENT = 100_000_000
"""Bytes of one JSON document, whose tree takes about ten times as much memory; JSON Lines are read line by line."""
MAX_WARNINGS = 5


class JsonParser:
    """`application/json` and `application/x-ndjson`: records of one shape are a table, others sections of their own."""

    media_types = frozenset({JSON, JSON_LINES})
    version = "json-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Raises CorruptFile, EmptyFile, LimitExceeded (`rows`)."""
        anything = False
        pages = _lines(source) if source.media_type == JSON_LINES else _document(source)
        try:
            for page in pages:
                anything = anything or bool(page.elements)
                yield page
        except RecursionError:
            raise CorruptFile(
                f"{source.name} is nested too deeply to be read.", "Write its data with fewer levels."
            ) from None
        if not anything:
            raise EmptyFile(f"{source.name} holds no value.", "Check that the right file was saved.")


def _load(text: str) -> Any:
    # Numbers stay as they are written: 1.10 is not 1.1, and one of 5,000 digits is not worth an error.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


def _document(source: Source) -> Iterator[ParsedPage]:
    size = source.path.stat().st_size
    if size > MAX_DOCUMENT:
        raise LimitExceeded(
            f"{source.name} is one JSON value of {size / 1e6:,.0f} MB; at most {MAX_DOCUMENT / 1e6:,.0f} MB are read at once.",
            "Write it as JSON Lines, one record per line, or split it.",
        )
    try:
        value = _load(source_text(source))
    except ValueError as error:
        raise CorruptFile(
            f"{source.name} is not valid JSON: {error}.", "Save it again from the program that made it."
        ) from error
    if is_notebook(value):
        yield notebook_page(value, source)
        return
    most = source.limits.rows
    if isinstance(value, list) and len(value) > most:
        raise LimitExceeded(
            f"{source.name} has more than {most:,} records.", "Split it, or raise `ingest.limits.rows`."
        )
    yield from _parts(blocks(value))


def _lines(source: Source) -> Iterator[ParsedPage]:
    encoding = sniff(source.path)
    if encoding is None:
        raise CorruptFile(
            f"{source.name} is not readable text in any known encoding.", "Save it as UTF-8 and ingest it again."
        )
    with open_text(source.path, encoding) as stream:
        reader = _Records(source, stream)
        given = iter(reader)
        first = list(islice(given, PART_ROWS))
        # What the first records are decides for all: a file of records is of one kind.
        columns = columns_of(first)
        number = 0
        batch = first
        while batch:
            wider = columns_of(batch) if columns is not None and len(batch) > 1 else columns
            if columns is not None and wider is not None:
                yield ParsedPage(
                    None, tuple(table(batch, wider if len(batch) > 1 else columns)), warnings=reader.warned()
                )
            else:
                elements = (e for at, record in enumerate(batch, number + 1) for e in record_blocks(record, at))
                yield ParsedPage(None, tuple(elements), warnings=reader.warned())
            number += len(batch)
            batch = list(islice(given, PART_ROWS))
        reader.check()


class _Records(Iterable[Any]):
    """The values of the lines; a line that is none is left out and told."""

    def __init__(self, source: Source, stream: Any) -> None:
        self._source, self._stream = source, stream
        self._good = self._bad = 0
        self._warnings: list[str] = []

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while line := self._stream.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE:
                raise LimitExceeded(
                    f"{self._source.name} has a line of more than {MAX_LINE:,} characters (line {number:,}).",
                    "Split it.",
                )
            line = clean_lines(line).strip()
            if not line:
                continue
            try:
                value = _load(line)
            except (ValueError, RecursionError):
                self._bad += 1
                if self._bad <= MAX_WARNINGS:
                    self._warnings.append(f"Line {number:,} is not valid JSON and was left out.")
                continue
            self._good += 1
            if self._good > self._source.limits.rows:
                raise LimitExceeded(
                    f"{self._source.name} has more than {self._source.limits.rows:,} records.",
                    "Split it, or raise `ingest.limits.rows`.",
                )
            yield value

    def warned(self) -> tuple[str, ...]:
        said, self._warnings = tuple(self._warnings), []
        return said

    def check(self) -> None:
        if self._bad > self._good:
            raise CorruptFile(
                f"{self._source.name}: {self._bad:,} of its lines are not valid JSON.",
                "Save it again from the program that made it.",
            )


def _parts(elements: Iterator[Element]) -> Iterator[ParsedPage]:
    while batch := tuple(islice(elements, PART_ROWS)):
        yield ParsedPage(None, batch)
