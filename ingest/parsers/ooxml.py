"""Office packages (ECMA-376 part 2): parts, relationships and properties, read without trusting a byte of them."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lxml import etree

from ingest.containers import MemberStream, open_member, open_zip, read_member
from ingest.protocols import Source
from ingest.safe_xml import SAFE_XML
from rag.errors import CorruptFile, LimitExceeded

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
V = "{urn:schemas-microsoft-com:vml}"
DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"

_STRICT = (
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    ),
    (b"http://purl.oclc.org/ooxml/drawingml/", b"http://schemas.openxmlformats.org/drawingml/2006/"),
)
_CORE = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "description": "description",
    "created": "created",
    "modified": "modified",
    "category": "category",
}
MAX_PART = 200_000_000
"""Bytes of one XML part; its tree takes about ten times as much memory."""
AGAIN = "Open it in its program, save it again, and ingest that."


@dataclass(frozen=True, slots=True)
class Relationship:
    """`target` is a part's name in the package, or an address outside when `external`."""

    kind: str
    target: str
    external: bool


class Package:
    """One open package. Use it as a context manager."""

    def __init__(self, source: Source) -> None:
        if source.path.stat().st_size > source.limits.bytes:
            raise LimitExceeded(
                f"{source.name} is larger than the {source.limits.bytes / 1e6:,.1f} MB allowed.",
                "Split it, or raise `ingest.limits.bytes`.",
            )
        self.source = source
        self._zip: zipfile.ZipFile = open_zip(source.path, source.name, source.limits)
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self._relationships: dict[str, dict[str, Relationship]] = {}

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def has(self, part: str) -> bool:
        return part.lower() in self._names

    def read(self, part: str) -> bytes:
        """The bytes of a part. Raises CorruptFile when it is missing or damaged."""
        try:
            return read_member(self._zip, self._names[part.lower()], self.source.name)
        except KeyError:
            raise CorruptFile(f"{self.source.name} lacks its part {part}.", AGAIN) from None

    def open(self, part: str) -> MemberStream:
        """A part as a stream, for what is too long for a tree. Reading raises CorruptFile."""
        return open_member(self._zip, self._names[part.lower()], self.source.name)

    def blocks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, a block at a time."""
        with self.open(part) as stream:
            while block := stream.read(1 << 18):
                yield block

    def xml(self, part: str) -> Any:
        """The tree of an XML part. Entities stay unexpanded. Raises CorruptFile, LimitExceeded."""
        data = self.read(part)
        if len(data) > MAX_PART:
            raise LimitExceeded(
                f"{self.source.name} has {len(data) / 1e6:,.0f} MB of text in {part}.", "Split the document."
            )
        if b"purl.oclc.org/ooxml" in data[:20_000]:
            for strict, transitional in _STRICT:
                data = data.replace(strict, transitional)
        parser = etree.XMLParser(**SAFE_XML)
        try:
            return etree.fromstring(data, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise CorruptFile(f"{self.source.name} is damaged inside ({part}: {error}).", AGAIN) from error

    def relationships(self, part: str) -> dict[str, Relationship]:
        """By id, of a part; `""` stands for the package itself."""
        if part not in self._relationships:
            folder, name = posixpath.split(part)
            rels = posixpath.join(folder, "_rels", f"{name}.rels")
            found: dict[str, Relationship] = {}
            if self.has(rels):
                for node in self.xml(rels).iter("{*}Relationship"):
                    target, external = node.get("Target", ""), node.get("TargetMode") == "External"
                    if not external:
                        target = posixpath.normpath(
                            target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                        )
                    found[node.get("Id", "")] = Relationship(node.get("Type", "").rsplit("/", 1)[-1], target, external)
            self._relationships[part] = found
        return self._relationships[part]

    def related(self, part: str, kind: str) -> str | None:
        """The first part that `part` names in the role `kind`, if it is there."""
        for relationship in self.relationships(part).values():
            if relationship.kind == kind and not relationship.external and self.has(relationship.target):
                return relationship.target
        return None

    def main_part(self) -> str:
        part = self.related("", "officeDocument")
        if part is None:
            raise CorruptFile(f"{self.source.name} names no main part.", AGAIN)
        return part

    def properties(self) -> tuple[str, dict[str, str]]:
        """Title and other core properties (Dublin Core)."""
        part = self.related("", "core-properties")
        if part is None:
            return "", {}
        try:
            root = self.xml(part)
        except CorruptFile:
            return "", {}
        values = {
            etree.QName(node).localname: " ".join((node.text or "").split())
            for node in root.iter(etree.Element)
            if node is not root
        }
        return values.get("title", ""), {name: values[key][:1_000] for key, name in _CORE.items() if values.get(key)}
