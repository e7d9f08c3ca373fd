"""The questions that went wrong, each as what a person needs to see why: what was expected, what each stage saw, what was answered.

A traced run says which stage lost a question (`eval.failures`). For an older one the outcome is all there is, and its classes
are named so that nobody takes them for a stage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eval.failures.classes import DEFINITIONS, ORDER, FailureClass
from eval.report.knowing import RIGHT_ABOVE, was_found
from eval.report.reading import Asked, Place, Run, listed

LONGEST = 1_200
"""Characters of an answer or passage that are shown."""

UNTRACED: Mapping[str, str] = {
    "not found": "No relevant document is among what was found.",
    "found too low": "A relevant document was found, but no passage of the right place is among the first five.",
    "refused": "The documents answer the question, and the system said that they do not.",
    "answered without an answer": "The documents do not answer the question, and the system answered it.",
    "answer lacks what is expected": f"The answer has less than {RIGHT_ABOVE:.0%} of the words of the expected one.",
}
_ORDER = [*ORDER, *UNTRACED]


def failures(run: Run) -> dict[str, Any]:
    """`{"questions", "failed", "classes": {class: {"count", "meaning", "remedy"}}, "by_kind", "doubts", "list"}`.

    Kinds with their counts per class; `list` is in the order of the flow, so that what was lost first comes first.
    """
    classed = [(question, found) for question in run.questions if (found := classify(question, traced=run.traced))]
    classed.sort(key=lambda pair: _ORDER.index(pair[1]) if pair[1] in _ORDER else len(_ORDER))
    counts = Counter(found for _, found in classed)
    doubts = [question for question in run.questions if isinstance(question.record.get("doubt"), Mapping)]
    return {
        "questions": len(run.questions),
        "failed": len(classed),
        "classes": {name: {"count": count} | explain(name) for name, count in counts.items()},
        "by_kind": _by(classed, lambda question: question.kind or "not told"),
        "by_language": _by(classed, lambda question: question.language),
        "doubts": [{"id": q.id, "question": q.text, "why": str(q.record["doubt"].get("why", ""))} for q in doubts],
        "list": [case(question, found) for question, found in classed],
    }


def classify(question: Asked, *, traced: bool) -> str:
    """The class of a failure; empty for a question that went well."""
    if traced:
        return "" if question.lost is None else str(question.lost.get("class") or question.lost["stage"])
    if question.abstained is not None:
        if not question.answerable:
            return "" if question.abstained else "answered without an answer"
        if question.abstained:
            return "refused"
    elif not question.answerable:
        return ""
    if not was_found(question) and question.metrics:
        everything = next((question.metrics[n] for n in ("recall@100", "hit_rate@100") if n in question.metrics), 1.0)
        return "found too low" if everything else "not found"
    if question.abstained is False and question.metrics.get("answer_recall", 1.0) < RIGHT_ABOVE:
        return "answer lacks what is expected"
    return ""


def explain(name: str) -> dict[str, str]:
    if name in DEFINITIONS:
        defined = DEFINITIONS[FailureClass(name)]
        return {"stage": defined.stage, "meaning": defined.meaning, "remedy": defined.remedy}
    return {"stage": "", "meaning": UNTRACED.get(name, ""), "remedy": ""}


def case(question: Asked, name: str) -> dict[str, Any]:
    """One failure. Places are `{"document", "pages"}`; stages `{"name", "size", "gold", "top": [passage], "as": stage}`, in the order of the
    flow. A stage whose first passages are those of the one before names that one; a text is given where it stands first."""
    lost = question.lost or {}
    traced = lost.get("evidence")
    seen: Mapping[str, Any] = traced if isinstance(traced, Mapping) else {}
    return {
        "id": question.id,
        "question": question.text,
        "kind": question.kind,
        "language": question.language,
        "answerable": question.answerable,
        "class": name,
        "why": _sentence(str(lost.get("why") or explain(name)["meaning"])),
        "step": str(lost.get("step") or ""),
        "missed_by": [str(one) for one in listed(lost.get("missed_by"))],
        "evidence": question.evidence,
        "expected": _expected(question, seen),
        "places": (places := _places(question, seen)),
        "judged": bool(places or listed(seen.get("gold"))),
        "gold": [_passage(one) for one in listed(seen.get("gold"))],
        "stages": _stages(question, seen),
        "answer": _answer(question, seen),
        "metrics": dict(question.metrics),
    }


def _expected(question: Asked, seen: Mapping[str, Any]) -> list[str]:
    traced = seen.get("answer")
    told = listed(traced.get("expected")) if isinstance(traced, Mapping) else []
    return [_short(str(one)) for one in question.expected_answers or told]


def _places(question: Asked, seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the answer stands: by the labels, else by the passages that the trace found to carry it."""
    pages: dict[str, set[int]] = {name: set() for name in sorted(question.relevant)}
    for name, page in question.expected_pages:
        if page is not None:
            pages.setdefault(name, set()).add(page)
    if not any(pages.values()):
        for one in listed(seen.get("gold")):
            pages.setdefault(str(one.get("document", "")), set()).update(listed(one.get("pages")))
    return [{"document": name, "pages": sorted(numbers)} for name, numbers in pages.items() if name]


