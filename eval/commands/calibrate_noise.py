"""The part of `tuwen eval calibrate` that fits `retrieval.least_score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api import terminal


def fit_noise(run: Path, loss: float, delta: float, seed: int) -> dict[str, Any]:
    from eval.calibration.noise import noise_threshold
    from eval.records import RunFolder

    folder = RunFolder(run)
    folder.read()
    found = noise_threshold(list(folder.done.values()), loss=loss, delta=delta, seed=seed)
    return {"run": str(run), "dataset": folder.head.get("dataset")} | found


def write_noise(found: dict[str, Any], data: Path | None) -> Path:
    from eval.settings_file import write_setting
    from rag.errors import BadRequest

    if found["threshold"] is None:
        raise BadRequest("There is no score to write.", found["notes"][-1])
    return write_setting(data or Path(".tuwen"), "retrieval", "least_score", found["threshold"])


def show_noise(found: dict[str, Any]) -> None:
    say = terminal.out.print
    if found["threshold"] is None:
        say("no least score", style="bold")
    else:
        say(f"retrieval.least_score = {found['threshold']:g}", style="bold")
        say(
            f"of further relevant hits at most {found['bound']:.3f} are left out, with confidence {1 - found['delta']:g}"
        )
    for name in ("train", "test"):
        side = found[name]
        kept, out = side["relevant_kept"], side["noise_left_out"]
        low, high = side["kept_interval"]
        say(
            f"{name:>7}  {side['questions']} questions, first {found['depth']} hits: relevant kept {_share(kept)} of {side['relevant']} "
            f"(95 % {low:.3f} … {high:.3f}), others left out {_share(out)} of {side['noise']}, questions without a hit {side['emptied']}",
            markup=False,
        )
    for note in found["notes"]:
        terminal.err.print(f"[yellow]{note}[/]")
    if "written" in found:
        terminal.err.print(f"[dim]written to {found['written']}[/]")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
