"""Evidence of answerable and unanswerable questions, risk and coverage, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.report.plots.axes import counted, percent, share_axis
from eval.report.plots.svg import INKS, Plot, drawing, finish

BINS = 20


def evidence(answerable: Sequence[float], unanswerable: Sequence[float], auroc: float | None) -> Plot:
    """Both distributions above each other, on one axis; each as shares of its own questions."""
    sides = [("answerable", answerable, "c1"), ("unanswerable", unanswerable, "c2")]
    with drawing(height=2.9) as figure:
        first = None
        for place, (name, scores, ink) in enumerate(sides, 1):
            axes = figure.add_subplot(2, 1, place, sharex=first)
            first = first or axes
            counts, edges = np.histogram(np.clip(scores, 0, 1), bins=BINS, range=(0, 1))
            axes.bar(edges[:-1], counts, width=0.9 / BINS, align="edge", color=INKS[ink])
            axes.set_title(f"{name} ({len(scores)})", loc="left", color=INKS[ink])
            counted(axes, 3)
            share_axis(axes, "x")
            if place == 1:
                axes.tick_params(labelbottom=False)
        axes.set_xlabel("evidence")
        figure.supylabel("questions", fontsize=8.5)
        svg = finish(figure, "evidence")
    medians = [
        f"median {np.median(scores):.2f} for the {len(scores)} {name}" for name, scores, _ in sides if len(scores)
    ]
    order = f"; AUROC {auroc:.3f}" if auroc is not None else ""
    return Plot(
        "evidence",
        svg,
        f"Evidence of answerable and unanswerable questions{order}.",
        f"Evidence has {', '.join(medians)}{order}.",
    )


def risk_coverage(found: Mapping[str, Any]) -> Plot:
    """Share of wrong ones among the questions answered, as fewer of the less certain ones are answered."""
    with drawing() as figure:
        axes = figure.add_subplot()
        curve = found["search"]["curve"]
        axes.plot(
            [p["coverage"] for p in curve],
            [p["risk"] for p in curve],
            color=INKS["c1"],
            drawstyle="steps-post",
            label="by what was found",
        )
        told = [f"risk {curve[-1]['risk']:.3f} when all are answered, by what was found"]
        if answers := found["answers"]:
            line = answers["curve"]
            axes.plot(
                [p["coverage"] for p in line],
                [p["risk"] for p in line],
                color=INKS["c2"],
                drawstyle="steps-post",
                label="by the answers given",
            )
            axes.plot([answers["coverage"]], [answers["risk"]], "o", color=INKS["c2"], markersize=4.5)
            told.append(
                f"as served {percent(answers['coverage'])} are answered, and {percent(answers['risk'])} of those wrongly"
            )
        share_axis(axes, "x")
        share_axis(axes)
        axes.set_xlabel("coverage: share of all questions answered")
        axes.set_ylabel("risk: share of those wrong")
        axes.legend(loc="upper right", handlelength=1.4)
        svg = finish(figure, "risk")
    caption = "Risk and coverage: the less certain questions are left out from right to left."
    if found["answers"]:
        caption += " The dot is where the system abstains now."
    return Plot("risk", svg, caption, f"{'; '.join(told).capitalize()}.")


def reliability(found: Mapping[str, Any]) -> Plot:
    """Evidence as a probability against what was observed; the area of a dot is the number of questions."""
    bins = found["bins"]
    with drawing() as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=INKS["muted"], linewidth=0.8, linestyle=(0, (3, 2)))
        axes.annotate("as stated", (0.12, 0.12), (4, -4), textcoords="offset points", va="top", color=INKS["muted"])
        axes.plot([b["stated"] for b in bins], [b["observed"] for b in bins], color=INKS["c1"], linewidth=0.9)
        largest = max(b["count"] for b in bins)
        for b in bins:
            axes.plot(
                [b["stated"]],
                [b["observed"]],
                "o",
                color=INKS["c1"],
                markersize=2.5 + 7 * (b["count"] / largest) ** 0.5,
            )
        share_axis(axes, "x")
        share_axis(axes)
        axes.set_xlabel("evidence")
        axes.set_ylabel("share found")
        svg = finish(figure, "reliability")
    told = ", ".join(f"{b['observed']:.2f} at {b['stated']:.2f} ({b['count']})" for b in bins)
    caption = f"Reliability of the evidence as a probability that the passages answer the question; ECE {found['ece']:.3f}, Brier score {found['brier']:.3f}."
    return Plot("reliability", svg, caption, f"Observed share at stated evidence (questions): {told}.")
