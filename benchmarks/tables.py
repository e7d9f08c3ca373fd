"""Tables of generated pages against what was drawn: recall and precision of their cells, by kind of table, beside other readers.

    python -m benchmarks.tables --seeds 11 12 13 --pages 8 [--peers PYTHON] [--scanned] [--show DIRECTORY]

`--peers` names an interpreter that has pdfplumber (`python -m venv peers; peers/bin/pip install pdfplumber`); liteparse is there. `--scanned` draws the
pages as pictures and reads them by OCR. Rules were tuned on seed 1; report others. How cells are compared: benchmarks/table_score.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common import arguments
from benchmarks.table_pages import KINDS, Drawn, draw_page
from benchmarks.table_score import Grid, Score, score_page
from ingest.protocols import Parser, Source
from rag.documents import Element

Reader = Callable[[Sequence[Path]], list[list[Grid]]]
"""Pages → the tables that were found on each."""

_PDFPLUMBER = """
import json, sys, pdfplumber
text = {"vertical_strategy": "text", "horizontal_strategy": "text"}
for line in sys.stdin:
    with pdfplumber.open(line.strip()) as pdf:
        page = pdf.pages[0]
        print(json.dumps([page.extract_tables(), page.extract_tables(text)]), flush=True)
"""


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--pages", type=int, default=8, help="pages of each kind and seed")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--peers", help="a Python interpreter with pdfplumber")
    parser.add_argument("--scanned", action="store_true", help="read the pages as pictures, by OCR")
    parser.add_argument("--show", type=Path, help="keep the pages there, with what was found on the worst")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuwen-tables-") as scratch:
        folder = args.show or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        pages = [
            draw_page(folder / f"{number:02d}-{seed}-{at}.pdf", kind, f"{seed} {kind} {at}")
            for number, kind in enumerate(args.kinds)
            for seed in args.seeds
            for at in range(args.pages)
        ]
        paths = [page.path for page in pages]
        if args.scanned:
            paths = [as_scan(path) for path in paths]
        found: dict[str, list[list[Grid]]] = {}
        seconds: dict[str, float] = {}
        for name, read in readers(args.peers, args.scanned).items():
            began = time.perf_counter()
            found[name] = read(paths)
            seconds[name] = (time.perf_counter() - began) / len(paths)
        if args.show:
            show_worst(pages, found["tuwen"], args.show)
    return _report(pages, found, seconds, args.json)


def readers(peers: str | None, scanned: bool) -> dict[str, Reader]:
    if scanned:
        return {"tuwen": by_ocr}
    made: dict[str, Reader] = {"tuwen": ours, "liteparse": by_liteparse}
    if peers is None:
        print("pdfplumber was left out: name an interpreter that has it with --peers.", file=sys.stderr)
        return made
    answers: list[tuple[list[Grid], list[Grid]]] = []

    def by_lines(paths: Sequence[Path]) -> list[list[Grid]]:
        answers.extend(_pdfplumber(peers, paths))
        return [lines for lines, _ in answers]

    return {**made, "pdfplumber, by lines": by_lines, "pdfplumber, by text": lambda _: [text for _, text in answers]}


def ours(paths: Sequence[Path]) -> list[list[Grid]]:
    from ingest.parsers.pdf import PdfParser

    return _parsed(PdfParser(ocr=None), paths)


def by_ocr(paths: Sequence[Path]) -> list[list[Grid]]:
    from ingest.parsers.pdf import PdfParser
    from rag.encoders.ocr import RapidOcr

    return _parsed(PdfParser(ocr=RapidOcr()), paths)


def _parsed(parser: Parser, paths: Sequence[Path]) -> list[list[Grid]]:
    found: list[list[Grid]] = []
    for path in paths:
        pages = parser.parse(Source(path, path.name, "application/pdf"))
        found.append([cells(element) for page in pages for element in page.elements if element.kind == "table"])
    return found


def cells(table: Element) -> Grid:
    """The cells of a table in Markdown."""
    rows = [line for index, line in enumerate(table.text.split("\n")) if index != 1]
    return [
        [
            cell.strip().replace("\0", "|")
            for cell in row.replace("\\\\", "\1").replace("\\|", "\0").replace("\1", "\\")[1:-1].split("|")
        ]
        for row in rows
    ]


def by_liteparse(paths: Sequence[Path]) -> list[list[Grid]]:
    from liteparse import LiteParse

    parser = LiteParse(ocr_enabled=False, output_format="markdown", extract_blocks=True, quiet=True)
    found: list[list[Grid]] = []
    for path in paths:
        blocks = [
            block for page in parser.parse(str(path)).pages for block in page.blocks or () if block.kind == "table"
        ]
        lines = [([block.header] if block.header else []) + list(block.rows or []) for block in blocks]
        found.append([[[cell.text for cell in line] for line in table] for table in lines])
    return found


def _pdfplumber(python: str, paths: Sequence[Path]) -> list[tuple[list[Grid], list[Grid]]]:
    given = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([python, "-c", _PDFPLUMBER], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} could not run pdfplumber:\n{done.stderr}")
    return [(lines, text) for lines, text in map(json.loads, done.stdout.splitlines())]


def as_scan(path: Path) -> Path:
    """The page as a photograph of itself: 200 dots an inch, grey paper, JPEG."""
    import pypdfium2
    from PIL import Image
    from reportlab.pdfgen.canvas import Canvas

    made = path.with_suffix(".scan.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        page = pdf[0]
        width, height = page.get_size()
        picture = page.render(scale=200 / 72).to_pil().convert("L").point(lambda value: int(value * 0.93))
    jpeg = path.with_suffix(".jpg")
    assert isinstance(picture, Image.Image)
    picture.save(jpeg, quality=70)
    canvas = Canvas(str(made), pagesize=(width, height))
    canvas.drawImage(str(jpeg), 0, 0, width, height)
    canvas.showPage()
    canvas.save()
    return made


def show_worst(pages: Sequence[Drawn], found: Sequence[list[Grid]], folder: Path, count: int = 25) -> None:
    scored = sorted(
        ((score_page(page.tables, grids), page, grids) for page, grids in zip(pages, found, strict=True)),
        key=lambda item: item[0].f1,
    )
    with (folder / "worst.txt").open("w", encoding="utf-8") as file:
        for score, page, grids in scored[:count]:
            file.write(
                f"\n=== {page.path.name} ({page.kind}) recall {score.recall:.2f} precision {score.precision:.2f}\n"
            )
            for rows, _ in page.tables:
                file.write("--- drawn\n")
                file.writelines(" | ".join(cell.text if cell else "" for cell in row) + "\n" for row in rows)
            for grid in grids:
                file.write("--- found\n")
                file.writelines(" | ".join(row) + "\n" for row in grid)


def _report(
    pages: Sequence[Drawn], found: dict[str, list[list[Grid]]], seconds: dict[str, float], as_json: bool
) -> int:
    scores: dict[str, dict[str, Score]] = {name: defaultdict(Score) for name in found}
    for name, each in found.items():
        for page, grids in zip(pages, each, strict=True):
            scores[name][page.kind] += score_page(page.tables, grids)
            scores[name]["all"] += score_page(page.tables, grids)
    kinds = [*dict.fromkeys(page.kind for page in pages), "all"]
    if as_json:
        figures = {
            name: {
                kind: {
                    "recall": score.recall,
                    "precision": score.precision,
                    "cells": score.wanted,
                    "found": score.found,
                }
                for kind, score in by_kind.items()
            }
            for name, by_kind in scores.items()
        }
        print(json.dumps({"benchmark": "tables", "pages": len(pages), "seconds_per_page": seconds, "figures": figures}))
        return 0
    print("| pages | cells | " + " | ".join(found) + " |\n|---|---|" + "---|" * len(found))
    for kind in kinds:
        wanted = scores["tuwen"][kind].wanted
        print(f"| {kind} | {wanted:,} | " + " | ".join(_shown(scores[name][kind]) for name in found) + " |")
    print("| ms a page | | " + " | ".join(f"{1000 * seconds[name]:.0f}" for name in found) + " |")
    return 0


def _shown(score: Score) -> str:
    return f"{score.recall:.3f} / {score.precision:.3f}" if score.wanted else f"{score.found} wrong"


if __name__ == "__main__":
    sys.exit(main())
