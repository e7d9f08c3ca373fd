"""How often a picture is found by words, and by what: the text in it, labels, its caption, its file's name, each alone and all together.

    python benchmarks/pictures.py [--shared ../shared] [--only coco] [--misses misses.jsonl]

Two labelled sets under `--shared`: 500 Noto emoji with their English and Chinese names (drawings), and 74 photographs of COCO val2017
with five English captions each; `pictures_zh.tsv` holds the second caption of each in Chinese, translated for this benchmark (COCO's
annotations are CC BY 4.0). Every question is asked through the service, over the whole set, and counts as answered at the place of the
first hit from the right picture. Files are numbered, so that no name tells what is on them, unless a row says otherwise: an emoji that is
called by its name in the question's own language gives the answer away, and is there for comparison only.

Half of the pictures, by the hash of their names, is `tuned`: what the describer does may be chosen on them. `held out` are the others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.client import LocalClient
from api.schemas import SearchBody
from api.service import Service, open_service
from api.settings import load
from ingest.files import find

DEPTHS = (1, 5, 10)
LOOKED_AT = 50
"""Hits in which the picture is looked for: its label, its caption and the text in it may each be a hit of their own."""
CHINESE = Path(__file__).with_name("pictures_zh.tsv")


@dataclass(frozen=True, slots=True)
class Picture:
    """`texts` are questions by language; `caption` is none of them."""

    path: Path
    texts: dict[str, list[str]]
    caption: str = ""
    names: dict[str, str] = field(default_factory=dict)

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.path.name.encode()).digest()[0] % 2 == 1


def emoji(shared: Path) -> list[Picture]:
    folder = shared / "data" / "noto-emoji-en-zh"
    rows = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [
        Picture(
            folder / "images" / row["image"],
            {"en": [row["label_en"]], "zh": [row["label_zh"]]},
            names={"en": row["label_en"], "zh": row["label_zh"]},
        )
        for row in rows
    ]


def coco(shared: Path) -> list[Picture]:
    folder = shared / "data" / "coco-val2017-by"
    rows = json.loads((folder / "captions.json").read_text(encoding="utf-8"))
    chinese = dict(line.split("\t") for line in CHINESE.read_text(encoding="utf-8").splitlines())
    return [
        Picture(
            folder / "images" / row["image"],
            {"en": row["captions_en"], "zh": [chinese[row["image"]]]},
            caption=row["captions_en"][0],
        )
        for row in rows
    ]


# --- how the pictures lie in a folder ---------------------------------------------------------------------------------

Layout = Callable[[list[Picture], Path], Iterator[str]]
"""Writes the files; gives the name of the document of each picture, in order."""


def numbered(pictures: list[Picture], folder: Path) -> Iterator[str]:
    for number, picture in enumerate(pictures):
        yield _copy(picture, folder, f"{number:04}")


def named(language: str) -> Layout:
    def lay(pictures: list[Picture], folder: Path) -> Iterator[str]:
        for number, picture in enumerate(pictures):
            said = "".join(c if c.isalnum() or c in " ,()" else " " for c in picture.names[language])
            yield _copy(picture, folder, " ".join(said.split()) or f"{number:04}", number)

    return lay


def captioned(pictures: list[Picture], folder: Path) -> Iterator[str]:
    """A page for each picture, which stands there over its first caption."""
    for number, picture in enumerate(pictures):
        image = _copy(picture, folder / "files", f"{number:04}")
        page = f"<h1>{number}</h1><figure><img src='files/{image}'><figcaption>{picture.caption}</figcaption></figure>"
        (folder / f"{number:04}.html").write_text(f"<html><body>{page}</body></html>", encoding="utf-8")
        yield f"{number:04}.html"


def _copy(picture: Picture, folder: Path, stem: str, number: int = 0) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{stem}{picture.path.suffix}"
    if target.exists():
        target = folder / f"{stem} {number}{picture.path.suffix}"
    shutil.copyfile(picture.path, target)
    return target.name


# --- what is compared ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """One row: pictures laid out in one way, described in one way."""

    collection: str
    found_by: str
    read: Callable[[Path], list[Picture]]
    layout: Layout
    labels: bool
    ocr: bool
    questions_from: int = 0
    """The first of a picture's English questions that is asked: those before are written on the page."""


