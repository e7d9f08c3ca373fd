"""Tables in text (CSV, TSV): any delimiter, any encoding, read record by record."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.decoding import open_text, sniff
from ingest.delimited import delimiter_of, records
from ingest.parsers.prose import clean_lines
from ingest.parsers.sheets import SheetRow, sheet_elements
from ingest.protocols import ParsedPage, Source
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

SAMPLE = 65_536
MAX_COLUMNS = 16_384


class CsvParser:
    """`text/csv`: the whole file is one table, in parts of a few hundred rows, each under the header row."""

    media_types = frozenset({"text/csv"})
    version = "csv-1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        """Raises CorruptFile, EmptyFile, LimitExceeded (`rows`)."""
        encoding = sniff(source.path)
        if encoding is None:
            raise CorruptFile(
                f"{source.name} is not readable text in any known encoding.", "Save it as UTF-8 and ingest it again."
            )
        with open_text(source.path, encoding) as stream:
            sample = stream.read(SAMPLE)
            stream.seek(0)
            anything = False
            for element in sheet_elements(_rows(source, records(stream, delimiter_of(sample), source.name))):
                yield ParsedPage(None, (element,))
                anything = True
        if not anything:
            raise EmptyFile(f"{source.name} has no cell with content.", "Check that the file was copied whole.")


def _rows(source: Source, given: Iterator[list[str]]) -> Iterator[SheetRow]:
    kept = 0
    gap = False
    for record in given:
        if len(record) > MAX_COLUMNS:
            raise LimitExceeded(
                f"{source.name} has a record of {len(record):,} fields; at most {MAX_COLUMNS:,} are read.",
                "Write it with one record per line.",
            )
        cells = [(field if field.isprintable() else clean_lines(field)).strip() for field in record]
        if not any(cells):
            gap = kept > 0
            continue
        kept += 1
        if kept > source.limits.rows:
            raise LimitExceeded(
                f"{source.name} has more than {source.limits.rows:,} records.",
                "Split it, or raise `ingest.limits.rows`.",
            )
        yield SheetRow(cells, after_gap=gap)
        gap = False
