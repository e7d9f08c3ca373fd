"""Which files an ingest is about, and by which names."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.members import is_junk_part
from rag.errors import BadRequest

log = logging.getLogger(__name__)

LABELLED_SETS = frozenset({"questions.json", "questions.jsonl"})
"""Names under which `tuwen eval run` looks for questions and their answers beside the documents."""
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_QUESTION_KEY = re.compile(rb'"question"\s*:')


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to ingest. `name` is what people will know it by; `source` tells where it came from."""

    path: Path
    name: str
    source: str = ""
    root: Path | None = None
    """The folder that relative links of the file may point into."""
    sha256: str = ""
    """Known already for an upload; computed otherwise."""
    job: str = ""
    """The job in the queue that it belongs to; files inside a file belong to that one's."""
    container: str = ""
    """The document of the file that it is inside of."""
    size: int = 0
    """Bytes; only of a remote file whose listing told."""
    mark: str = ""
    """What changes whenever the bytes of a remote file do (ingest/sources/remote.py), where its listing told."""
    urgent: bool = False
    """Whether a person waits for it: it is embedded before what a bulk load has read already."""

    @property
    def remote(self) -> bool:
        """Whether the bytes have to be fetched from `source`; `path` is only a name then."""
        return not self.container and is_remote(self.source)


def is_remote(place: str) -> bool:
    """Whether a place is an address (`s3://…`) and no path of this machine."""
    return _REMOTE.match(place) is not None


def find(paths: Iterable[Path]) -> Iterator[InputFile]:
    """The files of the given files and folders, each once, in order of name. Hidden files and symbolic links to places outside
    are left alone; so is a labelled set in a folder, whose questions would be found in place of the documents that answer them. A file of a folder is named by its path below that folder. Raises BadRequest for a path that is not there.
    """
    seen: set[Path] = set()
    for given in paths:
        if not given.exists():
            raise BadRequest(f"There is no file or folder {given}.", "Check the path.")
        root = given.resolve()
        if root.is_file():
            found: Iterable[Path] = [root]
            base = root.parent
        else:
            found = _walk(root, root)
            base = root
        for path in found:
            if path != root and _is_labelled_set(path):
                log.warning(
                    "%s holds questions for `tuwen eval run` and is left out; name the file to ingest it.", path
                )
                continue
            if path not in seen:
                seen.add(path)
                yield InputFile(path, path.relative_to(base).as_posix(), str(path), base)


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if is_junk_part(path.name):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, root)
        elif path.is_file():
            yield path


def _is_labelled_set(path: Path) -> bool:
    if path.name not in LABELLED_SETS:
        return False
    try:
        with path.open("rb") as file:
            return _QUESTION_KEY.search(file.read(100_000)) is not None
    except OSError:
        return False
