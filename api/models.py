"""The `models` commands: what the manifest knows, what is here, what the settings need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from api import terminal, wiring
from api.settings import Settings
from api.wiring import LABEL_MODEL
from rag import weights
from rag.errors import BadRequest, SetupError


def needed(settings: Settings) -> list[str]:
    """Models of the manifest that these settings use."""
    names = []
    if settings.encoder.kind == "onnx":
        names.append(settings.encoder.model)
    if settings.pictures.describer == "bundled" and settings.pictures.labels:
        names.append(LABEL_MODEL)
    if settings.generator.kind == "llamacpp":
        names.append(settings.generator.model)
    return names


def described(settings: Settings) -> dict[str, str]:
    """What each part of the engine is, in words, without loading anything."""
    chosen = settings.pictures
    parts = [name for name, on in (("object labels", chosen.labels), ("text recognition (OCR)", chosen.ocr)) if on]
    parts = parts if chosen.describer == "bundled" else []
    seen = " and ".join([*parts, *([settings.vision.model] if settings.vision.model else [])]) or "nothing"
    clip = (
        f"open_clip {chosen.image_model}" if chosen.image_encoder == "open_clip" else "none (no CLIP model is active)"
    )
    return {
        "text encoder": f"{settings.encoder.kind} {settings.encoder.model}",
        "image encoder": clip,
        "pictures are described by": f"{seen}, captions and nearby text",
        "reranker": f"{settings.retrieval.reranker} {settings.retrieval.reranker_model}".strip(),
        "generator": f"{settings.generator.kind} {settings.generator.model}".strip()
        if settings.generator.kind != "extractive"
        else "extractive (best sentences, no model)",
    }


def show(settings: Settings, as_json: bool) -> None:
    wanted = needed(settings)
    rows: list[dict[str, Any]] = [
        {
            "name": status.model.name,
            "task": status.model.task,
            "state": status.state,
            "used": status.model.name in wanted,
            "size": status.model.size,
            "licence": status.model.licence,
            "path": str(status.path),
        }
        for status in weights.models_status(settings.models.dir)
    ]
    active = described(settings)
    if as_json:
        print(json.dumps({"profile": settings.profile, "active": active, "models": rows}, ensure_ascii=False))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False)
    for column in ("model", "task", "state", "used", "size", "licence"):
        table.add_column(column)
    for row in rows:
        used = "yes" if row["used"] else ""
        table.add_row(row["name"], row["task"], row["state"], used, f"{row['size'] / 1e6:,.0f} MB", row["licence"])
    terminal.out.print(table)
    terminal.out.print(f"\nProfile {settings.profile}; weights in {settings.models.dir}")
    for part, what in active.items():
        terminal.out.print(f"  {part}: {what}", markup=False)


def pull(settings: Settings, names: list[str], as_json: bool) -> None:
    """Raises ModelMissing when no source has a model."""
    done = []
    for name in names or needed(settings):
        with terminal.downloading() as progress:
            task = progress.add_task(name, total=None)

            def report(step: weights.Progress, bar: Any = progress, task: Any = task) -> None:
                bar.update(task, completed=step.done, total=step.total, description=f"{step.model} ({step.note})")

            path = weights.pull(
                name, settings.models.dir, report, hub=settings.models.hub, mirror=settings.models.mirror
            )
        done.append({"name": name, "path": str(path)})
        if not as_json:
            terminal.out.print(f"{name}: ready", markup=False)
    if as_json:
        print(json.dumps({"models": done}, ensure_ascii=False))  # noqa: T201


def verify(settings: Settings, names: list[str], as_json: bool) -> None:
    """Raises SetupError when a model is not what the manifest names."""
    here = [s.model.name for s in weights.models_status(settings.models.dir) if s.state != "missing"]
    unknown = set(names) - {s.model.name for s in weights.models_status(settings.models.dir)}
    if unknown:
        raise BadRequest(f"There is no model {sorted(unknown)[0]!r}.", "`tuwen models list` shows those there are.")
    results: dict[str, str] = {}
    for name in names or here:
        try:
            weights.verify(name, settings.models.dir)
            results[name] = "right"
        except SetupError as error:
            results[name] = str(error)
        if not as_json:
            terminal.out.print(f"{name}: {results[name]}", markup=False)
    if as_json:
        print(json.dumps({"models": results}, ensure_ascii=False))  # noqa: T201
    if any(result != "right" for result in results.values()):
        raise SetupError("Not every model is what the manifest names.", "Fetch it again with `tuwen models pull NAME`.")


def convert(source: Path, target: Path, as_json: bool) -> None:
    """Raises SetupError where the source is no CLIP, or the extra `clip` is missing."""
    made = wiring.convert_clip(source, target)
    setting = f"local-dir:{made}"
    if as_json:
        print(json.dumps({"path": str(made), "image_model": setting}, ensure_ascii=False))  # noqa: T201
        return
    terminal.out.print(f"{made}: ready", markup=False)
    terminal.out.print(
        f"Set `TUWEN_PICTURES__IMAGE_ENCODER=open_clip` and `TUWEN_PICTURES__IMAGE_MODEL={setting}` to search pictures with it.",
        markup=False,
    )
