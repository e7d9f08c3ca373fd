"""The package of an EPUB book: metadata, the order of its chapters, its table of contents."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from lxml import etree

from ingest.containers import open_zip, read_member
from ingest.protocols import Source
from ingest.safe_xml import SAFE_XML
from rag.errors import CorruptFile, EncryptedFile

_FONT = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_FIELDS = {"creator": "author", "date": "date", "language": "language", "publisher": "publisher", "subject": "subject"}
MAX_PART = 50_000_000
_AGAIN = "Get the book again, or convert it anew."


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the book; `path` is from the root of the archive."""

    path: str
    media_type: str
    properties: frozenset[str]


class Book:
    """One open book. Use it as a context manager."""

    def __init__(self, source: Source) -> None:
        """Raises CorruptFile, EncryptedFile, LimitExceeded."""
        self._source = source
        self._zip = open_zip(source.path, source.name, source.limits)
        try:
            self._names = {name.lower(): name for name in self._zip.namelist()}
            self._refuse_locked()
            container = self._xml("META-INF/container.xml")
            roots = [node.get("full-path") for node in container.iter("{*}rootfile") if node.get("full-path")]
            if not roots:
                raise CorruptFile(f"{source.name} names no package.", _AGAIN)
            self._folder = posixpath.dirname(roots[0])
            self._package = self._xml(roots[0])
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the book, None when it is missing or damaged."""
        try:
            return read_member(self._zip, self._names[path.lower()], self._source.name, MAX_PART)
        except (KeyError, CorruptFile):
            return None

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {
            node.get("id", ""): Item(
                self._path(self._folder, node.get("href", "")),
                (node.get("media-type") or "").lower(),
                frozenset((node.get("properties") or "").split()),
            )
            for node in self._package.iter("{*}item")
        }

    @cached_property
    def spine(self) -> list[Item]:
        """The chapters in reading order, each once."""
        found = [self._items.get(node.get("idref", "")) for node in self._package.iter("{*}itemref")]
        return list(dict.fromkeys(item for item in found if item is not None))

    @cached_property
    def title(self) -> str:
        return next(self._dublin("title"), "")

    @cached_property
    def metadata(self) -> dict[str, str]:
        named = {name: ", ".join(dict.fromkeys(self._dublin(key)))[:1_000] for key, name in _FIELDS.items()}
        return {name: text for name, text in named.items() if text}

    @cached_property
    def contents(self) -> dict[str, str]:
        """The name of each chapter in the table of contents, by its path: the navigation of EPUB 3, or the NCX of EPUB 2."""
        navigation = next((item for item in self._items.values() if "nav" in item.properties), None)
        ncx = next((item for item in self._items.values() if item.media_type == "application/x-dtbncx+xml"), None)
        found: dict[str, str] = {}
        for item, names in ((navigation, _navigation), (ncx, _ncx)):
            if item is None or found or item.path.lower() not in self._names:
                continue
            try:
                pairs = list(names(self._xml(item.path)))
            except CorruptFile:
                continue
            for link, text in pairs:
                path, _, anchor = link.partition("#")
                if text and (not anchor or self._path(posixpath.dirname(item.path), path) not in found):
                    found.setdefault(self._path(posixpath.dirname(item.path), path), text)
        return found

    def _dublin(self, name: str) -> Iterator[str]:
        for node in self._package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"):
            if text := " ".join("".join(node.itertext()).split()):
                yield text

    def _refuse_locked(self) -> None:
        if "meta-inf/encryption.xml" not in self._names:
            return
        for node in self._xml("META-INF/encryption.xml").iter("{*}EncryptionMethod"):
            if node.get("Algorithm") not in _FONT:
                raise EncryptedFile(
                    f"{self._source.name} is locked by digital rights management.",
                    "Ingest a copy without it, if you have one.",
                )

    def _xml(self, path: str) -> Any:
        data = self.read(path)
        if data is None:
            raise CorruptFile(f"{self._source.name} lacks its part {path}.", _AGAIN)
        parser = etree.XMLParser(recover=True, **SAFE_XML)
        root = etree.fromstring(data, parser)
        if root is None:
            raise CorruptFile(f"{self._source.name} is damaged inside ({path}).", _AGAIN)
        return root

    @staticmethod
    def _path(folder: str, link: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote(link)))


def _navigation(root: Any) -> Iterator[tuple[str, str]]:
    for nav in root.iter("{*}nav"):
        kind = next((value for key, value in nav.items() if key.endswith("type")), "toc")
        if kind == "toc":
            for link in nav.iter("{*}a"):
                yield link.get("href", ""), " ".join("".join(link.itertext()).split())


def _ncx(root: Any) -> Iterator[tuple[str, str]]:
    for point in root.iter("{*}navPoint"):
        content, label = point.find("{*}content"), point.find("{*}navLabel")
        if content is not None and label is not None:
            yield content.get("src", ""), " ".join("".join(label.itertext()).split())
