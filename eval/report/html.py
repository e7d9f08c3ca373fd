"""The report as one HTML file: no address outside it is asked for, in whatever the documents and questions say.

Texts come from documents, labels and models: they are data. Templates escape everything; only our own plots, style and script go in
as they are. A content security policy allows exactly that style sheet and that script, by their hashes, pictures within the file,
and nothing else: no connection, no frame, no form, no other script, should an escape ever be forgotten.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from eval.report import told
from eval.report.configured import shown
from eval.report.failing import pages_to_show
from eval.report.figures import FEW
from eval.report.names import label, meaning, signed, spaced
from eval.report.pictures import PageImage, Pictures, collect
from eval.report.plots import comparison, knowing, results, sweep
from eval.report.plots.results import milliseconds
from eval.report.plots.svg import Plot
from rag.language import language_of

BUDGET = 4_000_000
"""Bytes of page pictures in a report."""
MOST = 250
"""Failures in a report, of every class as many as can be: nobody pages through more, and each takes 10 kB. The JSON has all."""


def html(
    numbers: Mapping[str, Any], *, page_image: PageImage | None = None, budget: int = BUDGET, command: str = ""
) -> str:
    """The figures of `report.figures` as a page. `page_image` draws pages of documents where they are at hand; `command` makes the report again."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("eval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "label": label, "meaning": meaning, "spaced": spaced, "shown": shown, "ms": milliseconds, "signed": signed,
        "lang": lambda text: "zh-CN" if language_of(str(text)) == "zh" else language_of(str(text)),
        "tight": lambda text: text.replace(" %", "\u202f%"),
        "interval": lambda value: f"{value[0]:.3f}–{value[1]:.3f}" if value else "–",
    }  # fmt: skip
    style, script = (_part(name) for name in ("report.css", "report.js"))
    cases = some_of_each(numbers["failures"]["list"], MOST)
    pictures = collect((place for case in cases for place in pages_to_show(case)), page_image, budget)
    template = environment.get_template("report.html.j2")
    return template.render(
        numbers,
        cases=cases,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        svg=lambda plot: Markup(plot.svg),  # noqa: S704 - rebuilt from a list of elements in plots/svg.py
        plots=plots(numbers),
        tiles=told.tiles(numbers),
        pictures=pictures,
        pages=lambda case: _pages(case, pictures),
        few=FEW,
        command=command,
    )


def some_of_each(cases: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most so many, in their order; of a class with few all of them before the last ones of a class with many."""
    met: Counter[str] = Counter()
    places = []
    for place, case in enumerate(cases):
        met[case["class"]] += 1
        places.append((met[case["class"]], place))
    return [cases[place] for place in sorted(place for _, place in sorted(places)[:most])]


def plots(numbers: Mapping[str, Any]) -> dict[str, list[Plot]]:
    """The figures of each section; a section without numbers has none."""
    found: dict[str, list[Plot]] = {"results": [], "knowing": [], "times": [], "comparison": [], "sweep": []}
    if len(numbers["spread"]) > 1:
        found["results"].append(results.spread(numbers["spread"], numbers["measure"]))
    if len(numbers["recall"]) > 1:
        found["results"].append(results.recall(numbers["recall"]))
    if known := numbers["knowing"]:
        found["knowing"].append(knowing.risk_coverage(known))
        if known["unanswerable"] and known["answerable"]:
            found["knowing"].append(knowing.evidence(known["answerable"], known["unanswerable"], known["auroc"]))
        if known["reliability"]:
            found["knowing"].append(knowing.reliability(known["reliability"]))
    if times := numbers["times"]:
        found["times"].append(results.latency(times))
        found["times"] += [results.steps(spent, name) for name, spent in times.items() if spent["steps"]]
    if compared := numbers.get("comparison"):
        found["comparison"].append(comparison.forest(compared["metrics"]))
    if swept := numbers.get("sweep"):
        found["sweep"] += sweep.sweep_plots(swept)
    return found


def _pages(case: Mapping[str, Any], pictures: Pictures) -> list[dict[str, Any]]:
    """The pictures of a failure, with the boxes that its answer cites on them."""
    there = [pictures.by_place[place] for place in pages_to_show(case) if place in pictures.by_place]
    citations = (case["answer"] or {}).get("citations", ())
    return [
        {
            "picture": picture,
            "boxes": [
                {"x": box[1], "y": box[2], "width": box[3] - box[1], "height": box[4] - box[2]}
                for one in citations
                if one["document"] == picture.document
                for box in one["boxes"]
                if len(box) == 5 and box[0] == picture.page
            ],
        }
        for picture in there
    ]


def _part(name: str) -> str:
    return resources.files("eval.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}'; script-src 'sha256-{script_hash}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
