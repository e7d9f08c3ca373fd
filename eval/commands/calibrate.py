"""`tuwen eval calibrate`: what a run teaches about when to abstain, whether to rerank, and which hits are noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from eval.commands.calibrate_noise import fit_noise, show_noise, write_noise
from eval.commands.options import Data, Json

CONFIDENCE = 0.95


def calibrate_run(
    run: Annotated[Path, typer.Argument(help="Folder of a run (--out), best with TUWEN_ANSWER__ABSTAIN=false.")],
    risk: Annotated[
        float | None,
        typer.Option(help="Largest share of wrong among the answered questions, say 0.1.", show_default=False),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(help="Least share of the questions to answer, instead of a risk.", show_default=False),
    ] = None,
    confidence: Annotated[float, typer.Option(help="How sure the risk has to be.")] = CONFIDENCE,
    measure: Annotated[
        str,
        typer.Option(help="What says that an answer is right (default: the verdict of the run).", show_default=False),
    ] = "",
    right_from: Annotated[float, typer.Option(help="Value of the measure from which an answer is right.")] = 0.5,
    rerank: Annotated[
        Path | None,
        typer.Option(help="A run of the same questions with a reranker: say whether to use it.", show_default=False),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            help="Fit the score below which hits are left out, for this largest share of relevant ones, say 0.02.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split into a train and a test side.")] = 0,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write what was found into the data directory's tuwen.toml."),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fit the evidence below which Tuwen abstains, for a risk or a coverage; or the score below which hits are noise; or decide by
    measurement whether to rerank."""
    from rag.errors import BadRequest

    with terminal.errors(as_json):
        if (rerank is not None or noise is not None) and (risk is not None or coverage is not None):
            only = "--rerank decides about the reranker only." if rerank is not None else "--noise fits a score only."
            raise BadRequest(only, "Leave --risk and --coverage out.")
        if noise is not None:
            if rerank is not None:
                raise BadRequest("--noise fits a score of one run.", "Leave --rerank out.")
            found = fit_noise(run, noise, round(1 - confidence, 9), seed)
            if write:
                found["written"] = str(write_noise(found, data))
        elif rerank is not None:
            found = _gate(run, rerank, measure, round(1 - confidence, 9), seed)
            if write:
                found["written"] = str(_write_gate(found, data))
        else:
            found = _threshold(run, risk, coverage, round(1 - confidence, 9), measure, right_from, seed)
            if write:
                found["written"] = str(_write(found, data))
        if as_json:
            terminal.print_json(found)
        elif noise is not None:
            show_noise(found)
        elif rerank is not None:
            _show_gate(found)
        else:
            _show_threshold(found)


def _threshold(
    run: Path, risk: float | None, coverage: float | None, delta: float, measure: str, right_from: float, seed: int
) -> dict[str, Any]:
    from eval.calibration.fit import Target, calibrate
    from eval.records import RunFolder

    target = Target(risk=risk, coverage=coverage, delta=delta, measure=measure, right_from=right_from, seed=seed)
    folder = RunFolder(run)
    folder.read()
    system = folder.head.get("config", {}).get("system", {})
    below = system.get("settings", {}).get("answer", {}).get("abstain_below")
    return {"run": str(run), "dataset": folder.head.get("dataset")} | calibrate(
        list(folder.done.values()), target, below
    )


def _gate(run: Path, rerank: Path, measure: str, alpha: float, seed: int) -> dict[str, Any]:
    from eval.calibration.by_language import language_gates
    from eval.calibration.gate import rerank_gate
    from eval.records import RunFolder

    coarse, reranked = RunFolder(run), RunFolder(rerank)
    for folder in (coarse, reranked):
        folder.read()
    before, after = list(coarse.done.values()), list(reranked.done.values())
    measure = measure or "ndcg@10"
    settings = reranked.head.get("config", {}).get("system", {}).get("settings", {}).get("retrieval", {})
    return rerank_gate(before, after, measure=measure, alpha=alpha, seed=seed) | {
        "languages": language_gates(after, measure=measure, alpha=alpha, seed=seed),
        "reranker": f"{settings.get('reranker', '')} {settings.get('reranker_model', '')}".strip(),
    }


def _write_gate(found: dict[str, Any], data: Path | None) -> Path:
    """What was decided for each language, beside what holds for the others; for all together, where the run does not tell them apart."""
    from eval.runner import default_settings
    from eval.settings_file import read_setting, write_setting

    folder = data or Path(".tuwen")
    measured = {
        language: {"weight": gate["weight"], "depth": gate["depth"], "reranker": found["reranker"]}
        for language, gate in found["languages"].items()
        if gate["decision"] != "unknown"
    }
    if measured:
        usual = default_settings("embedded")["retrieval"]["rerank_by_language"]
        gates = read_setting(folder, "retrieval", "rerank_by_language", usual) | measured
        return write_setting(folder, "retrieval", "rerank_by_language", gates)
    return write_setting(folder, "retrieval", "rerank_gate", found["decision"])


def _write(found: dict[str, Any], data: Path | None) -> Path:
    from eval.settings_file import write_setting
    from rag.errors import BadRequest

    if found["threshold"] is None:
        raise BadRequest("There is no threshold to write.", found["notes"][0])
    folder = data or Path(".tuwen")
    if found["self_check"] is not None:
        write_setting(folder, "answer", "self_check", True)
        weights = {language: row["weights"] for language, row in found["self_check"].items()}
        write_setting(folder, "answer", "self_check_weights", weights)
    return write_setting(folder, "answer", "abstain_below", found["threshold"])


