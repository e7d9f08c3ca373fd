"""The seam to places that files come from, and the door to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ingest.files import InputFile, find, is_remote
from ingest.protocols import Limits
from rag.errors import BadRequest

IsStopped = Callable[[], bool]


class Remote(Protocol):
    """One kind of place. Safe to use from several threads."""

    def files(self, place: str) -> Iterator[InputFile]:
        """The files at a place, or the one file that it is; each with its size and mark, where the listing tells them.

        Raises BadRequest when there is no such place, Unavailable when it cannot be listed now.
        """
        ...

    def mark(self, url: str) -> str:
        """What changes whenever the file's bytes do (its ETag, its time and size); empty when nothing is known."""
        ...

    def fetch(self, url: str, path: Path, limits: Limits, stopped: IsStopped) -> None:
        """Writes the file's bytes to `path`. Raises LimitExceeded when there are too many or they take too long, Unreachable, and
        ingest.protocols.Stopped."""
        ...

    def beside(self, url: str, name: str, link: str) -> Sequence[str]:
        """Where a relative link (unquoted) of a file may lead, likeliest first: never out of the place, or the server, that the file, which is
        called `name`, is from."""
        ...

    def below(self, place: str, url: str) -> bool:
        """Whether a listing of the place would tell of the file, if it was still there."""
        ...


class Sources:
    """Every kind of place that the settings allow, by the scheme of its address; each is opened when first needed."""

    def __init__(self, open_by_scheme: Mapping[str, Callable[[], Remote]]) -> None:
        self._open, self._opened = open_by_scheme, dict[str, Remote]()

    def files(self, places: Iterable[Path | str]) -> Iterator[InputFile]:
        """The files of paths of this machine and of remote places, each once. Raises BadRequest, Unavailable, SetupError."""
        places = list(places)
        yield from find(Path(place) for place in places if not is_remote(str(place)))
        seen: set[str] = set()
        for place in (str(place) for place in places if is_remote(str(place))):
            for file in self.of(place).files(place):
                if file.source not in seen:
                    seen.add(file.source)
                    yield file

    def of(self, url: str) -> Remote:
        """Raises BadRequest for a scheme that is not allowed, ExtraMissing."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in self._open:
            allowed = ", ".join(f"{name}://" for name in sorted(self._open)) or "none"
            raise BadRequest(
                f"Files at {scheme}:// are not read (allowed: {allowed}).",
                "Set `ingest.sources.http = true` for addresses of the web, or name the scheme in `ingest.sources.schemes`.",
            )
        if scheme not in self._opened:
            self._opened[scheme] = self._open[scheme]()
        return self._opened[scheme]


NOWHERE = Sources({})
