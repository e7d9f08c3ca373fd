"""A report from run folders: all figures as plain values, and from them the page and the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.report import told
from eval.report.configured import differing, flat
from eval.report.differing import comparison
from eval.report.failing import failures
from eval.report.figures import FEW, grouped, metrics, recall_by_depth, times, with_totals
from eval.report.knowing import knowing
from eval.report.names import primary
from eval.report.reading import Run, listed, number, read_run
from eval.report.sweeping import read_sweep, run_of
from eval.report.withheld import withhold
from rag.errors import BadRequest

FORMAT = 1
"""Goes up when a field of the JSON changes its meaning or goes away."""


def figures(
    run: Path | None,
    *,
    against: Path | None = None,
    sweep: Path | None = None,
    measure: str = "",
    defaults: Callable[[str], Mapping[str, Any]] = lambda _: {},
    texts: bool = True,
) -> dict[str, Any]:
    """Everything that the report says, as JSON.

    Of a sweep alone, the run is that of its best cell, compared with the baseline. `measure` leads the report (by default that of the
    sweep, else nDCG@10 or what the run has). Without `texts`, nothing of the documents and the questions is in it. `defaults` tells the settings of a profile where nobody has
    set anything. Raises BadRequest.
    """
    swept = read_sweep(sweep) if sweep else None
    if swept and run is None:
        run = run_of(swept, "best")
        against = against or (run_of(swept, "baseline") if swept["baseline"] != swept["best"] else None)
    if run is None:
        if swept is None:
            raise BadRequest("There is no run to report.", "Name the folder of a run, or of a sweep with --sweep.")
        raise BadRequest(f"The runs of {sweep} are not there any more.", "Name the folder of a run as well.")
    asked = read_run(run)
    if swept and not measure and any(swept["metric"] in one.metrics for one in asked.questions):
        measure = swept["metric"]
    found = of_run(asked, measure, defaults)
    if against is not None:
        found["comparison"] = comparison(asked, read_run(against), found["measure"])
    if swept is not None:
        found["sweep"] = swept
    return found if texts else withhold(found)


def of_run(run: Run, measure: str, defaults: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    measured = with_totals(metrics(run.questions), run.head.get("metrics") or {}, len(run.questions))
    if measure and measure not in measured:
        raise BadRequest(f"The run has no measure {measure!r}.", f"It has {', '.join(measured)}.")
    leading = measure or primary(measured)
    found = {
        "report": FORMAT,
        "texts": True,
        "dataset": run.dataset,
        "run": _described(run),
        "measure": leading,
        "questions": _counted(run),
        "metrics": measured,
        "by_kind": grouped(run.questions, lambda question: question.kind),
        "by_language": grouped(run.questions, lambda question: question.language),
        "spread": [question.metrics[leading] for question in run.questions if leading in question.metrics],
        "recall": recall_by_depth(run.questions, measured),
        "knowing": knowing(run.questions),
        "times": times(run),
        "failures": failures(run),
        "settings": flat(run.settings),
        "settings_changed": _set(run, defaults),
        "warnings": _warnings(run),
        "missing": list(run.missing),
    }
    return found | {"abstract": told.abstract(found)}


def _set(run: Run, defaults: Callable[[str], Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Settings that came into being after the run are none that somebody has set."""
    there = flat(run.settings)
    changed = differing(defaults(str(run.settings.get("profile") or "embedded")), run.settings)
    return [row for row in changed if row["setting"] in there]


def _described(run: Run) -> dict[str, Any]:
    index = run.head.get("index") or {}
    started, ended = number(run.head.get("started")), number(run.head.get("ended"))
    return {
        "folder": str(run.path),
        "started": _moment(started),
        "seconds": round(ended - started, 1) if started and ended else None,
        "code": _code(run.config.get("code") or run.system.get("code")),
        "machine": run.head.get("environment") or {},
        "usage": run.head.get("usage") or {},
        "generator": next(
            (str(q.answer["generator"]) for q in run.answered if q.answer and q.answer.get("generator")), None
        ),
        "server": run.system.get("server"),
        "labels": run.config.get("labels"),
        "index": run.system.get("index"),
        "documents": index.get("documents"),
        "chunks": index.get("chunks"),
        "index_seconds": index.get("seconds"),
        "unchanged": index.get("unchanged"),
        "depth": run.config.get("depth"),
    }


def _code(given: Any) -> str | None:
    """`0.1.0`, with the commit where the run tells it, and `+` where files differed from that."""
    if isinstance(given, Mapping):
        commit = f" ({given['commit']}{'+' if given.get('changed') else ''})" if given.get("commit") else ""
        return f"{given.get('version', '')}{commit}"
    return str(given) if given else None


def _moment(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds else None


def _counted(run: Run) -> dict[str, int]:
    answerable = [question for question in run.questions if question.answerable]
    declined = [question for question in run.questions if question.abstained]
    return {
        "all": len(run.questions),
        "answerable": len(answerable),
        "unanswerable": len(run.questions) - len(answerable),
        "answered": len(run.answered),
        "declined_answerable": sum(question.answerable for question in declined),
        "declined_unanswerable": sum(not question.answerable for question in declined),
    }


def _warnings(run: Run) -> list[str]:
    found = [str(warning) for warning in listed(run.head.get("warnings"))]
    index = run.head.get("index") or {}
    unread = listed(index.get("failures"))
    found += [f"{failure.get('name')} could not be read: {failure.get('reason')}" for failure in unread]
    told_of = len(unread)
    if (failed := number(index.get("failed")) or 0) > told_of:
        found.append(f"{failed - told_of:.0f} more documents could not be read.")
    together = sum(not question.alone for question in run.questions)
    if together == len(run.questions):
        found.append("Questions were asked several at once: the times below are of a busy system, not latencies.")
    if len(run.questions) < FEW:
        found.append(f"With {len(run.questions)} questions, no interval below is to be believed: they are too narrow.")
    return found
