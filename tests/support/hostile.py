"""A toolbox whose parser does what the file says: importable in a parse worker's process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from ingest.protocols import Member, ParsedPage, Source
from ingest.worker import Toolbox
from rag.documents import Element, Page
from rag.errors import EncryptedFile, ModelMissing


class ObedientParser:
    media_types = frozenset({"text/plain"})
    version = "obedient 1"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        text = source.path.read_text()
        if text.startswith("HANG"):
            time.sleep(600)
        if text.startswith("CRASH"):
            os._exit(139)
        if text.startswith("SWELL"):
            hoard = [bytearray(50_000_000) for _ in range(40)]
            time.sleep(600)
            del hoard
        if text.startswith("ARCHIVE") and source.members is not None:
            yield ParsedPage(None, (Element("paragraph", text),), members=tuple(_unpacked(source.members, text)))
            return
        if text.startswith("RAISE"):
            raise ZeroDivisionError("by the parser")
        if text.startswith("LOCKED"):
            raise EncryptedFile(f"{source.name} is locked.", "Unlock it.")
        for number, part in enumerate(text.split("\f"), start=1):
            if part.startswith("THEN CRASH"):
                os._exit(139)
            elements = (Element("paragraph", part.strip(), number),) if part.strip() else ()
            yield ParsedPage(Page(number, 100, 100), elements, title="A title")


def _unpacked(folder: Path, text: str) -> Iterator[Member]:
    folder.mkdir(parents=True)
    for name, _, content in (line.partition("=") for line in text.splitlines()[1:]):
        (folder / name).write_text(content)
        yield Member(folder / name, name)


def build() -> Toolbox:
    return Toolbox({"text/plain": ObedientParser()})


def build_markdown() -> Toolbox:
    from ingest.parsers.markdown import MarkdownParser

    return Toolbox({"text/markdown": MarkdownParser()})


def build_nothing() -> Toolbox:
    raise ModelMissing("The model is not here.", "Fetch it.")


def build_broken() -> Toolbox:
    raise ImportError("no such package")


def build_dying() -> Toolbox:
    os._exit(1)
