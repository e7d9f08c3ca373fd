"""What a rule will say of a file is known before it is read only where nothing in the file can change it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.filters import Expression, Record, matches, parse
from rag.filters.match import foreseen
from tests.rag.filters.filter_shelf import expressions

KNOWN = {"collection", "document", "name"}
TEXTS = st.sampled_from(["", "a", "d1", "b.md", "a/b.md", "zh"])
RECORDS = st.builds(
    lambda texts, numbers, metadata: Record(
        {
            **{name: (text,) for name, text in zip(("collection", "document", "name", "title"), texts, strict=True)},
            **{name: (value,) for name, value in zip(("size", "pages", "page"), numbers, strict=True)},
            "media_type": ("text/plain",),
            "date": (),
            "added": ("2024-05-31",),
            "language": ("en",),
            "kind": ("text",),
            "heading": (),
        },
        metadata,
    ),
    st.tuples(TEXTS, TEXTS, TEXTS, TEXTS),
    st.tuples(*[st.integers(0, 9)] * 3),
    st.dictionaries(st.sampled_from(["tenant", "year", "author"]), st.sampled_from(["a", "b", "2020"])),
)


@given(expressions(), RECORDS)
@settings(max_examples=300, deadline=None)
def test_what_is_foreseen_comes(expression: Expression, record: Record) -> None:
    partial = Record({name: values for name, values in record.values.items() if name in KNOWN})
    said = foreseen(expression, partial, KNOWN)
    assert said is None or said is matches(expression, record)
    assert foreseen(expression, record, {*record.values, *(c for c in _fields(expression))}) is matches(
        expression, record
    )


def _fields(expression: Expression) -> set[str]:
    from rag.filters.expression import comparisons

    return {comparison.field for comparison in comparisons(expression)}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("name = a", True),
        ("name = b", False),
        ("metadata.tenant = red", None),
        ("not metadata.tenant = red", None),
        ("name = a or metadata.tenant = red", True),
        ("name = b or metadata.tenant = red", None),
        ("name = b and metadata.tenant = red", False),
        ("name = a and metadata.tenant = red", None),
        ("not (name = b and metadata.tenant = red)", True),
        ("name in ()", False),
    ],
)
def test_three_values(rule: str, said: bool | None) -> None:
    known = Record({"collection": ("default",), "document": ("d",), "name": ("a",)})
    assert foreseen(parse(rule), known, KNOWN) is said
