"""What several plots share: intervals, axes of shares, and direct labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eval.report.plots.svg import INKS

Interval = Sequence[float] | None


def share_axis(axes: Any, which: str = "y") -> None:
    """From 0 to 1, with room for a mark at either end."""
    low, high = -0.02, 1.02
    ticks = [0, 0.25, 0.5, 0.75, 1]
    shown = ["0", ".25", ".5", ".75", "1"]
    if which == "y":
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, shown)
        axes.grid(axis="y")
    else:
        axes.set_xlim(low, high)
        axes.set_xticks(ticks, shown)


def counted(axes: Any, most: int = 7) -> None:
    """An axis of counts has whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(most, integer=True))


def band(axes: Any, x: Sequence[float], intervals: Sequence[Interval], ink: str = "c1") -> None:
    """The intervals behind a line, where every point has one."""
    if all(intervals):
        low, high = ([float(one[side]) for one in intervals if one] for side in (0, 1))
        axes.fill_between(x, low, high, color=INKS[ink], alpha=0.15, linewidth=0)


def whisker(axes: Any, y: float, interval: Interval, ink: str = "ink", *, width: float = 1.1) -> None:
    """A horizontal interval."""
    if interval:
        axes.plot(list(interval), [y, y], color=INKS[ink], linewidth=width, solid_capstyle="butt")


def dot(
    axes: Any, x: float, y: float, ink: str = "c1", *, size: float = 4.5, hollow: bool = False, marker: str = "o"
) -> None:
    face = INKS["paper"] if hollow else INKS[ink]
    axes.plot([x], [y], marker, color=INKS[ink], markerfacecolor=face, markersize=size, markeredgewidth=1.1, zorder=5)


def rows(axes: Any, labels: Sequence[str]) -> None:
    """Named rows, the first at the top, without an axis line beside them."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"
