"""Where a page has a chart: bars on one base line, strokes at an angle. Its figures stand under each other and are no table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingest.layout.runs import Rect, Run, inside
from ingest.layout.tables import Rule

MIN_WIDTH, MIN_HEIGHT = 80.0, 50.0
"""Points: what is smaller is a sign in a cell."""
MIN_BARS = 3
MIN_STROKES = 3
SAME = 1.5
"""Points by which the ends of bars on one base line may differ."""
LABEL = 30
"""Characters of the longest label of an axis."""
REACH = 16.0
"""Points between an axis and its labels."""
MAX_SHAPES = 3000


def chart_regions(shapes: Sequence[Rect], rules: Sequence[Rule], runs: Sequence[Run]) -> list[Rect]:
    """Places of charts, their axes and grid lines among them."""
    areas = [shape for shape in shapes[:MAX_SHAPES] if shape.width > 3 and shape.height > 3]
    ending = {(round(area.top), round(area.bottom), round(area.right)) for area in areas}
    beginning = {(round(area.left), round(area.right), round(area.top)) for area in areas}
    # A coloured cell of a table has another before it; before a bar is nothing.
    lying = [a for a in areas if not _has(ending, round(a.top), round(a.bottom), round(a.left))]
    standing = [a for a in areas if not _has(beginning, round(a.left), round(a.right), round(a.bottom))]
    seeds = [
        *_bars(standing, runs, lambda bar: bar.bottom, lambda bar: bar.top, lambda bar: bar.left),
        *_bars(lying, runs, lambda bar: bar.left, lambda bar: bar.right, lambda bar: bar.top),
        *_strokes(rules[:MAX_SHAPES]),
        *_curves(shapes[:MAX_SHAPES], rules[:MAX_SHAPES]),
    ]
    parts = [Rect(rule.left, rule.top, rule.right, rule.bottom) for rule in rules[:MAX_SHAPES]]
    regions = [_with_axes(seed, parts) for seed in seeds]
    return [region for region in regions if region.width >= MIN_WIDTH and region.height >= MIN_HEIGHT]


def without_charts(runs: Sequence[Run], regions: Sequence[Rect]) -> list[Run]:
    """The runs that neither stand in a chart nor label its axes."""
    return [
        run
        for run in runs
        if not any(
            inside(run, region) or (len(run.text) <= LABEL and _distance(run, region) <= REACH) for region in regions
        )
    ]


def _bars(
    areas: Sequence[Rect],
    runs: Sequence[Run],
    base: Callable[[Rect], float],
    end: Callable[[Rect], float],
    place: Callable[[Rect], float],
) -> list[Rect]:
    """Groups of areas that begin on one line, end in different places and stand side by side, with no text in most of them."""
    groups: list[list[Rect]] = []
    for area in sorted(areas, key=base):
        if groups and base(area) - base(groups[-1][0]) <= SAME:
            groups[-1].append(area)
        else:
            groups.append([area])
    found = []
    for group in groups:
        ends = {round(end(bar) / 2) for bar in group}
        places = {round(place(bar)) for bar in group}
        if len(ends) < MIN_BARS or len(places) < MIN_BARS:
            continue
        if sum(any(inside(run, bar) for run in runs) for bar in group) <= len(group) / 3:
            found.append(Rect.around(group))
    return found


def _has(edges: set[tuple[int, int, int]], first: int, second: int, at: int) -> bool:
    return any((first + a, second + b, at + c) in edges for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1))


def _strokes(rules: Sequence[Rule]) -> list[Rect]:
    """Where strokes at an angle follow each other: the curve of a chart."""
    slanted = [r for r in rules if r.right - r.left > 4 and r.bottom - r.top > 2]
    groups: list[list[Rule]] = []
    for rule in sorted(slanted, key=lambda rule: rule.left):
        near = next((g for g in groups if any(_touch(rule, other) for other in g[-8:])), None)
        if near is None:
            groups.append([rule])
        else:
            near.append(rule)
    return [Rect.around(group) for group in groups if len(group) >= MIN_STROKES]


def _curves(shapes: Sequence[Rect], rules: Sequence[Rule]) -> list[Rect]:
    """Areas without edges of their own beside an upright and above a level line of about their size: a curve that is one path, and its axes."""
    level = [rule for rule in rules if rule.horizontal]
    upright = [rule for rule in rules if not rule.horizontal]
    found = []
    for shape in shapes:
        if shape.width < 60 or shape.height < 20:
            continue
        wide = [r for r in level if min(r.right, shape.right) - max(r.left, shape.left) >= 0.6 * shape.width]
        if any(
            abs(r.top - shape.top) < 2 or (abs(r.top - shape.bottom) < 2 and r.right - r.left < 1.02 * shape.width)
            for r in wide
        ):
            continue
        tall = [
            r
            for r in upright
            if r.bottom - r.top >= 0.8 * shape.height and r.top <= shape.bottom and r.bottom >= shape.top
        ]
        axis = any(-30 <= r.left - shape.left <= 6 for r in tall)
        if axis and any(-4 <= r.top - shape.bottom <= 60 for r in wide):
            found.append(shape)
    return found


def _touch(a: Rule, b: Rule) -> bool:
    return a.left <= b.right + 3 and b.left <= a.right + 3 and a.top <= b.bottom + 3 and b.top <= a.bottom + 3


def _with_axes(region: Rect, parts: Sequence[Rect]) -> Rect:
    """With the lines that cross it or begin at it: axes and a grid. Lines of a whole page's width are none of its."""
    for _ in range(2):
        near = region.grown(3.0)
        held = [
            part
            for part in parts
            if min(part.right, near.right) >= max(part.left, near.left)
            and min(part.bottom, near.bottom) >= max(part.top, near.top)
            and part.width <= 3 * region.width + 40
            and part.height <= 3 * region.height + 40
        ]
        region = Rect.around([region, *held])
    return region


def _distance(run: Run, region: Rect) -> float:
    return max(region.left - run.right, run.left - region.right, region.top - run.bottom, run.top - region.bottom, 0.0)
