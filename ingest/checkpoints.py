"""Pages of a long file that is being read, kept on disk: whoever is killed, or cancelled, goes on where the last page stood.

One file for each document under way, appended to page by page and removed when the document is settled. It belongs to certain
bytes, settings and limits, which its first record names: another key, and it counts as not there. What a kill cut off in
the middle of a page is cut away before the next page is written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from ingest import page_records
from ingest.protocols import ParsedPage, Resume

log = logging.getLogger(__name__)

LEAST_PAGES = 20
"""A file of fewer pages is read again sooner than it is worth writing down."""
_KEY = b"K"
_KEPT_SECONDS = 30 * 86_400
_FORMAT = "1"


class Checkpoints:
    """A folder of checkpoints, named by the document's id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, document_id: str, key: str) -> Checkpoint:
        """`key` names everything that the pages depend on: bytes, settings, limits."""
        return Checkpoint(self._folder / f"{document_id}.pages", f"{_FORMAT} {key}".encode())

    def forget_old(self) -> None:
        """Removes those that nobody went on with for a month."""
        for path in self._folder.glob("*.pages"):
            if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink(missing_ok=True)


class Checkpoint:
    """The pages of one document. Used by one thread."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key
        self._good = 0
        """Bytes up to the end of the last whole page."""
        self.resume = self._scan()
        """Where reading goes on; None when it begins at the beginning."""

    def _scan(self) -> Resume | None:
        number = 0
        remembered: list[str] = []
        try:
            with self._path.open("rb") as file:
                if page_records.read(file) != (_KEY, self._key):
                    return None
                while (record := page_records.read(file)) is not None:
                    if record[0] != page_records.PAGE:
                        continue
                    page = page_records.page_from(record[1], _Nothing())
                    if page.page is None or page.remember is None:
                        break
                    number = page.page.number
                    remembered.extend(page.remember)
                    self._good = file.tell()
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            log.info("%s ends at page %d: %s", self._path, number, error)
        return Resume(number, tuple(remembered)) if self._good else None

    def pages(self, members: Path | None) -> Iterator[ParsedPage]:
        """The pages that are there, one at a time. Files inside them are written into `members`."""
        if self.resume is None:
            return
        with self._path.open("rb") as file:
            pictures: list[bytes] = []
            inside: list[bytes] = []
            while file.tell() < self._good:
                record = page_records.read(file)
                assert record is not None
                kind, body = record
                if kind == page_records.PICTURE:
                    pictures.append(body)
                elif kind == page_records.MEMBER:
                    inside.append(body)
                elif kind == page_records.PAGE:
                    yield page_records.page_from(body, pictures, inside, members)
                    pictures, inside = [], []

    def keep(self, pages: Iterator[ParsedPage]) -> Iterator[ParsedPage]:
        """Passes new pages on, each written down first, where the parser could go on behind it and the file is a long one."""
        first = next(pages, None)
        if first is None:
            return
        long = (first.page_count or 0) >= LEAST_PAGES and first.page is not None
        if not long or first.remember is None:
            yield first
            yield from pages
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("r+b" if self._good else "wb") as file:
            if self._good:
                file.truncate(self._good)
                file.seek(self._good)
            else:
                page_records.write(file, _KEY, self._key)
            page: ParsedPage | None = first
            while page is not None:
                page_records.write_page(file, page)
                # For the case of a killed process; a power cut may cost the last pages, which then are read again.
                file.flush()
                yield page
                page = next(pages, None)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class _Nothing:
    """Pictures that nobody wants to see."""

    def __iter__(self) -> _Nothing:
        return self

    def __next__(self) -> bytes:
        return b""
