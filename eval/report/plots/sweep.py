"""A sweep: a line for one numeric setting, a heat map for two settings, small multiples for three, and ranked cells beyond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from eval.report.configured import brief
from eval.report.names import label, spaced
from eval.report.plots.axes import band, dot, rows, whisker
from eval.report.plots.svg import HALF, INKS, WHOLE, Plot, drawing, finish, words
from eval.report.sweeping import is_numeric

PANELS, ROWS = 9, 24
"""Small multiples beyond which the cells are ranked instead, and the rows of that."""
SPARSE = 2.5
"""Places of a map for each cell beyond which it is mostly empty: a random search."""

Cell = Mapping[str, Any]
Sweep = Mapping[str, Any]


def sweep_plots(sweep: Sweep) -> list[Plot]:
    """One figure for up to three settings that vary; the ranked cells where there are more, or none of them is a plane."""
    cells = [cell for cell in sweep["cells"] if cell["value"] is not None]
    if len(cells) < 2:
        return []
    seen = {name: [cell["settings"].get(name) for cell in cells] for name in sweep["axes"]}
    axes = {name: [value for value in values if value in seen[name]] for name, values in sweep["axes"].items()}
    axes = {name: values for name, values in axes.items() if len(values) > 1}
    names = list(axes)
    if prod(len(values) for values in axes.values()) > SPARSE * len(cells):
        return [_ranked(sweep)]
    if len(names) == 1 and is_numeric(axes[names[0]]):
        return [_line(sweep, names[0])]
    if len(names) == 2 and min(len(axes[name]) for name in names) > 1:
        return [_maps(sweep, axes, *_plane(axes), None)]
    if len(names) == 3:
        across, down = _plane(axes)
        third = next(name for name in names if name not in (across, down))
        if len(axes[third]) <= PANELS:
            return [_maps(sweep, axes, across, down, third)]
    return [_ranked(sweep)]


def _plane(axes: Mapping[str, Sequence[Any]]) -> tuple[str, str]:
    """Across and down: the two settings with most values; down the one with the longer labels, which are read there."""
    longest = sorted(axes, key=lambda name: -len(axes[name]))[:2]
    across, down = sorted(longest, key=lambda name: max(len(brief(value)) for value in axes[name]))
    return across, down


def _line(sweep: Sweep, setting: str) -> Plot:
    cells = sorted(
        (cell for cell in sweep["cells"] if cell["value"] is not None),
        key=lambda cell: float(cell["settings"][setting]),
    )
    x = [float(cell["settings"][setting]) for cell in cells]
    y = [cell["value"] for cell in cells]
    with drawing(height=3.0) as figure:
        axes = figure.add_subplot()
        band(axes, x, [cell["interval"] for cell in cells])
        axes.plot(x, y, "-o", color=INKS["c1"], markersize=3.5)
        if min(x) > 0 and max(x) / min(x) >= 8:
            axes.set_xscale("log")
        axes.set_xticks(x, [words(brief(cell["settings"][setting]), 8) for cell in cells])
        axes.minorticks_off()
        axes.grid(axis="y")
        for mark, place in _marks(sweep):
            cell = sweep["cells"][place]
            dot(
                axes,
                float(cell["settings"][setting]),
                cell["value"],
                "c2" if mark == "best" else "c1",
                hollow=mark != "best",
                size=6,
            )
            axes.annotate(mark, (float(cell["settings"][setting]), cell["value"]), (0, 8 if mark == "best" else -8), ha="center",
                textcoords="offset points", va="bottom" if mark == "best" else "top", color=INKS["c2" if mark == "best" else "c1"])  # fmt: skip
        axes.margins(y=0.25)
        axes.set_xlabel(words(setting))
        axes.set_ylabel(label(sweep["metric"]))
        svg = finish(figure, "sweep")
    told = ", ".join(f"{value:.3f} at {brief(cell['settings'][setting])}" for value, cell in zip(y, cells, strict=True))
    intervals = ", with 95 % intervals" if all(cell["interval"] for cell in cells) else ""
    return Plot(
        "sweep", svg, f"{label(sweep['metric'])} by {setting}{intervals}.", f"{label(sweep['metric'])} is {told}."
    )


def _maps(sweep: Sweep, values: Mapping[str, Sequence[Any]], across: str, down: str, third: str | None) -> Plot:
    """Darker is better; the best cell is framed, the baseline is dashed. One panel for each value of the third setting."""
    panels = list(values[third]) if third else [None]
    cells = [(place, cell) for place, cell in enumerate(sweep["cells"]) if cell["value"] is not None]
    low, high = min(cell["value"] for _, cell in cells), max(cell["value"] for _, cell in cells)
    columns = min(len(panels), 3)
    lines = -(-len(panels) // columns)
    width = HALF if len(panels) == 1 else WHOLE
    height = (0.9 + 0.34 * len(values[down])) * lines
    with drawing(width, height) as figure:
        for number, panel in enumerate(panels, 1):
            axes = figure.add_subplot(lines, columns, number)
            inside = [(place, cell) for place, cell in cells if third is None or cell["settings"].get(third) == panel]
            for place, cell in inside:
                _tile(axes, sweep, place, cell, values, (across, down), (low, high))
            axes.set_xlim(-0.5, len(values[across]) - 0.5)
            axes.set_xticks(range(len(values[across])), [words(brief(value), 12) for value in values[across]])
            rows(axes, [words(brief(value), 34 if len(panels) == 1 else 18) for value in values[down]])
            axes.tick_params(axis="x", length=0)
            axes.spines["bottom"].set_visible(False)
            if number > len(panels) - columns:
                axes.set_xlabel(words(across))
            if (number - 1) % columns == 0:
                axes.set_ylabel(words(down))
            if third:
                axes.set_title(words(f"{spaced(third.rpartition('.')[2])} {brief(panel)}"), loc="left")
        svg = finish(figure, "sweep")
    by = f"{across} and {down}" + (f", a panel for each {third}" if third else "")
    caption = f"{label(sweep['metric'])} by {by}. Darker is better; the best cell is framed, the baseline dashed."
    return Plot("sweep", svg, caption, _extremes(sweep, cells), wide=width == WHOLE)


def _tile(
    axes: Any,
    sweep: Sweep,
    place: int,
    cell: Cell,
    values: Mapping[str, Sequence[Any]],
    names: tuple[str, str],
    reach: tuple[float, float],
) -> None:
    from matplotlib.patches import Rectangle

    across, down = names
    if cell["settings"].get(across) not in values[across] or cell["settings"].get(down) not in values[down]:
        return
    x, y = values[across].index(cell["settings"][across]), values[down].index(cell["settings"][down])
    # Up to half of the ink, so that the figure on it can be read in either theme.
    depth = 0.06 + 0.44 * ((cell["value"] - reach[0]) / (reach[1] - reach[0]) if reach[1] > reach[0] else 0)
    axes.add_patch(Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, facecolor=INKS["c1"], alpha=depth, linewidth=0))
    marks = [mark for mark, at in _marks(sweep) if at == place]
    if marks:
        style = "-" if "best" in marks else (0, (2, 1.5))
        edge = INKS["c2" if "best" in marks else "ink"]
        axes.add_patch(
            Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor=edge, linewidth=1.4, linestyle=style)
        )
    axes.text(x, y, f"{cell['value']:.3f}".lstrip("0"), ha="center", va="center", fontsize=8)


def _ranked(sweep: Sweep) -> Plot:
    marks = {place: mark for mark, place in reversed(_marks(sweep))}
    cells = sorted(
        ((place, cell) for place, cell in enumerate(sweep["cells"]) if cell["value"] is not None),
        key=lambda pair: -pair[1]["value"],
    )
    kept = cells[:ROWS]
    kept += [pair for pair in cells[ROWS:] if pair[0] in marks]
    several = len(cells[0][1]["settings"]) > 1
    with drawing(WHOLE if several else HALF, 0.7 + 0.23 * len(kept)) as figure:
        axes = figure.add_subplot()
        for row, (place, cell) in enumerate(kept):
            ink = "c2" if marks.get(place) == "best" else "c1"
            whisker(axes, row, cell["interval"], ink)
            dot(axes, cell["value"], row, ink, hollow=marks.get(place) == "baseline")
        rows(
            axes,
            [words((f"{marks[place]}: " if place in marks else "") + _named(sweep, cell), 70) for place, cell in kept],
        )
        axes.grid(axis="x")
        axes.set_xlabel(label(sweep["metric"]))
        svg = finish(figure, "sweep")
    which = f"the best {min(ROWS, len(cells))} of {len(cells)}" if len(kept) < len(cells) else str(len(kept))
    caption = f"{label(sweep['metric'])} of {which} settings, best first; the baseline is hollow."
    return Plot("sweep", svg, caption, _extremes(sweep, cells), wide=several)


def _named(sweep: Sweep, cell: Cell) -> str:
    names = [name for name in sweep["axes"] if name in cell["settings"]] or list(cell["settings"])
    if len(names) == 1:
        return brief(cell["settings"][names[0]])
    return ", ".join(f"{name.rpartition('.')[2]} {brief(cell['settings'][name])}" for name in names)


def _marks(sweep: Sweep) -> list[tuple[str, int]]:
    return [
        (name, sweep[name])
        for name in ("best", "baseline")
        if sweep[name] is not None and sweep["cells"][sweep[name]]["value"] is not None
    ]


def _extremes(sweep: Sweep, cells: Sequence[tuple[int, Cell]]) -> str:
    def told() -> Iterator[str]:
        for mark, place in _marks(sweep):
            cell = sweep["cells"][place]
            yield f"{mark} {cell['value']:.3f} ({_named(sweep, cell)})"
        yield f"lowest {min(cell['value'] for _, cell in cells):.3f}"

    return f"{label(sweep['metric'])} of {len(cells)} cells: {'; '.join(told())}."
