"""How well `verified` tells a value of a table from one of another row or column.

Claims are made from real tables (TAT-QA's, of financial reports; English) and from Chinese ones that are made here under a seed: a cell with its row and
column in several wordings, and the same words with the value of another cell. Tables are split in halves by the hash of their text: rules are
made on the first (`--half tune`), the figures are the second's.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from benchmarks.citation_check import Case, precision_recall, verdicts
from benchmarks.common import Limit, arguments, report
from rag.retrieval.quantities import quantities

TRUE = ("cell", "cell, few words", "two columns", "two rows")
FALSE = ("another column's value", "another row's value", "columns exchanged", "rows exchanged", "number changed")

Grid = list[list[str]]
_VALUE = re.compile(r"^[$€£¥(\s]*\d[\d,.]*\s*%?\)?$")
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_NOTE = re.compile(r"\s*\([^)]*\)\s*$|[*†]+$")

REGIONS = ["华东", "华南", "华北", "西南", "东北", "华中", "西北", "海外"]
ITEMS = ["手机", "电视机", "洗衣机", "空调", "冰箱", "电脑", "打印机", "相机"]
MEASURES = ["销售收入", "净利润", "员工人数", "门店数量", "研发投入", "客户数量", "退货数量", "广告费用"]


def real(path: Path) -> list[Grid]:
    """TAT-QA's tables with one header row, unlike columns and unlike rows."""
    grids = [_folded(item["table"]["table"]) for item in json.loads(path.read_text(encoding="utf-8"))]
    return [grid for grid in grids if grid]


def _folded(rows: Sequence[Sequence[str]]) -> Grid:
    plain = [[" ".join(cell.split()) for cell in row] for row in rows]
    first = next((n for n, row in enumerate(plain) if any(_is_value(cell) for cell in row[1:])), 0)
    if not first or len(plain) - first < 2:
        return []
    header = [" ".join(dict.fromkeys(row[c] for row in plain[:first] if row[c])) for c in range(len(plain[0]))]
    return [header, *plain[first:]]


def chinese(count: int, seed: int = 0) -> list[Grid]:
    """Regions or goods against measures or years, with numbers of which some stand twice in a table."""
    draw, made = random.Random(seed), []
    for _ in range(count):
        names = draw.sample(REGIONS if draw.random() < 0.5 else ITEMS, draw.randint(3, 6))
        if draw.random() < 0.5:
            start, measure = draw.randint(2012, 2020), draw.choice(MEASURES)
            heads = [f"{start + n}年{measure}" for n in range(draw.randint(2, 4))]
        else:
            heads = draw.sample(MEASURES, draw.randint(2, 4))
        pool = [str(draw.randint(20, 9999)) for _ in range(len(names) * len(heads))]
        cells = iter(pool)
        rows = [[name, *(f"{int(next(cells)):,}" for _ in heads)] for name in names]
        made.append([["", *heads], *rows])
    return made


def half(grids: Sequence[Grid], which: str) -> list[Grid]:
    wanted = which == "report"
    return [g for g in grids if (sha256(json.dumps(g).encode()).digest()[0] % 2 == 1) == wanted]


def cases(grids: Sequence[Grid], seed: int = 0) -> Iterator[Case]:
    draw = random.Random(seed)
    for grid in grids:
        text = markdown(grid)
        for _ in range(3):
            yield from (Case(kind, claim, text) for kind, claim in _claims(grid, draw).items())


def markdown(grid: Grid) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in grid]
    return "\n".join([lines[0], "|" + " --- |" * len(grid[0]), *lines[1:]])


