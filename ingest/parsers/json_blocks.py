"""Values of JSON as a reader would want them: records of one shape as a table, key paths as headings, the rest as "key: value".

Numbers are strings here, as they are written in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.parsers.prose import clean_lines
from ingest.parsers.sheets import PART_ROWS
from ingest.parsers.tables_md import markdown_table
from rag.documents import Element

LONG = 200
"""Characters above which a text is read in a paragraph of its own rather than in the cell of a table."""
MAX_COLUMNS = 40
MAX_INLINE = 12
"""Keys of an object inside a record that are told in the record's own lines."""
MAX_HEADING = 120
MAX_DEPTH = 60
_NAMES = (
    "title",
    "name",
    "heading",
    "label",
    "question",
    "subject",
    "id",
    "_id",
    "key",
    "标题",
    "名称",
    "题目",
    "问题",
)

_BODIES = frozenset({"text", "content", "contents", "body", "正文", "内容", "文本"})


def scalar(value: Any) -> str | None:
    """The text of a plain value, or of a short list of plain values; None for a value with parts."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _clean(value).strip()
    if isinstance(value, list) and len(value) <= 20:
        texts = [scalar(item) if not isinstance(item, list) else None for item in value]
        joined = ", ".join(text for text in texts if text)
        return joined if None not in texts and len(joined) <= LONG else None
    return None


def _clean(text: str) -> str:
    return text if text.isprintable() else clean_lines(text)


def flat(record: Mapping[str, Any]) -> dict[str, str] | None:
    """A record whose values fit into cells, nested objects as `outer.inner`; None when one does not."""
    found: dict[str, str] = {}
    for key, value in record.items():
        text = scalar(value)
        if text is None:
            inner = flat(value) if isinstance(value, dict) and len(value) <= MAX_COLUMNS else None
            if inner is None or any(name.count(".") > 1 for name in inner):
                return None
            found.update({f"{_clean(key)}.{name}": part for name, part in inner.items()})
        elif len(text) > LONG or "\n" in text:
            return None
        else:
            found[_clean(key)] = text
    return found


def columns_of(records: Sequence[Any]) -> list[str] | None:
    """The columns under which the records make a table: most cells of it are filled. None when they make none."""
    if len(records) < 2 or not all(isinstance(record, dict) and record for record in records):
        return None
    rows = [flat(record) for record in records]
    if any(row is None for row in rows):
        return None
    names = list(dict.fromkeys(name for row in rows if row is not None for name in row))
    filled = sum(len(row) for row in rows if row is not None)
    return names if len(names) <= MAX_COLUMNS and 2 * filled >= len(names) * len(rows) else None


def table(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[Element]:
    """Tables of a few hundred rows, each under the same columns."""
    for start in range(0, len(records), PART_ROWS):
        rows = [flat(record) or {} for record in records[start : start + PART_ROWS]]
        if text := markdown_table([list(columns), *([row.get(name, "") for name in columns] for row in rows)]):
            yield Element("table", text)


def blocks(value: Any, depth: int = 1) -> Iterator[Element]:
    """The elements of any value; `depth` is the level of the headings in it. Raises RecursionError beyond any sense."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        yield from _object(value, depth)
    elif isinstance(value, list):
        yield from _array(value, depth)
    elif text := scalar(value):
        yield Element("paragraph", text)


def record_blocks(record: Any, number: int, depth: int = 1) -> Iterator[Element]:
    """One record among others, under its own name, or its number."""
    if not isinstance(record, (dict, list)):
        yield from blocks(record, depth)
        return
    key, name = _name(record)
    if key and isinstance(record, dict) and record[key] == name:
        # Said once, unless it had to be shortened.
        record = {other: value for other, value in record.items() if other != key}
    body = list(blocks(record, depth + 1))
    if body or name:
        yield Element("heading", name or f"#{number}", level=min(depth, 6))
        yield from body


def _object(value: Mapping[str, Any], depth: int) -> Iterator[Element]:
    lines: list[str] = []
    parts: list[tuple[str, Any]] = []
    for given, item in value.items():
        key, text = _clean(given), scalar(item)
        small = (
            flat(item) if text is None and depth > 1 and isinstance(item, dict) and len(item) <= MAX_INLINE else None
        )
        if small is not None:
            lines.extend(f"{key}.{name}: {part}" for name, part in small.items() if part)
        elif text is None:
            parts.append((key, item))
        elif len(text) > LONG or "\n" in text:
            if lines:
                yield Element("list", "\n".join(lines))
                lines = []
            yield Element("paragraph", text if key.lower() in _BODIES else f"{key}: {text}")
        elif text:
            lines.append(f"{key}: {text}")
    if lines:
        yield Element("list", "\n".join(lines))
    for key, item in parts:
        body = list(blocks(item, depth + 1))
        if body:
            heading = " ".join(key.split())[:MAX_HEADING]
            if heading:
                yield Element("heading", heading, level=min(depth, 6))
            yield from body


def _array(value: Sequence[Any], depth: int) -> Iterator[Element]:
    columns = columns_of(value)
    if columns is not None:
        yield from table(value, columns)
        return
    texts = [scalar(item) for item in value]
    if None not in texts:
        for start in range(0, len(texts), PART_ROWS):
            if lines := [f"- {text}" for text in texts[start : start + PART_ROWS] if text]:
                yield Element("list", "\n".join(lines))
        return
    for number, item in enumerate(value, start=1):
        yield from record_blocks(item, number, depth)


def _name(record: Any) -> tuple[str, str]:
    """The key and the text of what names a record, shortened to a heading; empty when nothing does."""
    if isinstance(record, dict):
        for key in _NAMES:
            text = record.get(key)
            if isinstance(text, str) and text.strip():
                return key, " ".join(_clean(text).split())[:MAX_HEADING]
    return "", ""
