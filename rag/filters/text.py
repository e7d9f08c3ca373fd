"""An expression as text: `language = "zh" and (page >= 3 or not name starts_with "drafts/")`.

    expression  = conjunct { "or" conjunct }
    conjunct    = unary { "and" unary }
    unary       = "not" unary | "(" expression ")" | comparison
    comparison  = field operator value | field [ "not" ] "in" "(" [ value { "," value } ] ")"
    operator    = "=" | "!=" | "<" | "<=" | ">" | ">=" | [ "not" ] "contains" | [ "not" ] "starts_with"
    field       = a name of rag/filters/fields.py | metadata.KEY | metadata."any key"
    value       = "text" | 'text' | number | word

In quotes a backslash takes the next character as it is. A word is what needs no quotes: `zh`, `text/html`, `2024-05-31`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.errors import BadRequest
from rag.filters.expression import MAX_COMPARISONS, MAX_DEPTH, And, Comparison, Expression, Not, Or, Value
from rag.filters.fields import METADATA, OPERATORS, field_of
from rag.filters.values import number_of

MAX_TEXT = 50_000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<sign>[()\[\],]|<=|>=|!=|<>|==|=|<|>)
    | (?P<word>(?:[^\s()\[\],<>=!"'\\])+(?:"(?:[^"\\]|\\.)*")?)
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = ("and", "or", "not", "in", "contains", "starts_with")
_SAME = {"==": "=", "<>": "!="}
_HELP = "For example: language = zh and page >= 3 (docs/filters.md)."


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """What the token is to the grammar: an operator's sign, a reserved word, or nothing."""
        if self.kind == "sign":
            return _SAME.get(self.text, self.text)
        return self.text.lower() if self.kind == "word" and self.text.lower() in _WORDS else ""


def parse(text: str) -> Expression:
    """Raises BadRequest that says where the text goes wrong."""
    if len(text) > MAX_TEXT:
        raise BadRequest(f"The filter has {len(text)} characters.", f"Give up to {MAX_TEXT}.")
    reader = _Reader(text)
    expression = reader.expression(1)
    reader.end()
    return expression


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._place = 0
        self._count = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._place]

    def _take(self) -> _Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _accept(self, *keywords: str) -> str:
        keyword = self._next.keyword
        if keyword and keyword in keywords:
            self._take()
            return keyword
        return ""

    def end(self) -> None:
        if self._next.kind != "end":
            raise self._wrong("`and`, `or` or the end", self._quoted())

    def expression(self, depth: int) -> Expression:
        parts = [self._conjunct(depth)]
        while self._accept("or"):
            parts.append(self._conjunct(depth))
        return Or(tuple(parts)) if len(parts) > 1 else parts[0]

    def _conjunct(self, depth: int) -> Expression:
        parts = [self._unary(depth)]
        while self._accept("and"):
            parts.append(self._unary(depth))
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def _unary(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise BadRequest("The filter is nested too deeply.", f"Nest up to {MAX_DEPTH} levels.")
        if self._accept("not"):
            return Not(self._unary(depth + 1))
        if self._accept("("):
            inner = self.expression(depth + 1)
            if not self._accept(")"):
                raise self._wrong("`)`, `and` or `or`", self._quoted())
            return inner
        return self._comparison()

    def _comparison(self) -> Expression:
        self._count += 1
        if self._count > MAX_COMPARISONS:
            raise BadRequest("The filter has too many comparisons.", f"Give up to {MAX_COMPARISONS}, or use `in`.")
        if self._next.kind != "word" or self._next.keyword:
            raise self._wrong("a field")
        named = self._take()
        field = _field(named.text)
        with _located(self._text, named):
            known = OPERATORS[field_of(field).kind]
        negated = bool(self._accept("not"))
        token = self._next
        operator = self._accept(*known) if not negated else self._accept("in", "contains", "starts_with")
        if not operator:
            raise self._wrong(
                f"one of {', '.join(known)} after {field}" if not negated else "in, contains or starts_with"
            )
        values = self._list() if operator == "in" else (self._value(field),)
        with _located(self._text, token):
            made = Comparison(field, operator, tuple(_typed(field, operator, value) for value in values))
        return Not(made) if negated else made

    def _list(self) -> tuple[_Token, ...]:
        closing = {"(": ")", "[": "]"}.get(self._accept("(", "["))
        if closing is None:
            raise self._wrong("`(` after in")
        values: list[_Token] = []
        while not self._accept(closing):
            if values and not self._accept(","):
                raise self._wrong(f"`,` or `{closing}`")
            values.append(self._value("in"))
        return tuple(values)

    def _value(self, after: str) -> _Token:
        if self._next.kind not in ("word", "quoted") or self._next.keyword in ("and", "or", "not", "in"):
            raise self._wrong(f"a value for {after}" if after != "in" else "a value")
        return self._take()

    def _quoted(self) -> str:
        """The remedy where a value seems to go on: words behind one that are no part of the grammar."""
        before, after = self._tokens[max(0, self._place - 1)], self._next
        if (before.kind, after.kind) != ("word", "word") or before.keyword or after.keyword:
            return _HELP
        return f'A value with spaces stands in quotes: "{before.text[:40]} {after.text[:40]} …" (docs/filters.md).'

    def _wrong(self, wanted: str, remedy: str = _HELP) -> BadRequest:
        token = self._next
        found = f"`{token.text[:40]}`" if token.kind != "end" else "the end"
        return _error(self._text, token.at, f"expected {wanted}, found {found}", remedy)


class _located:  # noqa: N801 - reads as a word at its uses
    """Adds the place to what an expression says when it is made."""

    def __init__(self, text: str, token: _Token) -> None:
        self._text, self._token = text, token

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BadRequest):
            message = error.message[0].lower() + error.message[1:].rstrip(".")
            raise _error(self._text, self._token.at, message, error.remedy) from None


