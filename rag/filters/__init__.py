"""Which chunks a search may see: expressions over fields of documents and chunks, as text, as JSON, and as a predicate."""

from rag.filters.expression import And, Comparison, Expression, Not, Or, Value, conjunction, fields_of
from rag.filters.fields import Field, field_of
from rag.filters.match import Record, matches
from rag.filters.text import parse, write
from rag.filters.tree import from_json, to_json

__all__ = [
    "And",
    "Comparison",
    "Expression",
    "Field",
    "Not",
    "Or",
    "Record",
    "Value",
    "conjunction",
    "field_of",
    "fields_of",
    "from_json",
    "matches",
    "parse",
    "to_json",
    "write",
]
