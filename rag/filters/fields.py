"""The fields that a filter can name. There are no others: what is not listed here cannot be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.errors import BadRequest

METADATA = "metadata."
MAX_KEY = 200

Kind = Literal["text", "number", "day", "fact"]

OPERATORS: dict[Kind, tuple[str, ...]] = {
    "text": ("=", "!=", "in", "contains", "starts_with"),
    "number": ("=", "!=", "in", "<", "<=", ">", ">="),
    "day": ("=", "!=", "in", "<", "<=", ">", ">="),
    "fact": ("=", "!=", "in", "<", "<=", ">", ">=", "contains", "starts_with"),
}
"""A `fact` is an entry of a document's metadata: compared as a number with a number, as text with text."""


@dataclass(frozen=True, slots=True)
class Field:
    """`of` says whether all chunks of a document share the value: only such fields can rule who reads a document."""

    name: str
    kind: Kind
    of: Literal["document", "chunk"]
    about: str
    values: tuple[str, ...] = ()
    """All that it can be; empty where that is open."""


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("collection", "text", "document", "the collection it is in"),
        Field("document", "text", "document", "the document's id"),
        Field("name", "text", "document", "its path relative to what was ingested"),
        Field("title", "text", "document", "its title"),
        Field("media_type", "text", "document", "application/pdf, text/html, …"),
        Field("size", "number", "document", "bytes"),
        Field("pages", "number", "document", "how many pages it has"),
        Field("date", "day", "document", "the day its metadata gives: date, else modified, else created"),
        Field("added", "day", "document", "the day it was ingested (UTC)"),
        Field("language", "text", "chunk", "of the passage: en, zh, …"),
        Field("kind", "text", "chunk", "text, table or image", ("text", "table", "image")),
        Field("page", "number", "chunk", "the page it begins on, from 1"),
        Field("heading", "text", "chunk", "any of the headings it stands under"),
    )
}


def field_of(name: str) -> Field:
    """Raises BadRequest for a name that is no field."""
    known = FIELDS.get(name)
    if known is not None:
        return known
    key = name.removeprefix(METADATA)
    if name.startswith(METADATA) and 0 < len(key) <= MAX_KEY:
        return Field(name, "fact", "document", f"the entry {key} of its metadata")
    raise BadRequest(
        f"A filter cannot ask for {name[:80]!r}.",
        f"Its fields are {', '.join(FIELDS)} and metadata.KEY (docs/filters.md).",
    )
