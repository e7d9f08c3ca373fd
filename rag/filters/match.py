"""An expression as a predicate over one chunk: what the SQL of rag/stores/filters.py does, in Python."""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.documents import AnyChunk, Document
from rag.filters.expression import And, Comparison, Expression, Not, Value
from rag.filters.fields import METADATA
from rag.filters.values import day_of, days_of, folded, number_of

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}


@dataclass(frozen=True, slots=True)
class Record:
    """What a filter sees of a chunk: the values of each field, several for `heading`, none where it is missing."""

    values: Mapping[str, tuple[Value, ...]]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, chunk: AnyChunk, document: Document, added: str) -> Record:
        """`added` is the day of ingestion, `2024-05-31`."""
        plain: dict[str, Value | None] = {
            "collection": document.collection,
            "document": document.id,
            "name": document.name,
            "title": document.title,
            "media_type": document.media_type,
            "size": document.size,
            "pages": document.page_count,
            "date": day_of(document.metadata),
            "added": added,
            "language": chunk.language,
            "kind": chunk.kind,
            "page": chunk.page,
        }
        values = {name: () if value is None else (value,) for name, value in plain.items()}
        return cls({**values, "heading": chunk.headings}, document.metadata)


def matches(expression: Expression | None, record: Record) -> bool:
    """Whether the expression allows the chunk; None allows all."""
    if expression is None:
        return True
    if isinstance(expression, Comparison):
        return _compares(expression, record)
    if isinstance(expression, Not):
        return not matches(expression.part, record)
    some = all if isinstance(expression, And) else any
    return some(matches(part, record) for part in expression.parts)


def foreseen(expression: Expression | None, record: Record, known: Collection[str]) -> bool | None:
    """What `matches` will say when only the `known` fields of the record are filled yet; None where it depends on others (Kleene's logic of
    three values)."""
    if expression is None:
        return True
    if isinstance(expression, Comparison):
        return _compares(expression, record) if expression.field in known else None
    if isinstance(expression, Not):
        inner = foreseen(expression.part, record, known)
        return None if inner is None else not inner
    found = {foreseen(part, record, known) for part in expression.parts}
    deciding = not isinstance(expression, And)
    return deciding if deciding in found else None if None in found else not deciding


def _compares(comparison: Comparison, record: Record) -> bool:
    kind, name = comparison.about.kind, comparison.field
    if kind == "fact":
        found = record.metadata.get(name.removeprefix(METADATA))
        have: tuple[Value, ...] = () if found is None else (found,)
    else:
        have = record.values[name]
    if comparison.operator == "!=":
        return not any(_one(kind, "=", value, comparison.values[0]) for value in have)
    operator = "=" if comparison.operator == "in" else comparison.operator
    return any(_one(kind, operator, value, wanted) for value in have for wanted in comparison.values)


def _one(kind: str, operator: str, value: Value, wanted: Value) -> bool:
    if operator == "contains":
        return folded(str(wanted)) in folded(str(value))
    if operator == "starts_with":
        return folded(str(value)).startswith(folded(str(wanted)))
    if kind == "day":
        first, last = days_of(str(wanted)) or ("", "")
        if operator == "=":
            return first <= str(value) <= last
        return _ORDER[operator](value, last if operator in ("<=", ">") else first)
    if kind == "fact" and not isinstance(wanted, str):
        number = number_of(str(value))
        if number is None:
            return False
        value = number
    return value == wanted if operator == "=" else _ORDER[operator](value, wanted)