def _stages(question: Asked, seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = seen.get("stages")
    if isinstance(told, Mapping) and told:
        return _once(
            [
                {"name": str(name), "size": stage.get("size"), "gold": stage.get("gold"), "top": [_passage(p) for p in listed(stage.get("top"))]}
                for name, stage in told.items()
                if isinstance(stage, Mapping)
            ]
        )  # fmt: skip
    hits = [_passage(hit) for hit in question.hits[:3]]
    relevant = question.relevant
    rank = next((place for place, name in enumerate(question.documents, 1) if name in relevant), None)
    return [{"name": "hits", "size": len(question.documents), "gold": rank, "top": hits, "as": ""}] if hits else []


def _once(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a flow mostly pass on what the one before left: said once, it is read."""
    seen: set[tuple[str, str]] = set()
    before: dict[str, Any] = {"name": "", "top": []}
    found = []
    for stage in stages:
        same = bool(stage["top"]) and stage["top"] == before["top"]
        top = []
        for one in [] if same else stage["top"]:
            key = (one["document"], one["text"])
            top.append(one | {"text": "" if key in seen else one["text"]})
            seen.add(key)
        found.append(stage | {"top": top, "as": before["name"] if same else ""})
        # Three stages alike all name the first of them.
        before = {"name": before["name"] if same else stage["name"], "top": stage["top"]}
    return found


def _answer(question: Asked, seen: Mapping[str, Any]) -> dict[str, Any] | None:
    given = question.answer
    if given is None:
        return None
    traced = seen.get("answer")
    told = traced.get("citations") if isinstance(traced, Mapping) else None
    cited = given.get("cited") or told or given.get("citations")
    return {
        "text": _short(str(given.get("text", ""))),
        "abstained": bool(given.get("abstained")),
        "citations": [_citation(number, one) for number, one in enumerate(listed(cited), 1)],
    }


def _citation(number: int, given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {
            "marker": given.get("marker", number),
            "document": str(given.get("document", "")),
            "page": given.get("page"),
            "verified": given.get("verified"),
            "boxes": [list(box) for box in listed(given.get("boxes"))],
        }
    name, page = [*given, None, None][:2] if isinstance(given, list | tuple) else (given, None)
    return {"marker": number, "document": str(name), "page": page, "verified": None, "boxes": []}


def _passage(given: Any) -> dict[str, Any]:
    one = given if isinstance(given, Mapping) else {"chunk_id": str(given)}
    return {
        "document": str(one.get("document") or one.get("chunk_id") or ""),
        "pages": [int(page) for page in listed(one.get("pages"))],
        "text": _short(str(one.get("text", ""))),
        "gold": bool(one.get("gold")),
    }


def _by(classed: Sequence[tuple[Asked, str]], key: Callable[[Asked], str]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for question, name in classed:
        found.setdefault(key(question), Counter())[name] += 1
    return {group: dict(counts) for group, counts in sorted(found.items())}


def pages_to_show(shown: Mapping[str, Any]) -> list[Place]:
    """The pages of which a picture says most: where the answer stands, else what was cited, at most two."""
    labelled = [(place["document"], page) for place in shown["places"] for page in place["pages"]]
    cited = [(one["document"], one["page"]) for one in (shown["answer"] or {}).get("citations", ()) if one["page"]]
    return list(dict.fromkeys(labelled))[:2] or list(dict.fromkeys(cited))[:1]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "。")) else ".")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
