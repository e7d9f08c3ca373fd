"""Which documents a label means: by id, by file name, by name without its ending, or by a pattern with `*` and `?`."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from rag.errors import BadRequest


class Sources:
    """The documents below `root` (for messages), by what people call them. `exact` where ids are ids and no file names."""

    def __init__(self, names: Iterable[str], root: Path, *, exact: bool = False) -> None:
        self.root = root
        self._exact = frozenset(names)
        names = () if exact else self._exact
        # A name that was typed and one that a Mac's file system gives differ in how accents are written.
        self._names = {_key(name): name for name in names}
        self._short: dict[str, set[str]] = defaultdict(set)
        for name in self._names.values():
            file = PurePosixPath(name)
            for short in {file.name, file.stem, str(file.with_suffix(""))}:
                self._short[_key(short)].add(name)

    def find(self, given: str) -> list[str]:
        """Documents in order of name; none if there is none."""
        if given in self._exact:
            return [given]
        key = _key(given)
        if key in self._names:
            return [self._names[key]]
        if "*" in key or "?" in key:
            return sorted(name for known, name in self._names.items() if fnmatchcase(known, key))
        return sorted(self._short.get(key, ()))

    def resolve(self, place: Any, given: str) -> list[str]:
        """`place` is where the label stands. Raises BadRequest for a name that means nothing, or several things."""
        found = self.find(given)
        if not found:
            near = difflib.get_close_matches(given, self._exact, 1, 0.5)
            hint = f" Is {near[0]!r} meant?" if near else ""
            raise BadRequest(
                f"{place}: there is no file {given!r} below {self.root}.{hint}",
                'Correct the source, name the folder with --corpus, or put skip = ["missing"] into dataset.toml.',
            )
        if len(found) > 1 and "*" not in given and "?" not in given:
            raise BadRequest(
                f"{place}: {given!r} may be {' or '.join(found[:3])}.", "Write the path below the folder of documents."
            )
        return found


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")
