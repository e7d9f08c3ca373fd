"""Files named by their sha256: the originals of documents and the pictures in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rag.errors import NotFound


class BlobStore:
    """A folder `ab/abcdef…` of immutable files. A file is there whole or not at all, under its own hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a blob is. Raises NotFound."""
        path = self._place(sha256)
        if not path.is_file():
            raise NotFound(f"There is no stored file {sha256}.", "Ingest the document again.")
        return path

    def has(self, sha256: str) -> bool:
        return self._place(sha256).is_file()

    def put_bytes(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        if not self._place(sha256).exists():
            with self._arriving(sha256) as target:
                target.write_bytes(data)
        return sha256

    def put_file(self, path: Path, sha256: str) -> None:
        """Stores a copy of a file whose hash the caller has computed."""
        if not self._place(sha256).exists():
            with self._arriving(sha256) as target:
                shutil.copyfile(path, target)

    def remove(self, sha256: str) -> None:
        self._place(sha256).unlink(missing_ok=True)

    def all(self) -> Iterator[str]:
        """Every stored hash."""
        for folder in self._folder.iterdir():
            if folder.is_dir() and len(folder.name) == 2:
                yield from (file.name for file in folder.iterdir())

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _arriving(self, sha256: str) -> _Arriving:
        return _Arriving(self._folder, self._place(sha256))


class _Arriving:
    """A temporary file that takes its final name only when it is complete."""

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder, self._place = folder, place

    def __enter__(self) -> Path:
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="arriving-")
        os.close(handle)
        self._temporary = Path(name)
        return self._temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._place.parent.mkdir(exist_ok=True)
            self._temporary.replace(self._place)
        else:
            self._temporary.unlink(missing_ok=True)
