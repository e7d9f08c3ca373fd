"""Pictures that stand beside a remote document: fetched from the same place by their relative links, within limits.

What a document names is another's text: a link leads to no other server and to nothing above the place that was asked for, and whatever
holds for the document (which schemes, which networks, how many bytes and seconds) holds for its pictures.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ingest.decoding import read_text
from ingest.detect import detect
from ingest.files import InputFile
from ingest.protocols import Limits
from ingest.sources.remote import IsStopped, Remote
from rag.errors import FileError, LimitExceeded, Unreachable

MOST = 200
"""Pictures of one document."""
_READ_BYTES = 20_000_000
"""Of a document, in which links are looked for."""
_MARKDOWN = re.compile(
    r"!\[[^\[\]\n]{0,1000}\]\(\s*(?:<([^<>\n]{1,2000})>|([^\s()<>]{1,2000}(?:\([^\s()]{0,200}\)[^\s()]{0,200})?))"
    r"|^ {0,3}\[[^\[\]\n]{1,999}\]:\s*<?([^\s<>]{1,2000})",
    re.MULTILINE,
)
_HTML = re.compile(
    r"<img\b[^<>]{0,4000}?\s(?:data-)?src\s*=\s*(?:\"([^\"]{1,2000})\"|'([^']{1,2000})'|([^\s\"'>]{1,2000}))",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|bmp|tiff?|svg|ico|jp2)$", re.IGNORECASE)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})


def fetch_pictures(
    file: InputFile, remote: Remote, folder: Path, limits: Limits, stopped: IsStopped
) -> dict[str, Path | str]:
    """By link (unquoted): where a picture lies now, or why it was not fetched. Nothing for a file of a kind that has none. Raises
    ingest.protocols.Stopped."""
    found: dict[str, Path | str] = {}
    ends, left = time.monotonic() + limits.seconds, limits.unpacked_bytes
    for number, link in enumerate(_links(file)):
        seconds = ends - time.monotonic()
        if number >= MOST:
            found[link] = f"was not fetched: the document has more than {MOST}"
            continue
        if seconds <= 0 or left <= 0:
            found[link] = "was not fetched: those before it took all that is allowed"
            continue
        here = replace(limits, bytes=min(limits.bytes, left), seconds=seconds)
        found[link] = _fetched(file, link, remote, folder / f"{number:04d}", here, stopped)
        if isinstance(path := found[link], Path):
            left -= path.stat().st_size
    return found


def _fetched(file: InputFile, link: str, remote: Remote, path: Path, limits: Limits, stopped: IsStopped) -> Path | str:
    reason = "is not in the place of the document"
    for address in remote.beside(file.source, file.name, link):
        try:
            remote.fetch(address, path, limits, stopped)
        except LimitExceeded:
            return "is larger than the limit bytes, or took longer than allowed"
        except Unreachable as error:
            said = error.message.removeprefix(address).lstrip(": ")
            reason = (
                f"was not fetched: {said.removeprefix('cannot be read: ').removeprefix('is not read: ').rstrip('.')}"
            )
        else:
            return path
    return reason


def _links(file: InputFile) -> Iterator[str]:
    """The relative links of a document that may lead to pictures, each once, without their escapes."""
    try:
        kind = detect(file.path, file.name)
    except FileError:
        return
    if kind not in _HTML_TYPES and kind != "text/markdown":
        return
    with file.path.open("rb") as opened:
        text = read_text(opened.read(_READ_BYTES)) or ""
    seen: set[str] = set()
    for link in _written(text, markdown=kind not in _HTML_TYPES):
        plain = unquote(link.strip())
        if plain and plain not in seen and _is_relative(link):
            seen.add(plain)
            yield plain


def _written(text: str, *, markdown: bool) -> Iterator[str]:
    for match in _MARKDOWN.finditer(text) if markdown else ():
        if match[3] is None or _PICTURE.search(match[3].partition("?")[0]):
            yield match[1] or match[2] or match[3]
    for match in _HTML.finditer(text):
        yield html.unescape(match[1] or match[2] or match[3])


def _is_relative(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and bool(parts.path)
