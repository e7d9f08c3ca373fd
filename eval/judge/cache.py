"""What a judge has said already, by content: a second run over the same answers asks nothing again."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from threading import Lock


class FileCache(MutableMapping[str, str]):
    """Texts by key in a file of JSON lines, appended as they come; a line that was cut off by a crash is forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._known: dict[str, str] = {}
        lines = path.read_bytes().decode(errors="replace").split("\n") if path.is_file() else []
        for line in lines:
            try:
                key, text = json.loads(line)
                self._known[str(key)] = str(text)
            except (ValueError, TypeError):
                continue
        # What is appended must not become a part of a line that was cut off.
        self._begin = "\n" if lines and lines[-1] else ""

    def __getitem__(self, key: str) -> str:
        return self._known[key]

    def __setitem__(self, key: str, text: str) -> None:
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(self._begin + json.dumps([key, text], ensure_ascii=False) + "\n")
            self._begin = ""
            self._known[key] = text

    def __delitem__(self, key: str) -> None:
        raise TypeError("what was said stays said; delete the file")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
