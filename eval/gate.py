"""A gate for CI: does a run fall behind another by more than is tolerated?

`METRIC:DELTA` tolerates a fall by DELTA. A fall on one set of questions may be chance, so two kinds of gate are told apart:

- *sure of the fall* (the default): fails when the measure fell by more than DELTA **and** the whole 95 % interval of the difference
  (paired bootstrap) lies below 0. A fall by more than DELTA that could be chance passes, and is called inconclusive.
- *sure of no fall* (`strict`): fails unless the interval's lower end is at or above −DELTA, so that a fall by more than DELTA is excluded: a test of
  non-inferiority with DELTA as its margin (Walker and Nowacki, J Gen Intern Med 2011). It needs enough questions: half the
  interval's width is the least DELTA that identical quality can pass.

An unfinished run passes no gate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rag.errors import BadRequest

Verdict = Literal["passed", "inconclusive", "failed"]


@dataclass(frozen=True, slots=True)
class Limit:
    measure: str
    delta: float


@dataclass(frozen=True, slots=True)
class Judged:
    verdict: Verdict
    line: str


def parse(given: str, main: str) -> Limit:
    """`ndcg@10:0.01`, or `0.01` for the main measure. Raises BadRequest."""
    name, _, number = given.rpartition(":")
    try:
        delta = float(number)
    except ValueError:
        delta = -1.0
    if not 0 <= delta < float("inf"):
        raise BadRequest(
            f"--fail-below {given!r} names no tolerated fall.",
            "Write METRIC:DELTA or DELTA, with a DELTA of 0 or more: ndcg@10:0.01.",
        )
    return Limit(name or main, delta)


def judge(comparison: Mapping[str, Any], limits: Sequence[Limit], *, strict: bool = False) -> list[Judged]:
    """One verdict per limit. Raises BadRequest for a measure that the runs do not both have."""
    unfinished = [side["run"] for side in (comparison["a"], comparison["b"]) if not side["finished"]]
    if unfinished:
        return [Judged("failed", f"FAILED: {unfinished[0]} is not finished; finish the run, then compare.")]
    return [_judge(_row(comparison, limit.measure), limit, strict) for limit in limits]


def _row(comparison: Mapping[str, Any], measure: str) -> Mapping[str, Any]:
    rows: Mapping[str, Mapping[str, Any]] = comparison["metrics"]
    if measure not in rows:
        raise BadRequest(f"The runs do not both have {measure!r}.", f"They have {', '.join(rows)}.")
    return rows[measure]


def _judge(row: Mapping[str, Any], limit: Limit, strict: bool) -> Judged:
    low, high = row["interval"]
    fell = -row["difference"]
    figures = (
        f"{limit.measure} {row['a']:.4f} → {row['b']:.4f} ({row['difference']:+.4f}, 95 % {low:+.4f} … {high:+.4f}, "
        f"{row['questions']} questions; tolerated −{limit.delta:g})"
    )
    if strict:
        if low >= -limit.delta:
            return Judged("passed", f"PASSED: a fall by more than {limit.delta:g} is excluded: {figures}")
        return Judged("failed", f"FAILED: a fall by more than {limit.delta:g} is not excluded: {figures}")
    if fell <= limit.delta:
        return Judged("passed", f"PASSED: {figures}")
    if high < 0:
        return Judged(
            "failed", f"FAILED: it fell by more than {limit.delta:g}, and that is more than chance: {figures}"
        )
    return Judged("inconclusive", f"INCONCLUSIVE: it fell by more than {limit.delta:g}, which may be chance: {figures}")
