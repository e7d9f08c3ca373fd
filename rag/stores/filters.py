"""A filter as SQL over documents `d` and chunks `c`. Values are always bound."""

from __future__ import annotations

from rag.answers import Filter


def where(allowed: Filter | None) -> tuple[str, list[str]]:
    """Conditions joined by AND (`1` for none) and their values."""
    conditions: list[str] = []
    values: list[str] = []
    if allowed:
        for column, wanted in (
            ("d.id", allowed.document_ids),
            ("d.name", allowed.names),
            ("d.media_type", allowed.media_types),
            ("c.language", allowed.languages),
        ):
            if wanted:
                conditions.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values.extend(sorted(wanted))
    return " AND ".join(conditions) or "1", values
