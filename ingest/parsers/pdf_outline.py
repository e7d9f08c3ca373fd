"""What a PDF says of itself: title, author, and the outline, which names headings and their depth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.layout.text import clean
from ingest.parsers.pdf_layout import outline_key
from rag.documents import Element

MAX_ENTRIES = 5_000
_FIELDS = {
    "Title": "title",
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "CreationDate": "created",
}
_NO_TITLE = re.compile(
    r"^(?:untitled|title|document\d*|microsoft (?:word|powerpoint|excel) - .*|.*\.(?:docx?|pptx?|xlsx?|indd|pdf|tex|dvi|qxd|rtf|txt)|\W*|slide \d+)$",
    re.IGNORECASE,
)


class Outline:
    """Headings that the outline names, by page."""

    def __init__(self, pdf: Any) -> None:
        self._pages: dict[int, dict[str, int]] = {}
        try:
            for count, entry in enumerate(pdf.get_toc(max_depth=6)):
                if count >= MAX_ENTRIES:
                    break
                target = entry.get_dest()
                index = target.get_index() if target is not None else None
                key = outline_key(entry.get_title() or "")
                if index is not None and key:
                    self._pages.setdefault(index + 1, {}).setdefault(key, min(entry.level + 1, 6))
        except Exception:  # noqa: S110 - a broken outline costs nothing but the depth of headings
            pass

    def headings(self, number: int) -> Mapping[str, int]:
        """Text (see `outline_key`) → level, for one page."""
        return self._pages.get(number, {})


def metadata_of(pdf: Any) -> dict[str, str]:
    try:
        found = pdf.get_metadata_dict(skip_empty=True)
    except Exception:
        return {}
    return {name: clean(str(found[key]))[:500] for key, name in _FIELDS.items() if clean(str(found.get(key, "")))}


def document_title(metadata: Mapping[str, str], elements: Sequence[Element]) -> str:
    """The title of the metadata when it is one; otherwise the highest heading of the first page."""
    title = metadata.get("title", "")
    if title and not _NO_TITLE.match(title):
        return title
    headings = [element for element in elements if element.kind == "heading"]
    best = min(headings, key=lambda element: element.level or 9, default=None)
    return best.text if best is not None else ""
