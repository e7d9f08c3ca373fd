"""Tables as chunks: cut between rows, each part under the header again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from ingest.chunkers.drafts import Draft
from ingest.chunkers.units import Unit, tokens_of

_RULE = re.compile(r"^\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")


def rows_of(table: str) -> list[tuple[str, str]]:
    """`(glue, line)` of a table in Markdown."""
    return [("\n", line) for line in table.split("\n") if line.strip()]


Breaks = Callable[[str, Sequence[Unit]], Collection[int]]
"""Header and rows → the rows before which a group has to end."""


def no_breaks(_: str, __: Sequence[Unit]) -> Collection[int]:
    return ()


def table_drafts(
    rows: Sequence[Unit],
    lead: Sequence[Unit],
    room: int,
    title: str,
    *,
    most_rows: int = 0,
    breaks: Breaks = no_breaks,
) -> list[Draft]:
    """`rows` are the lines of one table, or the whole of it as one unit; `lead` is text that belongs to it. `most_rows`
    bounds the rows of a chunk, 0 does not.

    The lead goes into the first chunk when there is room for it and a row, and stands alone otherwise.
    """
    drafts: list[Draft] = []
    if len(rows) == 1:
        if lead and tokens_of([*lead, *rows]) > room:
            drafts.append(Draft("text", list(lead), title))
            lead = ()
        return [*drafts, Draft("table", [*lead, *rows], title)]
    # A header that fills half of the chunk is not worth repeating.
    header = list(rows[:2]) if rows[0].tokens + rows[1].tokens <= room // 2 and _RULE.match(rows[1].text) else []
    body = rows[len(header) :]
    if not body:
        return [Draft("table", [*lead, *rows], title)]
    if lead and tokens_of([*lead, *header, body[0]]) > room:
        drafts.append(Draft("text", list(lead), title))
        lead = ()
    prefix = "\n".join(unit.text for unit in header)
    # After a lead the header is an ordinary line, since a prefix stands at the very top.
    group: list[Unit] = [*lead, *header] if lead else []
    used, led, taken = tokens_of([*lead, *header]), bool(lead), 0
    ends = breaks(prefix, body) if prefix else ()
    for place, row in enumerate(body):
        if taken and (used + row.tokens > room or taken == most_rows or place in ends):
            drafts.append(Draft("table", group, title, prefix="" if led else prefix))
            group, used, led, taken = [], tokens_of(header), False, 0
        group.append(row)
        used += row.tokens
        taken += 1
    drafts.append(Draft("table", group, title, prefix="" if led else prefix))
    return drafts