def _show_threshold(found: dict[str, Any]) -> None:
    say = terminal.out.print
    target = found["target"]
    asked = f"risk ≤ {target['risk']:g}" if target["risk"] is not None else f"coverage ≥ {target['coverage']:g}"
    rule = (
        "by the verdict of the run"
        if found["measure"] == "right"
        else f"when {found['measure']} ≥ {target['right_from']:g}"
    )
    say(f"{asked}; an answer is right {rule}", markup=False)
    if found["threshold"] is None:
        say("no threshold", style="bold")
    else:
        say(f"answer.abstain_below = {found['threshold']:g}", style="bold")
        sure = 1 - target["delta"]
        say(f"on further questions like these the risk is at most {found['bound']:.3f}, with confidence {sure:g}")
    say("")
    say(f"{'':>14}{'questions':>11}{'answered':>10}{'coverage':>10}{'wrong':>7}{'risk':>7}   95 % of the risk")
    fitted = found["threshold"] is not None
    rows = [("train", found["train"]), ("test", found["test"])] if fitted else []
    rows += [
        (f"test, {language}", side) for language, side in found["languages"].items() if len(found["languages"]) > 1
    ]
    for name, side in [*rows, ("test, as it is", found["now"])]:
        risk = "–" if side["risk"] is None else f"{side['risk']:.3f}"
        low, high = side["risk_interval"]
        say(
            f"{name:>14}{side['questions']:>11}{side['answered']:>10}{side['coverage']:>10.3f}{side['wrong']:>7}{risk:>7}"
            f"   {low:.3f} … {high:.3f}",
            markup=False,
        )
    say("")
    refused, now = found["test"], found["now"]
    if fitted:
        say(
            f"unanswerable questions refused: {refused['unanswerable_refused']} of {refused['unanswerable']} (as it is: "
            f"{now['unanswerable_refused']}); right answers withheld: {refused['right_refused']} (as it is: {now['right_refused']})",
            markup=False,
        )
    evidence = {name: "–" if value is None else f"{value:.3f}" for name, value in found["evidence"].items()}
    say(
        f"evidence: AUROC answerable {evidence['auroc_answerable']}, right {evidence['auroc_right']}; "
        f"AURC {evidence['aurc']} (excess {evidence['e_aurc']}, risk of answering everything {evidence['risk_of_all']})",
        markup=False,
    )
    for language, checked in (found["self_check"] or {}).items():
        weights = ", ".join(f"{weight:g}" for weight in checked["weights"])
        say(f"answer.self_check_weights.{language} = [{weights}]", style="bold", markup=False)
        for name, label in (("auroc_answerable", "answerable"), ("auroc_right", "right")):
            shown = ", ".join(f"{key} {'–' if v is None else f'{v:.3f}'}" for key, v in checked[name].items())
            say(
                f"self-check: AUROC {label} by {shown} ({checked['questions']} questions of the test side)",
                markup=False,
            )
    for name in ("raw", "platt", "isotonic"):
        if errors := found["probability"].get(name, {}).get("test"):
            label = {"raw": "as it is", "platt": "by Platt's line", "isotonic": "by isotonic steps"}[name]
            say(f"as a probability of being right, {label}: ECE {errors['ece']:.3f}, Brier {errors['brier']:.3f}")
    for note in found["notes"]:
        terminal.err.print(f"[yellow]{note}[/]")
    if "written" in found:
        terminal.err.print(f"[dim]written to {found['written']}[/]")


def _show_gate(found: dict[str, Any]) -> None:
    say = terminal.out.print
    say({"rerank": "rerank", "leave": "leave the order as it is"}[found["decision"]], style="bold")
    say(found["reason"])
    for side in ("train", "test"):
        row = found[side]
        low, high = row["interval"]
        say(
            f"{side:>7}  {row['questions']} questions, {found['measure']} {row['coarse']:.4f} → {row['reranked']:.4f} "
            f"({row['difference']:+.4f}, 95 % {low:+.4f} … {high:+.4f}, p {row['p']:.3f})",
            markup=False,
        )
    before, after = found["latency_ms"]["coarse"], found["latency_ms"]["reranked"]
    say(f"latency  p50 {before['p50']:.1f} → {after['p50']:.1f} ms, p95 {before['p95']:.1f} → {after['p95']:.1f} ms")
    for language, gate in found["languages"].items():
        say("")
        _show_language(language, gate)
    if "written" in found:
        terminal.err.print(f"[dim]written to {found['written']}[/]")


def _show_language(language: str, gate: dict[str, Any]) -> None:
    say = terminal.out.print
    if gate["decision"] == "unknown":
        say(f"{language}: {gate['reason']} The general setting stays.", markup=False)
        return
    let = f"weight {gate['weight']:g}, the first {gate['depth']}" if gate["weight"] else "the coarse order stays"
    say(f"{language}: {let}. {gate['reason']}", style="bold", markup=False)
    low, high = gate["interval"]
    say(
        f"   held out  {gate['questions']} questions, {gate['coarse']:.4f} → {gate['reranked']:.4f} ({gate['difference']:+.4f}, "
        f"95 % {low:+.4f} … {high:+.4f}, p {gate['p']:.3f}); everything by the reranker alone: {gate['whole']:+.4f}",
        markup=False,
    )