CASES = (
    Case("coco", "labels + text in the picture (default)", coco, numbered, True, True),
    Case("coco", "labels alone", coco, numbered, True, False),
    Case("coco", "text in the picture alone", coco, numbered, False, True),
    Case("coco-caption", "caption, labels, text in the picture", coco, captioned, True, True, 1),
    Case("coco-caption", "caption alone", coco, captioned, False, False, 1),
    Case("emoji", "labels + text in the picture (default)", emoji, numbered, True, True),
    Case("emoji", "labels alone", emoji, numbered, True, False),
    Case("emoji", "text in the picture alone", emoji, numbered, False, True),
    Case("emoji-named-en", "English file name, labels, text in the picture", emoji, named("en"), True, True),
    Case("emoji-named-en", "English file name alone", emoji, named("en"), False, False),
    Case("emoji-named-zh", "Chinese file name, labels, text in the picture", emoji, named("zh"), True, True),
    Case("emoji-named-zh", "Chinese file name alone", emoji, named("zh"), False, False),
)


def measure(case: Case, service: Service, pictures: list[Picture], folder: Path) -> list[dict[str, Any]]:
    """A record for each question: its language, half, and the rank of its picture (None: not among the hits)."""
    documents = list(case.layout(pictures, folder))
    # Only the pages of those laid out on pages: as a file of its own a picture would be found a second time, and folded with the page's.
    report = service.ingest([file for file in find([folder]) if file.name in set(documents)], case.collection)
    if report.failures:
        print(f"{len(report.failures)} files failed, the first: {report.failures[0]}")
    records = []
    for picture, document in zip(pictures, documents, strict=True):
        for language, texts in picture.texts.items():
            for text in texts[case.questions_from if language == "en" else 0 :]:
                asked = SearchBody(query=text, collection=case.collection, top_k=LOOKED_AT)
                hits = LocalClient(service).search(asked)["hits"]
                order = list(dict.fromkeys(hit["document"]["name"] for hit in hits if is_picture(hit)))
                records.append(
                    {
                        "case": f"{case.collection}: {case.found_by}",
                        "language": language,
                        "half": "held out" if picture.held_out else "tuned",
                        "question": text,
                        "picture": picture.path.name,
                        "document": document,
                        "rank": order.index(document) + 1 if document in order else None,
                        "first": [(hit["document"]["name"], hit["text"]) for hit in hits[:3]],
                    }
                )
    return records


def is_picture(hit: dict[str, Any]) -> bool:
    """The text read in a picture file is found with it; the text of a page beside a picture is not the picture."""
    return bool(hit["kind"] == "image" or not hit["document"]["name"].endswith(".html"))


def recall(records: list[dict[str, Any]], depth: int) -> float:
    return sum(record["rank"] is not None and record["rank"] <= depth for record in records) / max(1, len(records))


def show(case: Case, records: list[dict[str, Any]]) -> None:
    for language in ("en", "zh"):
        of = [record for record in records if record["language"] == language]
        cells = [case.collection, case.found_by, f"{language} ({len(of)})"]
        for depth in DEPTHS:
            halves = (recall([r for r in of if r["half"] == half], depth) for half in ("tuned", "held out"))
            cells.append(f"{recall(of, depth):.2f} ({' / '.join(f'{value:.2f}' for value in halves)})")
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--only", default="", help="only cases whose row begins with this")
    parser.add_argument(
        "--misses", type=Path, help="write each question whose picture is not first, with what came instead"
    )
    given = parser.parse_args()
    print("| set | found by | questions | recall@1 (tuned / held out) | recall@5 | recall@10 |")
    print("| --- | --- | --- | --- | --- | --- |")
    by_settings: dict[tuple[bool, bool], list[Case]] = defaultdict(list)
    for case in CASES:
        if f"{case.collection}: {case.found_by}".startswith(given.only):
            by_settings[case.labels, case.ocr].append(case)
    kept: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="tuwen-pictures-") as temporary:
        for (labels, ocr), cases in by_settings.items():
            here = Path(temporary) / f"{labels:d}{ocr:d}"
            settings = load(here / "data", {"pictures": {"labels": labels, "ocr": ocr}})
            with open_service(settings, "benchmarks/pictures.py") as service:
                for case in cases:
                    records = measure(case, service, case.read(given.shared), here / case.collection)
                    show(case, records)
                    entries = {
                        d.document.name: service.chunks(d.document.id)[0].text
                        for d in service.documents(case.collection)
                    }
                    kept += [r | {"entries": entries.get(r["document"], "")} for r in records if r["rank"] != 1]
    if given.misses:
        lines = (json.dumps(record, ensure_ascii=False) for record in kept)
        given.misses.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
