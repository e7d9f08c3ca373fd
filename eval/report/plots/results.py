"""How the leading measure spreads over the questions, recall by depth, and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.report.names import STEPS, label, spaced
from eval.report.plots.axes import band, counted, percent, rows, share_axis
from eval.report.plots.svg import INKS, Plot, drawing, finish, words

BINS = 10


def spread(values: Sequence[float], measure: str) -> Plot:
    """Histogram of a measure in [0, 1] over the questions."""
    counts, edges = np.histogram(np.clip(values, 0, 1), bins=BINS, range=(0, 1))
    with drawing() as figure:
        axes = figure.add_subplot()
        axes.bar(edges[:-1], counts, width=1 / BINS * 0.9, align="edge", color=INKS["c1"])
        mean = float(np.mean(values))
        axes.axvline(mean, color=INKS["ink"], linewidth=0.9, linestyle=(0, (3, 2)))
        axes.annotate(f"mean {mean:.3f}", (mean, 1), (-4 if mean > 0.5 else 4, -1), xycoords=("data", "axes fraction"), va="top",
            textcoords="offset points", ha="right" if mean > 0.5 else "left")  # fmt: skip
        share_axis(axes, "x")
        axes.set_xlabel(f"{label(measure)} of a question")
        axes.set_ylabel("questions")
        counted(axes)
        svg = finish(figure, "spread")
    best, worst = int(np.sum(np.asarray(values) >= 1)), int(np.sum(np.asarray(values) <= 0))
    alt = f"Of {len(values)} questions, {best} have {label(measure)} 1 and {worst} have 0; the mean is {mean:.3f}."
    return Plot("spread", svg, f"{label(measure)} over the questions.", alt)


def recall(points: Sequence[Mapping[str, Any]]) -> Plot:
    """Recall of documents against the number of documents looked at, with intervals."""
    depths = [point["k"] for point in points]
    values = [point["value"] for point in points]
    with drawing() as figure:
        axes = figure.add_subplot()
        band(axes, depths, [point["interval"] for point in points])
        axes.plot(depths, values, "-o", color=INKS["c1"], markersize=3.5)
        axes.set_xscale("log")
        axes.set_xticks(depths, [str(k) if k in (1, 2, 5, 10, 20, 50, 100) else "" for k in depths])
        axes.minorticks_off()
        axes.set_xlabel("first k documents")
        axes.set_ylabel("recall")
        share_axis(axes)
        svg = finish(figure, "recall")
    told = ", ".join(f"{point['value']:.3f} at {point['k']}" for point in points)
    return Plot("recall", svg, "Recall of relevant documents by depth, with 95 % intervals.", f"Recall is {told}.")


def latency(times: Mapping[str, Any]) -> Plot:
    """Share of the questions answered within a time; a logarithmic axis, because the tail is what hurts."""
    with drawing() as figure:
        axes = figure.add_subplot()
        told = []
        for place, (name, spent) in enumerate(times.items()):
            ink, left = f"c{place + 1}", place == 0 and len(times) > 1
            values = np.sort(spent["values"])
            shares = np.arange(1, len(values) + 1) / len(values)
            axes.step(values, shares, where="post", color=INKS[ink])
            figures = spent["latency_ms"]
            for quantile, key in ((0.5, "p50"), (0.95, "p95")):
                axes.plot([figures[key]], [quantile], "o", color=INKS[ink], markersize=3.5)
                text = milliseconds(figures[key])
                axes.annotate(f"{name} {text}" if key == "p50" else text, (figures[key], quantile), (-6 if left else 6, 1 if left else -1),
                    textcoords="offset points", ha="right" if left else "left", va="bottom" if left else "top", color=INKS[ink])  # fmt: skip
            told.append(
                f"{name}: median {milliseconds(figures['p50'])}, 95th percentile {milliseconds(figures['p95'])}"
            )
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        low, high = low / (2.2 if len(times) > 1 else 1.1), high * 1.8
        axes.set_xlim(low, high)
        ticks = [t for t in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5) if low <= t <= high]
        axes.set_xticks(ticks, [milliseconds(t) for t in ticks])
        axes.minorticks_off()
        share_axis(axes)
        axes.set_ylabel("share of the questions")
        svg = finish(figure, "latency")
    return Plot(
        "latency",
        svg,
        "Time per question: share of the questions done within it.",
        f"Times per question, {'; '.join(told)}.",
    )


def steps(spent: Mapping[str, Any], name: str) -> Plot:
    """Where the time of a search or an answer goes, on average."""
    parts = {key: step for key, step in spent["steps"].items() if step["share"] >= 0.005}
    labels = [words("everything else" if key == "rest" else STEPS.get(key, spaced(key)), 32) for key in parts]
    with drawing(height=0.75 + 0.26 * len(parts)) as figure:
        axes = figure.add_subplot()
        means = [step["mean"] for step in parts.values()]
        axes.barh(range(len(parts)), means, height=0.62, color=INKS["c1"])
        for place, (mean, step) in enumerate(zip(means, parts.values(), strict=True)):
            axes.annotate(
                f"{milliseconds(mean)} · {percent(step['share'])}",
                (mean, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        rows(axes, labels)
        axes.set_xlim(0, max(means) * 1.45)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        svg = finish(figure, f"steps-{name}")
    told = ", ".join(f"{text} {milliseconds(mean)}" for text, mean in zip(labels, means, strict=True))
    return Plot(
        f"steps-{name}",
        svg,
        f"Where the time of {'an' if name[0] in 'aeiou' else 'a'} {name} goes: mean per question.",
        f"Mean times: {told}.",
    )


def milliseconds(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
