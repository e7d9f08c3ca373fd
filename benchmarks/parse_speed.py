"""Pages of PDF parsed per second of one core: as they are, and drawn as scans and read by OCR.

    OMP_NUM_THREADS=1 python -m benchmarks.parse_speed FOLDER… --scans 12

All PDF files under the folders are parsed one after the other in this process. `--scans` takes so many of their pages, spread evenly, draws them at
150 dots an inch into a PDF of pictures and reads that with OCR on one thread. Time is that of the processor, all threads together.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Limit, arguments, report


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--scans", type=int, default=0, help="pages to be read by OCR")
    args = parser.parse_args()
    files = sorted(path for folder in args.folders for path in folder.rglob("*.pdf"))
    pages, seconds, unread = parsed(files)
    figures: dict[str, object] = {
        "files": len(files) - unread,
        "files refused": unread,
        "pages": pages,
        "processor seconds": seconds,
    }
    limits = [Limit("pages per second and core", pages / seconds, 20, at_least=True)]
    if args.scans:
        with tempfile.TemporaryDirectory() as folder:
            scanned, read, took = read_scans(as_scans(files, args.scans, Path(folder) / "scans.pdf"))
        figures |= {"scanned pages": scanned, "characters read on them": read, "processor seconds, OCR": took}
        limits.append(Limit("scanned pages per second and core", scanned / took, 0.4, at_least=True))
    return report("parse speed", figures, limits, args.json)


def parsed(files: Sequence[Path]) -> tuple[int, float, int]:
    """Pages read, processor seconds, and files that were refused with an error of their own."""
    from ingest.parsers.pdf import PdfParser
    from ingest.protocols import Source
    from rag.errors import FileError

    parser = PdfParser(ocr=None)
    began, pages, refused = time.process_time(), 0, 0
    for path in files:
        try:
            for _ in parser.parse(Source(path, path.name, "application/pdf")):
                pages += 1
        except FileError:
            refused += 1
    return pages, time.process_time() - began, refused


def as_scans(files: Sequence[Path], count: int, path: Path) -> Path:
    """A PDF of pictures of that many pages, spread over the files."""
    import pypdfium2
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    places: list[tuple[Path, int]] = []
    for file in files:
        try:
            with pypdfium2.PdfDocument(file) as pdf:
                places += [(file, number) for number in range(len(pdf))]
        except pypdfium2.PdfiumError:
            continue
    canvas = Canvas(str(path))
    for file, number in places[:: max(1, len(places) // count)][:count]:
        with pypdfium2.PdfDocument(file) as pdf:
            page = pdf[number]
            width, height = page.get_size()
            canvas.setPageSize((width, height))
            picture = page.render(scale=150 / 72).to_pil().convert("L")
        canvas.drawImage(ImageReader(picture), 0, 0, width, height)
        canvas.showPage()
    canvas.save()
    return path


def read_scans(path: Path) -> tuple[int, int, float]:
    """Pages, characters, processor seconds."""
    from ingest.parsers.pdf import PdfParser
    from ingest.protocols import Source
    from rag.encoders.ocr import RapidOcr

    parser = PdfParser(ocr=RapidOcr(threads=1))
    source = Source(path, path.name, "application/pdf")
    began = time.process_time()
    texts = [sum(len(element.text) for element in page.elements) for page in parser.parse(source)]
    return len(texts), sum(texts), time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
