"""Which files an ingest is about, and by which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.members import JUNK
from rag.errors import BadRequest


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


def find(paths: Iterable[Path]) -> Iterator[InputFile]:
    """The files of the given files and folders, each once, in order of name. Hidden files and symbolic links to places outside
    are left alone. A file of a folder is named by its path below that folder. Raises BadRequest for a path that is not there.
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
            if path not in seen:
                seen.add(path)
                yield InputFile(path, path.relative_to(base).as_posix(), str(path), base)


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in JUNK:
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, root)
        elif path.is_file():
            yield path
