"""Rebuilds the binary files of the example corpus: `python -m examples.build_corpus [FOLDER]`.

The text files of the corpus are written by hand. With the same versions of Pillow, reportlab, python-docx and
python-pptx the same bytes come out every time; with others the same content.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from examples.builder import diagrams, handbook, report_observatory, report_tea, scan, scene, slides

CORPUS = Path(__file__).resolve().parent / "corpus"


def build(folder: Path) -> list[Path]:
    """Writes into `folder` and returns what was written. Raises FontMissing."""
    for name in ("observatory", "tea", "pictures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    telescope, night = diagrams.telescope(), scene.valley_at_night()
    written = [
        _save(telescope, folder / "pictures/heron-telescope.png"),
        _save(diagrams.question_flow(), folder / "pictures/question-flow.png"),
        _save(diagrams.tea_steps(), folder / "pictures/制茶流程.png"),
        _save(night, folder / "pictures/valley-at-night.png"),
    ]
    report_observatory.build(folder / "observatory/annual-report-2025.pdf")
    scan.build(folder / "observatory/letters-1987-scan.pdf")
    handbook.build(folder / "observatory/operations-handbook.docx", telescope)
    slides.build(folder / "observatory/visitor-programme-2026.pptx", night)
    report_tea.build(folder / "tea/云岭茶园2025年度报告.pdf")
    observatory = (
        "annual-report-2025.pdf",
        "letters-1987-scan.pdf",
        "operations-handbook.docx",
        "visitor-programme-2026.pptx",
    )
    return [*written, *(folder / "observatory" / name for name in observatory), folder / "tea/云岭茶园2025年度报告.pdf"]


def _save(image: Image.Image, path: Path) -> Path:
    image.save(path, "PNG", optimize=True)
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    for built in build(parser.parse_args().folder):
        print(f"{built.stat().st_size:>9,}  {built}")