def _error(text: str, at: int, message: str, remedy: str = _HELP) -> BadRequest:
    start = max(0, at - 30)
    near = f"{'…' if start else ''}{text[start:at]}⟨here⟩{text[at : at + 30]}{'…' if at + 30 < len(text) else ''}"
    return BadRequest(f"The filter is wrong at character {at + 1}: {message}: {near}", remedy)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    stop = len(text.rstrip())
    while at < stop:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            what = "a quotation that does not end" if text[at] in "\"'" else f"`{text[at]}` has no meaning here"
            raise _error(text, at, what)
        yield _Token(found.lastgroup, found.group(found.lastgroup), found.start(found.lastgroup))
        at = found.end()
    yield _Token("end", "", stop)


def _field(text: str) -> str:
    name, quoted, _ = text.partition('"')
    if not quoted:
        return text
    return name + _unquoted(text[len(name) :])


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _typed(field: str, operator: str, token: _Token) -> Value:
    if token.kind == "quoted":
        return _unquoted(token.text)
    kind = field_of(field).kind
    if kind == "number" or (kind == "fact" and operator not in ("contains", "starts_with")):
        number = number_of(token.text)
        if number is not None:
            return int(number) if number.is_integer() else number
    return token.text


def write(expression: Expression) -> str:
    """What `parse` reads."""
    if isinstance(expression, Comparison):
        values = [_written(value) for value in expression.values]
        shown = f"({', '.join(values)})" if expression.operator == "in" else values[0]
        return f"{_written_field(expression.field)} {expression.operator} {shown}"
    if isinstance(expression, Not):
        return f"not ({write(expression.part)})"
    name = " and " if isinstance(expression, And) else " or "
    return name.join(write(part) if isinstance(part, Comparison) else f"({write(part)})" for part in expression.parts)


def _written(value: Value) -> str:
    if isinstance(value, str):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return repr(value)


def _written_field(name: str) -> str:
    if not name.startswith(METADATA) or re.fullmatch(r"[\w.-]+", name):
        return name
    return METADATA + _written(name.removeprefix(METADATA))
