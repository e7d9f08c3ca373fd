"""Candidates as lines of questions.jsonl: what eval.datasets reads, what a reviewer needs, and where each came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.generate.candidate import Candidate
from rag.errors import BadRequest


def record(candidate: Candidate, *, collection: str, seed: int) -> dict[str, Any]:
    """One line. `source` is null for a near miss: no document answers it; `provenance.source` tells what it was made from.
    The passage goes along, so that a set can be reviewed where the documents are not."""
    passage = candidate.passage
    provenance: dict[str, Any] = {
        "written_by": candidate.written_by,
        "collection": collection,
        "seed": seed,
        "source": passage.document,
        "page": passage.page,
        "chunk_id": passage.id,
        "span": list(candidate.span),
        "boxes": [list(box) for box in passage.boxes],
        "difficulty": dict(candidate.difficulty),
        "passage": passage.text,
    }
    if candidate.altered:
        provenance["altered"] = dict(candidate.altered)
    answerable = candidate.answerable
    line: dict[str, Any] = {
        "id": candidate.id,
        "question": candidate.question,
        "answer": candidate.answer if answerable else None,
        "source": passage.document if answerable else None,
        "page": passage.page if answerable else None,
        "kind": candidate.kind,
        "language": passage.language,
        "state": "proposed",
    }
    line |= {"quote": candidate.quote} if answerable else {"unanswerable": True}
    return line | {"provenance": provenance}


def write_set(folder: Path, name: str, lines: Sequence[dict[str, Any]], corpus: Path | None) -> Path:
    """`questions.jsonl` and its `dataset.toml`, which leaves rejected questions out of every measurement. Raises BadRequest when
    there is a set already: it may have been reviewed."""
    path = folder / "questions.jsonl"
    if path.exists():
        raise BadRequest(f"{path} is there already, perhaps reviewed.", "Name another folder with --out, or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    described = [f"name = {json.dumps(name, ensure_ascii=False)}", 'format = "questions"']
    if corpus is not None:
        described.append(f"corpus = {json.dumps(str(corpus), ensure_ascii=False)}")
    described += ["", "[only]", 'state = ["proposed", "accepted", "edited"]', ""]
    (folder / "dataset.toml").write_text("\n".join(described), encoding="utf-8")
    return path


def free_name(sets: Path, collection: str) -> str:
    """`COLLECTION`, or with a number behind it where that is taken."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in collection).strip(".-") or "set"
    names = (plain if number == 1 else f"{plain}-{number}" for number in range(1, 10_000))
    return next(name for name in names if not (sets / name).exists())
