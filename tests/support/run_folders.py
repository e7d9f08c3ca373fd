"""Run and sweep folders written by hand, as the bench writes them, for what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A question that went well: its document first, its answer right."""
    text = f"Question {number}?"
    found: dict[str, Any] = {
        "id": f"q{number}",
        "question": text,
        "kind": "text" if number % 2 else "table",
        "language": "en",
        "answerable": True,
        "ms": 10.0 + number,
        "at_once": 1,
        "timings": {"encode": 6.0, "recall": 3.0, "total": 9.5},
        "evidence": 0.8,
        "documents": [[f"d{number}.pdf", 0.9], ["other.pdf", 0.5]],
        "documents_judged": {f"d{number}.pdf": 1},
        "hits": [{"document": f"d{number}.pdf", "pages": [2], "chunk_id": f"c{number}"}],
        "metrics": {"ndcg@10": 1.0, "recall@5": 1.0, "source_hit@5": 1.0, "answer_recall": 1.0},
        "answer": {
            "text": "It is so [1].",
            "abstained": False,
            "citations": [[f"d{number}.pdf", 2]],
            "verified": 1,
            "timings": {"search": 10.0, "generate": 30.0},
            "evidence": 0.8,
            "ms": 45.0,
            "generator": "extractive",
            "cited": [
                {
                    "marker": 1,
                    "document": f"d{number}.pdf",
                    "page": 2,
                    "quote": "It is so",
                    "verified": True,
                    "boxes": [[2, 72, 100, 300, 120]],
                }
            ],
        },
        "stages": {"fuse": {"size": 2, "gold": 1}, "hits": {"size": 2, "gold": 1}},
        "facts": {"state": "found"},
    }
    return found | changes


def lost(number: int, name: str = "not recalled", **changes: Any) -> dict[str, Any]:
    """A question that a stage lost, with what each stage saw."""
    wrong = {"document": "other.pdf", "pages": [1], "text": "Nothing about it.", "gold": False}
    right = {"document": f"d{number}.pdf", "pages": [2], "text": "It is so.", "gold": True}
    evidence = {
        "gold": [right],
        "stages": {
            "dense": {"size": 9, "gold": None, "top": [wrong]},
            "fuse": {"size": 9, "gold": None, "top": [wrong]},
            "hits": {"size": 9, "gold": None, "top": [wrong]},
        },
        "answer": {"expected": ["so"], "text": "It is not so.", "abstained": False, "citations": []},
    }
    told = {
        "class": name,
        "stage": "recall",
        "step": "dense",
        "why": "no retriever found it",
        "missed_by": ["dense"],
        "evidence": evidence,
    }
    metrics = {"ndcg@10": 0.0, "recall@5": 0.0, "source_hit@5": 0.0, "answer_recall": 0.0}
    return record(number, lost=told, metrics=metrics, evidence=0.2) | changes


def unanswerable(number: int, *, abstained: bool, evidence: float = 0.1) -> dict[str, Any]:
    answer = record(number)["answer"] | {"abstained": abstained, "evidence": evidence, "citations": [], "cited": []}
    value = {"answer_recall": float(abstained)}
    changes: dict[str, Any] = {"answerable": False, "kind": "unanswerable", "documents_judged": {}, "metrics": value}
    if not abstained:
        changes["lost"] = lost(number, "wrongly answered")["lost"] | {"step": "abstain", "missed_by": []}
    return record(number, **changes, answer=answer, evidence=evidence)


def write_run(folder: Path, records: Sequence[Mapping[str, Any]], **head: Any) -> Path:
    """`head` changes run.json; a finished run has metrics there."""
    folder.mkdir(parents=True)
    settings = {"profile": "embedded", "retrieval": {"rrf_k": 60.0, "retrievers": ["dense", "lexical"]}}
    body: dict[str, Any] = {
        "fingerprint": "f",
        "dataset": "set",
        "config": {
            "system": {"settings": settings, "index": "0123456789abcdef"},
            "questions": len(records),
            "labels": "l",
            "depth": 100,
            "code": {"version": "0.1.0", "commit": "abc", "changed": True},
        },
        "index": {"documents": 3, "chunks": 9, "unchanged": 0, "seconds": 1.0, "failed": 0, "failures": []},
        "warnings": [],
        "started": 1_795_323_654.9,
        "ended": 1_795_323_700.9,
        "metrics": {},
    }
    (folder / "run.json").write_text(json.dumps(body | head, ensure_ascii=False), encoding="utf-8")
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    (folder / "questions.jsonl").write_text(lines, encoding="utf-8")
    return folder


def write_sweep(folder: Path, cells: Sequence[Mapping[str, Any]], **changes: Any) -> Path:
    """Cells are `{"settings": {…}, "value": mean, …}`; the first is the baseline, the highest the best."""
    folder.mkdir(parents=True)
    best = max(range(len(cells)), key=lambda place: cells[place].get("value") or 0)
    axes: dict[str, list[Any]] = {}
    for cell in cells:
        for name, value in cell["settings"].items():
            axes.setdefault(name, [])
            axes[name] += [] if value in axes[name] else [value]
    body = {
        "dataset": "set",
        "metric": "ndcg@10",
        "finished": True,
        "axes": axes,
        "split": None,
        "cells": [_cell(cell) for cell in cells],
        "baseline": 0,
        "best": best,
        "confirmed": None,
        "warnings": [],
    }
    (folder / "sweep.json").write_text(json.dumps(body | changes, ensure_ascii=False), encoding="utf-8")
    return folder


def _cell(given: Mapping[str, Any]) -> dict[str, Any]:
    value = given.get("value")
    metrics = {} if value is None else {"ndcg@10": value}
    part = None if value is None else {"questions": 9, "metrics": metrics, "interval": [value - 0.1, value + 0.1]}
    whole = {"run": "", "questions": 9, "metrics": metrics, "train": part, "test": None, "difference": None}
    rest = {name: one for name, one in given.items() if name != "value"}
    return whole | {"interval": None, "index_seconds": 1.0, "seconds": 2.0} | rest
