"""Feedback as questions: what users asked, the answers and citations that they called good, and refusals that were right.

| feedback | becomes |
|---|---|
| answer up | question, answer as reference, the documents and pages that it cites |
| citation up | question with that document and page; the reference answer where the answer was good, too |
| citation down | that citation is no judgement |
| answer up, abstained | unanswerable question |
| answer down alone | nothing: it tells what is wrong and not what is right; it is counted |

A question that was judged several times takes the last word about each thing.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.language import language_of

_MARKERS = re.compile(r"\s*\[\d+\](?=[\s.,;:!?。，；：！？]|$|\[)|\[\d+\]")


@dataclass
class _Asked:
    question: str
    answer: str | None = None
    abstained_rightly: bool = False
    comments: list[str] = field(default_factory=list)
    cited: dict[tuple[str, int | None], dict[str, Any]] = field(default_factory=dict)
    """By the answer, while that counts as good."""
    chosen: dict[tuple[str, int | None], dict[str, Any]] = field(default_factory=dict)
    bad: set[tuple[str, int | None]] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    settings: str = ""


def from_feedback(items: Sequence[dict[str, Any]], collection: str) -> tuple[list[dict[str, Any]], int]:
    """Lines of questions.jsonl, in the order in which the questions were first asked, and how many questions gave none."""
    asked: dict[str, _Asked] = {}
    for item in sorted(items, key=lambda one: one["at"]):
        key = " ".join(item["question"].split()).casefold()
        _take(asked.setdefault(key, _Asked(item["question"].strip())), item)
    lines = [line for one in asked.values() if (line := _line(one, collection)) is not None]
    return lines, len(asked) - len(lines)


def _take(one: _Asked, item: dict[str, Any]) -> None:
    one.ids.append(item["id"])
    one.settings = item["settings"]
    one.comments += [item["comment"]] if item["comment"] else []
    places = {(cited["document"], cited["page"]): cited for cited in item["citations"]}
    up = item["rating"] == "up"
    if item["target"] == "citation":
        for key, cited in places.items():
            one.bad.discard(key)
            one.chosen.pop(key, None)
            if up:
                one.chosen[key] = cited
            else:
                one.bad.add(key)
        return
    good = up and not item["abstained"]
    one.abstained_rightly = up and item["abstained"]
    one.answer = _MARKERS.sub("", item["answer"]).strip() if good else None
    one.cited = places if good else {}


def _line(one: _Asked, collection: str) -> dict[str, Any] | None:
    judged = [cited for key, cited in (one.cited | one.chosen).items() if key not in one.bad]
    if not judged and not one.abstained_rightly:
        return None
    made = {"written_by": "users", "collection": collection, "feedback": one.ids, "settings": one.settings}
    made |= {"comments": one.comments} if one.comments else {}
    line: dict[str, Any] = {
        "id": hashlib.sha256(f"{collection}\0{one.question}".encode()).hexdigest()[:12],
        "question": one.question,
        "answer": one.answer,
        "source": None,
        "page": None,
        "kind": "feedback",
        "language": language_of(one.question),
        "state": "proposed",
    }
    if not judged:
        return line | {"answer": None, "unanswerable": True, "provenance": made}
    by_document: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for cited in judged:
        by_document[cited["document"]].append(cited)
    made |= {"source": judged[0]["document"], "page": judged[0]["page"], "chunk_id": judged[0]["chunk_id"]}
    if len(by_document) == 1:
        pages = sorted({cited["page"] for cited in judged if cited["page"] is not None})
        line |= {"source": judged[0]["document"], "page": pages or None, "quote": [cited["quote"] for cited in judged]}
    else:
        del line["source"], line["page"]
        line["evidence"] = [
            {"source": cited["document"], "quote": cited["quote"]} | ({"page": cited["page"]} if cited["page"] else {})
            for cited in judged
        ]
    return line | {"provenance": made}
