"""One question as a reviewer sees it in the terminal: question, answer, and the passage with its quote marked."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rag.stores.question_sets import state_of

KEYS = "[a]ccept  [e]dit  [r]eject  [s]kip  [b]ack  [q]uit"
_LINES = 24
"""Lines of a passage around its quote; the rest is a matter for the page."""


def screen(record: dict[str, Any], place: tuple[int, int]) -> RenderableType:
    """What is shown before a key is pressed."""
    made = record.get("provenance")
    made = made if isinstance(made, dict) else {}
    number, of = place
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    facts.add_row("question", Text(str(record["question"]), style="bold"))
    answer = record.get("answer")
    shown = "; ".join(map(str, answer)) if isinstance(answer, list) else answer
    unanswerable = record.get("unanswerable") or (
        shown is None and not record.get("source") and not record.get("evidence")
    )
    facts.add_row(
        "answer", Text("no document answers this", style="yellow") if unanswerable else Text(str(shown or "—"))
    )
    if isinstance(changed := made.get("altered"), dict):
        facts.add_row("made from", Text(str(changed.get("question", ""))))
        facts.add_row("changed", Text(f"{changed.get('from')} → {changed.get('to')}"))
    if isinstance(original := record.get("original"), dict):
        facts.add_row("was", Text(f"{original.get('question')} — {original.get('answer')}", style="dim"))
    where = str(made.get("source") or record.get("source") or "")
    page = made.get("page") or record.get("page")
    title = Text(f"{where}{f', page {page}' if page else ''}")
    state = state_of(record)
    head = Text(f"{number} of {of}   {record.get('kind', '')}, by {made.get('written_by', 'hand')}", style="dim")
    if state != "proposed":
        head.append(f"   {state}", style="green" if state != "rejected" else "red")
    parts: list[RenderableType] = [head, facts]
    passage, span = str(made.get("passage") or ""), made.get("span")
    if not passage:
        quote = record.get("quote")
        passage = "\n".join(map(str, quote)) if isinstance(quote, list) else str(quote or "")
        span = None
    if passage:
        parts.append(Panel(_marked(passage, span), title=title, title_align="left", border_style="dim"))
    return Group(*parts)


def _marked(passage: str, span: Any) -> Text:
    text = Text(passage)
    if not (isinstance(span, list) and len(span) == 2):
        return _around(text, 0)
    start, end = int(span[0]), int(span[1])
    text.stylize("bold black on yellow", start, end)
    return _around(text, passage.count("\n", 0, start))


def _around(text: Text, line: int) -> Text:
    lines = text.split("\n", allow_blank=True)
    first = max(0, min(line - _LINES // 3, len(lines) - _LINES))
    kept = list(lines[first : first + _LINES])
    if first:
        kept.insert(0, Text("…", style="dim"))
    if first + _LINES < len(lines):
        kept.append(Text("…", style="dim"))
    return Text("\n").join(kept)
