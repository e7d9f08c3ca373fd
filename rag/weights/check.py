"""Whether a file is the one that the manifest names, without hashing a gigabyte at every start."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rag.hashing import sha256_of
from rag.weights.manifest import File

STAMPS = ".verified.json"


def is_intact(directory: Path, file: File, *, trust_stamp: bool = True) -> bool:
    """True when the file has the manifest's sha256.

    The result is kept beside the file with its size, change time and inode; while those stay the same the file is not
    read again, unless `trust_stamp` is off. A directory that cannot be written to is hashed each time.
    """
    path = directory / file.name
    try:
        stat = path.stat()
    except FileNotFoundError:
        return False
    if stat.st_size != file.size:
        return False
    now = [file.sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino]
    if trust_stamp and _stamps(directory).get(file.name) == now:
        return True
    if sha256_of(path) != file.sha256:
        return False
    _write_stamp(directory, file.name, now)
    return True


def _stamps(directory: Path) -> dict[str, object]:
    try:
        stamps = json.loads((directory / STAMPS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _write_stamp(directory: Path, name: str, value: object) -> None:
    temporary = directory / f"{STAMPS}.{os.getpid()}"
    try:
        temporary.write_text(json.dumps({**_stamps(directory), name: value}), encoding="utf-8")
        temporary.replace(directory / STAMPS)
    except OSError:
        temporary.unlink(missing_ok=True)
