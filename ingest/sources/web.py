"""Files at addresses of the web: one address, or a list of them (a plain text with one address a line, `#` before remarks)."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpx

from ingest.decoding import read_text
from ingest.files import InputFile
from ingest.members import safe_name
from ingest.protocols import Limits
from ingest.sources.bounded import Bounded
from ingest.sources.guarded import Forbidden, PublicTransport
from ingest.sources.remote import IsStopped
from rag.errors import BadRequest, Unavailable, Unreachable

_TRIES = 3
_LIST_LIMITS = Limits(bytes=50_000_000, seconds=120)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SETTLED_SECONDS = 2.0
_ALLOW = "If it may be read, set `ingest.sources.private_addresses = true`."


class WebRemote:
    """A Remote for http and https. `private_addresses` allows networks that only this machine can reach."""

    def __init__(
        self,
        *,
        private_addresses: bool = False,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if transport is None and not private_addresses:
            transport = PublicTransport()
        self._sleep = sleep
        self._http = httpx.Client(
            transport=transport,
            trust_env=False,
            follow_redirects=True,
            max_redirects=5,
            timeout=httpx.Timeout(30.0, connect=10.0),
            # What is unpacked while it is read cannot be counted by what its sender announces.
            headers={"User-Agent": "tuwen", "Accept-Encoding": "identity"},
        )

    def files(self, place: str) -> Iterator[InputFile]:
        with tempfile.TemporaryDirectory(prefix="tuwen-list-") as folder:
            path = Path(folder) / "list"
            try:
                listed = self._load(place, path, _LIST_LIMITS, lambda: False, only="text/plain")
            except Unreachable as error:
                raise Unavailable(error.message, error.remedy) from error
            lines = _lines(path) if listed else []
        if not lines or not _is_address(lines[0][1]):
            yield _file(place)
            return
        for number, line in lines:
            if not _is_address(line):
                raise BadRequest(
                    f"{place}, line {number}: {line[:100]!r} is no address.", "Correct or remove the line."
                )
            yield _file(line)

    def mark(self, url: str) -> str:
        try:
            answer = self._http.head(url)
        except httpx.HTTPError:
            return ""
        if answer.is_error:
            return ""
        if tag := answer.headers.get("ETag"):
            return f"ETag {tag}"
        try:
            changed = parsedate_to_datetime(answer.headers.get("Last-Modified", ""))
        except ValueError:
            return ""
        if time.time() - changed.timestamp() < _SETTLED_SECONDS:
            return ""
        return f"{changed.isoformat()} {answer.headers.get('Content-Length', '')}"

    def fetch(self, url: str, path: Path, limits: Limits, stopped: IsStopped) -> None:
        self._load(url, path, limits, stopped)

    def beside(self, url: str, name: str, link: str) -> Sequence[str]:  # noqa: ARG002
        """On the same server only."""
        try:
            path, mark, query = link.partition("?")
            address = urljoin(url, f"{quote(path, safe='/')}{mark}{quote(query, safe='=&+;/')}")
            here, there = urlsplit(url), urlsplit(address)
        except ValueError:
            return ()
        return (address,) if (there.scheme, there.netloc) == (here.scheme, here.netloc) else ()

    def below(self, place: str, url: str) -> bool:  # noqa: ARG002
        """Never: which list an address was on is not kept."""
        return False

    def _load(self, url: str, path: Path, limits: Limits, stopped: IsStopped, only: str = "") -> bool:
        """Whether it was fetched: not when it is not of the type `only`. What may pass is tried again."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._load_once(url, path, limits, stopped, only)
            except Forbidden as error:
                raise Unreachable(f"{url} is not read: {error}.", _ALLOW) from error
            except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise Unreachable(f"{url} cannot be read: {error}.", "Correct the address.") from error
            except _Passing as error:
                if attempt == _TRIES:
                    raise Unreachable(f"{url} cannot be read: {error}.", "Ingest it again later.") from error
            except httpx.HTTPError as error:
                if attempt == _TRIES:
                    reason = str(error) or type(error).__name__
                    raise Unreachable(f"{url} cannot be read: {reason}.", "Ingest it again later.") from error
            self._sleep(2.0 ** (attempt - 1))
        raise AssertionError

    def _load_once(self, url: str, path: Path, limits: Limits, stopped: IsStopped, only: str) -> bool:
        with self._http.stream("GET", url) as answer:
            if answer.status_code in _AGAIN:
                raise _Passing(f"the server answered {answer.status_code}")
            if answer.is_error:
                raise Unreachable(f"{url}: the server answered {answer.status_code}.", "Correct or remove the address.")
            if only and answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() != only:
                return False
            with Bounded(url, path, limits, stopped) as file:
                announced = answer.headers.get("Content-Length", "")
                file.check_size(int(announced) if announced.isdigit() else 0)
                for block in answer.iter_bytes(1 << 16):
                    file.write(block)
        return True


class _Passing(Exception):
    """The server may answer otherwise in a moment."""


def _is_address(line: str) -> bool:
    try:
        parts = urlsplit(line)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and not any(c.isspace() for c in line)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    text = read_text(path.read_bytes()) or ""
    stripped = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [(number, line) for number, line in stripped if line and not line.startswith("#")]


def _file(url: str) -> InputFile:
    name = name_of(url)
    return InputFile(Path(name), name, url)


def name_of(url: str) -> str:
    """Host and path; what a question mark adds becomes a short mark, so that two answers of one program have two names."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    name = PurePosixPath(safe_name(f"{parts.hostname}/{path}{'index.html' if path.endswith('/') or not path else ''}"))
    if parts.query:
        name = name.with_name(f"{name.stem}~{hashlib.sha256(parts.query.encode()).hexdigest()[:8]}{name.suffix}")
    return str(name)
