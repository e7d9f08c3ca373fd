"""An expression over fields, complete and checked at construction.

Every comparison is true or false. One with a value that is missing (a page of a format without pages, an entry that the metadata
has not) is false; `!=` is the opposite of `=`, and so true for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from rag.errors import BadRequest
from rag.filters.fields import OPERATORS, Field, field_of
from rag.filters.values import LARGEST, days_of

MAX_DEPTH = 16
MAX_COMPARISONS = 200
MAX_VALUES = 5_000
MAX_LENGTH = 2_000

Value = str | float | int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` holds one value, or for `in` any number of them: none allows nothing."""

    field: str
    operator: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        field = field_of(self.field)
        if self.operator not in OPERATORS[field.kind]:
            raise BadRequest(
                f"{self.field} cannot be compared by {self.operator[:20]!r}.",
                f"It can by {', '.join(OPERATORS[field.kind])}.",
            )
        if self.operator != "in" and len(self.values) != 1:
            raise BadRequest(
                f"{self.operator} compares {self.field} with one value, not {len(self.values)}.", "Use `in`."
            )
        if len(self.values) > MAX_VALUES:
            raise BadRequest(f"{self.field} is compared with {len(self.values)} values.", f"Give up to {MAX_VALUES}.")
        for value in self.values:
            _check(field, self.operator, value)

    @property
    def about(self) -> Field:
        return field_of(self.field)


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression

    def __post_init__(self) -> None:
        _bound(self)


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _filled("and", self.parts)
        _bound(self)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _filled("or", self.parts)
        _bound(self)


Expression = Comparison | Not | And | Or


def conjunction(parts: Iterable[Expression | None]) -> Expression | None:
    """What all of the parts demand; None for none."""
    demands = [part for part in parts if part is not None]
    if len(demands) < 2:
        return demands[0] if demands else None
    # Parts that are conjunctions themselves are merged, so that joining bounded expressions does not deepen them.
    merged: list[Expression] = reduce(lambda all_, p: [*all_, *(p.parts if isinstance(p, And) else (p,))], demands, [])
    return And(tuple(merged))


def comparisons(expression: Expression) -> Iterator[Comparison]:
    if isinstance(expression, Comparison):
        yield expression
    else:
        for part in children(expression):
            yield from comparisons(part)


def children(expression: Expression) -> tuple[Expression, ...]:
    if isinstance(expression, Comparison):
        return ()
    return (expression.part,) if isinstance(expression, Not) else expression.parts


def fields_of(expression: Expression) -> set[Field]:
    return {comparison.about for comparison in comparisons(expression)}


def _depth(expression: Expression) -> int:
    return 1 + max((_depth(part) for part in children(expression)), default=0)


def _bound(expression: Expression) -> None:
    # Parts were checked when they were made, so that none of them is deeper than the limit and this recursion ends.
    # Joining two filters (the question's and the caller's access) adds a level or two to what either may have.
    if _depth(expression) > MAX_DEPTH + 2:
        raise BadRequest("The filter is nested too deeply.", f"Nest up to {MAX_DEPTH} levels.")
    if sum(1 for _ in comparisons(expression)) > 2 * MAX_COMPARISONS:
        raise BadRequest("The filter has too many comparisons.", f"Give up to {MAX_COMPARISONS}, or use `in`.")


def _filled(name: str, parts: tuple[Expression, ...]) -> None:
    if not parts:
        raise BadRequest(f"The filter has an `{name}` of nothing.", "Give it at least one part.")


def _check(field: Field, operator: str, value: Value) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRequest(f"{field.name} cannot be compared with {value!r:.80}.", "Give a text or a number.")
    if isinstance(value, str):
        if len(value) > MAX_LENGTH:
            raise BadRequest(f"A value for {field.name} has {len(value)} characters.", f"Give up to {MAX_LENGTH}.")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadRequest(f"A value for {field.name} holds a character that is none.", "Leave it out.")
    elif not math.isfinite(value) or abs(value) > LARGEST:
        raise BadRequest(f"{value} is too large to compare {field.name} with.", "Give a number up to 2⁵³.")
    if field.kind == "text" and not isinstance(value, str):
        raise BadRequest(f"{field.name} is a text and cannot be compared with {value}.", f'Write "{value}".')
    if field.values and operator in ("=", "!=", "in") and value not in field.values:
        raise BadRequest(f"{field.name} is never {value!r:.80}.", f"It is one of {', '.join(field.values)}.")
    if field.kind == "fact" and operator in ("contains", "starts_with") and not isinstance(value, str):
        raise BadRequest(f"{operator} needs a text, not {value}.", f'Write "{value}".')
    if field.kind == "number" and isinstance(value, str):
        raise BadRequest(f"{field.name} is a number and cannot be compared with {value!r:.80}.", "Give a number.")
    if field.kind == "day" and days_of(str(value)) is None:
        raise BadRequest(f"{value!r:.80} is no date.", "Write it as 2024, 2024-05 or 2024-05-31.")
