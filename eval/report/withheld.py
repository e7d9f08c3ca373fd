"""A report's figures without what was read, asked and answered: to pass on where the documents may not go.

What stays is what was measured: figures, classes of failure, ranks at each stage, ids of questions, settings. What goes is whatever
quotes or names: questions, answers, passages, names of documents, folders and addresses, and the sentences made of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eval.report.failing import explain

LEFT_OUT = "Questions, answers, passages and names of documents are left out of this report."

_PLACE = re.compile(r"^(?:[A-Za-z]:)?[/\\~].*[/\\]|^\w+://\S+")
"""The way to a file, and an address."""


def withhold(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """`report.figures` as it is, with `"texts": false`; questions are known by their ids."""
    run, failures = numbers["run"], numbers["failures"]
    found = dict(numbers) | {
        "texts": False,
        "run": run | {"folder": _last(run["folder"]), "server": "a server" if run["server"] else None},
        "failures": failures | {"list": [_case(one) for one in failures["list"]], "doubts": [_doubt(one) for one in failures["doubts"]]},
        "settings": {name: _short(value) for name, value in numbers["settings"].items()},
        "settings_changed": _changes(numbers["settings_changed"]),
        "warnings": _counted(numbers["warnings"]),
        "missing": [*numbers["missing"], LEFT_OUT],
    }  # fmt: skip
    if compared := numbers.get("comparison"):
        found["comparison"] = _comparison(compared)
    if swept := numbers.get("sweep"):
        cells = [one | {"run": _last(one["run"]), "error": one["error"] and "failed"} for one in swept["cells"]]
        found["sweep"] = swept | {"cells": cells, "path": _last(swept["path"]), "warnings": _counted(swept["warnings"])}
    return found


def _case(case: Mapping[str, Any]) -> dict[str, Any]:
    return dict(case) | {
        "question": "",
        "why": explain(case["class"])["meaning"],
        "expected": [],
        "places": [],
        "gold": [],
        "stages": [stage | {"top": [], "as": ""} for stage in case["stages"]],
        "answer": None,
    }


def _doubt(doubt: Mapping[str, Any]) -> dict[str, Any]:
    return dict(doubt) | {"question": "", "why": ""}


def _comparison(compared: Mapping[str, Any]) -> dict[str, Any]:
    changed = compared["changed"]
    return dict(compared) | {
        "a": _side(compared["a"]),
        "b": _side(compared["b"]),
        "settings": _changes(compared["settings"]),
        "warnings": _counted(compared["warnings"]),
        "changed": changed | {side: [_changed(row) for row in changed[side]] for side in ("better", "worse")},
    }


def _side(side: Mapping[str, Any]) -> dict[str, Any]:
    return {"run": _last(side["run"]), "dataset": side["dataset"], "finished": side["finished"], "lost": side["lost"]}


def _changed(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"question": "", "first": ["", ""]}


def _changes(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(row) | {"before": _short(row["before"]), "after": _short(row["after"])} for row in rows]


def _counted(warnings: Sequence[str]) -> list[str]:
    """They name files, questions and documents."""
    if not warnings:
        return []
    return [f"{len(warnings)} {'warning is' if len(warnings) == 1 else 'warnings are'} left out with the texts."]


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _PLACE.sub("…/", value)
    return [_short(one) for one in value] if isinstance(value, list) else value


def _last(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