def _claims(grid: Grid, draw: random.Random) -> dict[str, str]:
    header, *rows = grid
    zh = any("\u3400" <= sign <= "\u9fff" for sign in "".join(header))
    columns = [c for c in range(1, len(header)) if header[c] and header.count(header[c]) == 1]
    labels = [row[0] for row in rows]
    usable = [
        r
        for r, row in enumerate(rows)
        if row[0] and labels.count(row[0]) == 1 and sum(_is_value(row[c]) for c in columns) >= 2
    ]
    if len(columns) < 2 or len(usable) < 2:
        return {}
    r, s = draw.sample(usable, 2)
    both = [c for c in columns if _is_value(rows[r][c]) and _is_value(rows[s][c])]
    if len(both) < 2:
        return {}
    c, d = draw.sample(both, 2)
    a, b, x = rows[r][c], rows[r][d], rows[s][c]
    if len({frozenset(quantities(value)) for value in (a, b, x)}) < 3 or _elsewhere(rows[r][c], (b, x)):
        return {}
    row, other, col, last = labels[r], labels[s], header[c], header[d]
    short = _short(col, [header[k] for k in columns])
    changed = _changed(a, {v for line in rows for cell in line[1:] for v in quantities(cell)})
    if zh:
        one, few = "{row}的{col}为{value}", "{col}方面，{row}是{value}"
        cols, lines = "{row}的{col}为{a}，{last}为{b}", "{col}方面，{row}为{a}，{other}为{x}"
    else:
        one, few = "The {col} figure for {row} was {value}", "{row} was {value} ({short})"
        cols, lines = "{row} was {a} in {col} and {b} in {last}", "In {col}, {row} was {a} and {other} was {x}"
    names = {"row": row, "col": col, "short": short, "last": last, "other": other}
    made = {
        "cell": one.format(value=a, **names),
        "cell, few words": few.format(value=a, **names | {"row": _NOTE.sub("", row) or row}),
        "two columns": cols.format(a=a, b=b, **names),
        "two rows": lines.format(a=a, x=x, **names),
        "another column's value": one.format(value=b, **names),
        "another row's value": one.format(value=x, **names),
        "columns exchanged": cols.format(a=b, b=a, **names),
        "rows exchanged": lines.format(a=x, x=a, **names),
        "number changed": one.format(value=changed, **names) if changed else "",
    }
    return {kind: claim for kind, claim in made.items() if claim}


def _elsewhere(cell: str, values: Sequence[str]) -> bool:
    """Whether the cell itself says one of the values that are to be wrong there."""
    return any(quantities(value) & quantities(cell) for value in values)


def _short(head: str, heads: Sequence[str]) -> str:
    """The words of a heading that no other heading has; the whole where that leaves none."""
    others = {word for other in heads if other != head for word in other.split()}
    return " ".join(word for word in head.split() if word not in others) or head


def _changed(value: str, there: set[object]) -> str:
    digits = re.search(r"\d[\d,]*", value)
    if digits is None:
        return ""
    for step in (1, 3, 7, 11):
        number = str(int(digits.group().replace(",", "")) + step)
        made = value[: digits.start()] + number + value[digits.end() :]
        if not quantities(made) & there:
            return made
    return ""


def _is_value(cell: str) -> bool:
    return bool(_VALUE.match(cell)) and not _YEAR.match(cell)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--tables", type=Path, help="TAT-QA's JSON file; without it, Chinese tables that are made here")
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--show", default="", help="print claims of this kind that were judged wrongly")
    given = parser.parse_args()
    grids = half(real(given.tables) if given.tables else chinese(120), given.half)
    made = list(cases(grids))
    found, times = verdicts(made)
    count: dict[str, list[bool]] = {kind: [] for kind in (*TRUE, *FALSE)}
    for case, verified in zip(made, found, strict=True):
        count[case.kind].append(verified)
        if case.kind == given.show and verified != (case.kind in TRUE):
            print(f"- {case.claim}\n{case.text}\n")
    shares = {kind: sum(verdict) / len(verdict) for kind, verdict in count.items() if verdict}
    precision, recall = precision_recall(count, TRUE, FALSE)
    rows: dict[str, object] = {kind: f"{share:.3f}  (n {len(count[kind])})" for kind, share in shares.items()}
    rows |= {"precision": f"{precision:.3f}", "recall": f"{recall:.3f}"}
    rows["milliseconds a claim, median"] = sorted(times)[len(times) // 2]
    name = "tat-qa" if given.tables else "chinese, made"
    limits = [
        Limit("precision", precision, 0.95, at_least=True),
        Limit("recall", recall, 0.9, at_least=True),
    ]
    shown = shares | {"precision": precision, "recall": recall}
    return report(f"citation_tables {name} {given.half}", shown if given.json else rows, limits, given.json)


if __name__ == "__main__":
    raise SystemExit(main())
