"""The differences of two runs with their intervals, one measure a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.report.differing import SIGNIFICANT
from eval.report.names import label, signed
from eval.report.plots.axes import dot, rows, whisker
from eval.report.plots.svg import INKS, Plot, drawing, finish, words


def forest(table: Mapping[str, Mapping[str, Any]]) -> Plot:
    """Filled: beyond chance after Holm's correction."""
    with drawing(height=0.7 + 0.25 * len(table)) as figure:
        axes = figure.add_subplot()
        axes.axvline(0, color=INKS["ink"], linewidth=0.7)
        for place, row in enumerate(table.values()):
            clear = row.get("p_holm", row["p"]) < SIGNIFICANT
            ink = "muted" if not clear else "c3" if row["difference"] > 0 else "c2"
            whisker(axes, place, row["interval"], ink)
            dot(axes, row["difference"], place, ink, hollow=not clear)
        rows(axes, [words(label(name), 34) for name in table])
        bounds = [0.0, *(bound for row in table.values() for bound in row["interval"])]
        room = 0.08 * (max(bounds) - min(bounds)) or 0.05
        axes.set_xlim(min(bounds) - room, max(bounds) + room)
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: signed(value, 2) if abs(value) > 1e-12 else "0")
        axes.set_xlabel("difference, with 95 % interval")
        svg = finish(figure, "forest")
    told = ", ".join(f"{label(name)} {signed(row['difference'])}" for name, row in table.items())
    caption = "Differences, this run minus the other; filled where beyond chance after Holm’s correction."
    return Plot("forest", svg, caption, f"Differences: {told}.")
