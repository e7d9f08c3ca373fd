"""A filter as SQL over documents `d` and chunks `c`: columns come from the mapping below, values are always bound."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rag.answers import Filter
from rag.filters.expression import And, Comparison, Expression, Not, Value
from rag.filters.fields import METADATA
from rag.filters.values import days_of

Values = list[str | float | int]

_COLUMNS = {
    "collection": "d.collection",
    "document": "d.id",
    "name": "d.name",
    "title": "d.title",
    "media_type": "d.media_type",
    "size": "d.size",
    "pages": "d.page_count",
    "added": "date(d.published_at, 'unixepoch')",
    "language": "c.language",
    "kind": "c.kind",
    "page": "c.page",
}
_NULLABLE = ("pages", "page")


def where(allowed: Filter | None) -> tuple[str, Values]:
    """A condition (`1` for none) and its values."""
    expression = allowed.expression if allowed else None
    if expression is None:
        return "1", []
    values: Values = []
    return _sql(expression, values), values


def _sql(expression: Expression, values: Values) -> str:
    if isinstance(expression, Comparison):
        return _comparison(expression, values)
    if isinstance(expression, Not):
        return f"NOT {_sql(expression.part, values)}"
    glue = " AND " if isinstance(expression, And) else " OR "
    return "(" + glue.join(_sql(part, values) for part in expression.parts) + ")"


def _comparison(comparison: Comparison, values: Values) -> str:
    if comparison.operator == "!=":
        return f"NOT {_comparison(Comparison(comparison.field, '=', comparison.values), values)}"
    name, field = comparison.field, comparison.about
    if field.kind == "fact":
        values.append(name.removeprefix(METADATA))
        return f"(d.id IN (SELECT f.document_id FROM facts f WHERE f.key = ? AND {_fact(comparison, values)}))"
    if name == "date":
        return f"(d.id IN (SELECT y.document_id FROM days y WHERE {_days('y.day', comparison, values)}))"
    if name == "heading":
        return f"EXISTS (SELECT 1 FROM json_each(c.headings) h WHERE {_plain('h.value', comparison, values)})"
    column = _COLUMNS[name]
    found = _days(column, comparison, values) if field.kind == "day" else _plain(column, comparison, values)
    # Two values of truth only: what is missing is not "unknown", so that `not` of it is true.
    return f"ifnull({found}, 0)" if name in _NULLABLE else found


def _fact(comparison: Comparison, values: Values) -> str:
    texts = tuple(value for value in comparison.values if isinstance(value, str))
    numbers = tuple(value for value in comparison.values if not isinstance(value, str))
    parts = [
        _compare(column, comparison.operator, some, values)
        for column, some in (("f.value", texts), ("f.number", numbers))
        if some
    ]
    return f"({' OR '.join(parts)})" if parts else "0"


def _plain(column: str, comparison: Comparison, values: Values) -> str:
    return _compare(column, comparison.operator, comparison.values, values)


def _compare(column: str, operator: str, wanted: Sequence[Value], values: Values) -> str:
    if operator == "in":
        # One bound value however long the list is: a statement has room for 32,766 in some builds of SQLite.
        values.append(json.dumps(list(wanted)))
        return f"{column} IN (SELECT value FROM json_each(?))"
    if operator == "contains":
        values.append(wanted[0])
        return f"instr(lower({column}), lower(?)) > 0"
    if operator == "starts_with":
        values.extend((wanted[0], wanted[0]))
        return f"substr(lower({column}), 1, length(?)) = lower(?)"
    values.append(wanted[0])
    return f"{column} {operator} ?"


def _days(column: str, comparison: Comparison, values: Values) -> str:
    """A day compared with a day, a month or a year."""
    parts = []
    for wanted in comparison.values:
        first, last = days_of(str(wanted)) or ("", "")
        if comparison.operator in ("=", "in"):
            values.extend((first, last))
            parts.append(f"{column} BETWEEN ? AND ?")
        else:
            values.append(last if comparison.operator in ("<=", ">") else first)
            parts.append(f"{column} {comparison.operator} ?")
    return f"({' OR '.join(parts)})" if parts else "0"
