"""Object stores and other file systems by fsspec (https://filesystem-spec.readthedocs.io): S3, Google Cloud Storage, Azure, …

Credentials and endpoints are those of the file system's own package: AWS_ACCESS_KEY_ID, AWS_PROFILE, FSSPEC_S3_ENDPOINT_URL, …
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ingest.files import InputFile
from ingest.members import is_junk
from ingest.protocols import Limits, Stopped
from ingest.sources.bounded import Bounded
from ingest.sources.remote import IsStopped
from rag.errors import BadRequest, ExtraMissing, Unavailable, Unreachable

_BLOCK = 1 << 20
_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_SETTLED_SECONDS = 2.0


class FsspecRemote:
    """A Remote. `options` go to the file system as they are. Raises ExtraMissing."""

    def __init__(self, scheme: str, **options: Any) -> None:
        try:
            import fsspec

            self._fs = fsspec.filesystem(scheme, **options)
        except (ImportError, ValueError) as error:
            raise ExtraMissing(
                f"Nothing that is installed reads {scheme}://: {error}.",
                "Install it: pip install 'tuwen[sources]' for S3, the package that fsspec names for others.",
            ) from error
        self._scheme = scheme

    def files(self, place: str) -> Iterator[InputFile]:
        """Hidden files and what systems leave behind are left alone. A file is named by its path below the place."""
        if "::" in place or urlsplit(place).password:
            raise BadRequest(
                f"{place.partition('@')[2] or place}: addresses inside addresses, and passwords in them, are not read.",
                "Give the address of a folder or a file; credentials come from the environment.",
            )
        root = self._fs._strip_protocol(place).rstrip("/")
        found = False
        for info in self._walk(root, place):
            found = True
            name = PurePosixPath(info["name"].removeprefix(root).lstrip("/") or PurePosixPath(root).name)
            if not is_junk(str(name)):
                yield InputFile(
                    Path(name), str(name), self._url(info["name"]), size=int(info.get("size") or 0), mark=mark_of(info)
                )
        if not found:
            raise BadRequest(f"There is no file at {place}.", "Check the address.")

    def _walk(self, root: str, place: str) -> Iterator[Mapping[str, Any]]:
        """A folder at a time, so that a listing of millions does not have to be in memory."""
        try:
            if self._fs.isfile(root):
                yield self._fs.info(root)
                return
            for _, _, files in self._fs.walk(root, detail=True, on_error="raise"):
                yield from (files[name] for name in sorted(files) if not files[name]["name"].endswith("/"))
        except FileNotFoundError:
            return
        except Exception as error:  # each store has its own
            raise Unavailable(
                f"{place} cannot be listed: {type(error).__name__}: {error}.",
                "Check the address, the credentials in the environment (for S3 AWS_PROFILE or AWS_ACCESS_KEY_ID) and the network.",
            ) from error

    def _url(self, name: str) -> str:
        return f"{self._scheme}://{name.lstrip('/') if self._scheme != 'file' else name}"

    def mark(self, url: str) -> str:
        try:
            return mark_of(self._fs.info(url))
        except Exception:  # fetching it says why
            return ""

    def fetch(self, url: str, path: Path, limits: Limits, stopped: IsStopped) -> None:
        try:
            with self._fs.open(url, "rb") as there, Bounded(url, path, limits, stopped) as here:
                while block := there.read(_BLOCK):
                    here.write(block)
        except (Stopped, Unreachable):
            raise
        except FileNotFoundError as error:
            raise Unreachable(f"{url} is not there any more.", "Ingest the place again to see what is.") from error
        except Exception as error:  # each store has its own
            if hasattr(error, "remedy"):
                raise
            raise Unreachable(f"{url} cannot be read: {type(error).__name__}: {error}.", "Ingest it again.") from error

    def beside(self, url: str, name: str, link: str) -> Sequence[str]:
        """As on this machine (ingest/parsers/pictures.py): below the place only, and by the file's name beside the document."""
        root = url.removesuffix(name) if url.endswith(f"/{name}") else f"{url.rpartition('/')[0]}/"
        here = url.rpartition("/")[0]
        path = link.partition("?")[0].partition("#")[0]
        if "::" in path or "\0" in path or not path.strip("/"):
            return ()
        wanted = [f"{root}{path.lstrip('/')}" if path.startswith("/") else f"{here}/{path}"]
        wanted.append(f"{here}/{PurePosixPath(path).name}")
        scheme = url[: url.index("://") + 3]
        plain = [scheme + posixpath.normpath(one.removeprefix(scheme)) for one in wanted]
        return tuple(dict.fromkeys(one for one in plain if one.startswith(root) and one != url))

    def below(self, place: str, url: str) -> bool:
        root = self._fs._strip_protocol(place).rstrip("/")
        name = self._fs._strip_protocol(url)
        return urlsplit(url).scheme == self._scheme and (name == root or name.startswith(f"{root}/"))


def mark_of(info: Mapping[str, Any]) -> str:
    """A version that the store itself names, otherwise time and size, where the time is not of just now: within its grain a file
    can change once more and look the same."""
    for key in _VERSIONS:
        if info.get(key):
            return f"{key} {info[key]}"
    for key in _TIMES:
        if found := info.get(key):
            seconds = found.timestamp() if hasattr(found, "timestamp") else _seconds(found)
            if seconds is not None and time.time() - seconds < _SETTLED_SECONDS:
                return ""
            return f"{found} {info.get('size')}"
    return ""


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
