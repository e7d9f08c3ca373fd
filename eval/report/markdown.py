"""The figures as Markdown for a pull request: a table, differences with their p, and a verdict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from eval.report.configured import shown
from eval.report.differing import SIGNIFICANT
from eval.report.names import label, signed
from eval.report.told import seconds

CLASSES = 5
CHANGED = 5
SETTINGS = 8


def markdown(numbers: Mapping[str, Any]) -> str:
    """Ends with a newline. Text of questions and settings is escaped: it cannot make a link, a mention or a heading."""
    lines = [f"### {plain(numbers['dataset'])}: {numbers['questions']['all']} questions", ""]
    lines += _compared(numbers["comparison"]) if "comparison" in numbers else _measured(numbers)
    if "sweep" in numbers:
        lines += ["", *_swept(numbers["sweep"])]
    lines += ["", *_rest(numbers)]
    return "\n".join(lines).rstrip() + "\n"


def _measured(numbers: Mapping[str, Any]) -> list[str]:
    lines = ["| measure | value | 95 % interval | questions |", "|---|---:|---|---:|"]
    for name, value in numbers["metrics"].items():
        interval = f"{value['interval'][0]:.3f}–{value['interval'][1]:.3f}" if value["interval"] else "–"
        lines.append(f"| {plain(label(name))} | {value['value']:.3f} | {interval} | {value['questions']} |")
    return lines


def _compared(found: Mapping[str, Any]) -> list[str]:
    lines = [f"**{plain(found['verdict'])}** {plain(found['sides'])}".rstrip(), ""]
    lines += [
        "| measure | before | after | difference | 95 % interval | p | p (Holm) | better / worse |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for name, row in found["metrics"].items():
        low, high = row["interval"]
        holm = row.get("p_holm", row["p"])
        difference = signed(row["difference"])
        difference = f"**{difference}**" if holm < SIGNIFICANT else difference
        lines.append(
            f"| {plain(label(name))} | {row['a']:.3f} | {row['b']:.3f} | {difference} | {signed(low)} to {signed(high)} | {row['p']:.3f} | {holm:.3f} | "
            f"{row['better']} / {row['worse']} |"
        )
    lines += [
        "",
        f"{found['questions']} questions in both; paired bootstrap, randomisation test; bold: p (Holm) < {SIGNIFICANT}.",
    ]
    lines += [f"- {plain(one)}" for one in found["warnings"]]
    if changed := found["settings"]:
        told = [
            f"`{_code(row['setting'])}` `{_code(shown(row['before']))}` → `{_code(shown(row['after']))}`"
            for row in changed[:SETTINGS]
        ]
        lines += ["", f"Settings: {'; '.join(told)}{' …' if len(changed) > SETTINGS else ''}"]
    for side in ("worse", "better"):
        if rows := found["changed"][side]:
            told = [f"{plain(row['id'])} ({row['a']:.2f} → {row['b']:.2f})" for row in rows[:CHANGED]]
            lines += ["", f"{side.capitalize()} ({len(rows)}): {', '.join(told)}{' …' if len(rows) > CHANGED else ''}"]
    return lines


def _swept(sweep: Mapping[str, Any]) -> list[str]:
    names = list(sweep["axes"])
    lines = [f"**{plain(sweep['verdict'])}**", ""]
    lines += [
        f"| {' | '.join(f'`{_code(name)}`' for name in names)} | {plain(label(sweep['metric']))} | 95 % interval | |",
        "|---" * (len(names) + 3) + "|",
    ]
    for place, cell in enumerate(sweep["cells"]):
        values = " | ".join(f"`{_code(shown(cell['settings'].get(name)))}`" for name in names)
        value = "–" if cell["value"] is None else f"{cell['value']:.3f}"
        interval = f"{cell['interval'][0]:.3f}–{cell['interval'][1]:.3f}" if cell["interval"] else "–"
        mark = " ".join(mark for mark in ("best", "baseline") if sweep[mark] == place)
        lines.append(f"| {values} | {value} | {interval} | {mark} |")
    return lines


def _rest(numbers: Mapping[str, Any]) -> list[str]:
    failures = numbers["failures"]
    classes = sorted(failures["classes"].items(), key=lambda item: -item[1]["count"])
    lines = [f"Failures: {failures['failed']} of {failures['questions']}"]
    if classes:
        told = [f"{plain(name)} {one['count']}" for name, one in classes[:CLASSES]]
        lines[0] += f" ({', '.join(told)}{', …' if len(classes) > CLASSES else ''})"
    for name, spent in numbers["times"].items():
        latency = spent["latency_ms"]
        lines[0] += f" · {name} {seconds(latency['p50'])} median, {seconds(latency['p95'])} p95"
    lines += ["", *(f"- {plain(one)}" for one in (*numbers["warnings"], *numbers["missing"]))]
    return lines


def plain(text: object) -> str:
    """One line without meaning in Markdown or HTML."""
    line = " ".join(str(text).split())
    line = re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", line)
    # A zero-width space after them keeps mentions and addresses from being found.
    return re.sub(r"((?<!\w)@|://|www\.)(?=\w)", "\\1\u200b", line)


def _code(text: str) -> str:
    """Inside a table and between backticks nothing but these two ends anything."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")
