"""An expression as JSON: `{"field": "page", "op": ">=", "value": 3}`, `{"and": […]}`, `{"or": […]}`, `{"not": {…}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rag.errors import BadRequest
from rag.filters.expression import MAX_COMPARISONS, MAX_DEPTH, And, Comparison, Expression, Not, Or

_SHAPE = 'Write {"field": "page", "op": ">=", "value": 3}, {"and": […]}, {"or": […]} or {"not": {…}} (docs/filters.md).'


def from_json(tree: object, _depth: int = 1) -> Expression:
    """Raises BadRequest."""
    if _depth > MAX_DEPTH:
        raise BadRequest("The filter is nested too deeply.", f"Nest up to {MAX_DEPTH} levels.")
    if not isinstance(tree, Mapping):
        raise BadRequest(f"A filter cannot be {tree!r:.80}.", _SHAPE)
    keys = set(tree)
    if keys in ({"and"}, {"or"}):
        (name,) = keys
        parts = tree[name]
        if not isinstance(parts, list) or len(parts) > MAX_COMPARISONS:
            raise BadRequest(f"`{name}` of a filter needs a list of up to {MAX_COMPARISONS} parts.", _SHAPE)
        read = tuple(from_json(part, _depth + 1) for part in parts)
        return And(read) if name == "and" else Or(read)
    if keys == {"not"}:
        return Not(from_json(tree["not"], _depth + 1))
    if keys == {"field", "op", "value"}:
        return _comparison(tree["field"], tree["op"], tree["value"])
    raise BadRequest(f"A filter cannot have {', '.join(sorted(map(str, keys)))[:80] or 'nothing'} in it.", _SHAPE)


def _comparison(field: object, operator: object, value: Any) -> Expression:
    if not isinstance(field, str) or not isinstance(operator, str):
        raise BadRequest("`field` and `op` of a filter are texts.", _SHAPE)
    if operator == "in":
        if not isinstance(value, list):
            raise BadRequest("`in` needs a list of values.", _SHAPE)
        return Comparison(field, operator, tuple(value))
    return Comparison(field, "=" if operator == "==" else operator, (value,))


def to_json(expression: Expression) -> dict[str, Any]:
    """What `from_json` reads."""
    if isinstance(expression, Comparison):
        values = list(expression.values)
        return {
            "field": expression.field,
            "op": expression.operator,
            "value": values if expression.operator == "in" else values[0],
        }
    if isinstance(expression, Not):
        return {"not": to_json(expression.part)}
    return {"and" if isinstance(expression, And) else "or": [to_json(part) for part in expression.parts]}
