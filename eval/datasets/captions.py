"""Pictures and what people say of them: every caption is a question, and its picture the document that answers it.

A JSON list, JSONL or CSV of `{"image", "caption"}`: `captions` may be a list, and a language may follow (`caption_en`, `captions_zh`,
`label_zh`); or COCO's annotations (Lin et al. 2014): `{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}`.
The same words about two pictures are one question that both answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.datasets import values
from eval.datasets.corpus import Corpus
from eval.datasets.description import Description
from eval.datasets.fields import is_empty
from eval.datasets.json_tree import read_json
from eval.datasets.model import Dataset, Question
from eval.datasets.records import records
from eval.datasets.sources import Sources
from eval.datasets.warn import Warned, shorten
from rag.errors import BadRequest

NAMES = ("captions.json", "captions.jsonl", "captions.csv", "labels.json", "labels.jsonl", "labels.csv")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".svg"})
IMAGE = ("image", "image_file", "image_name", "file_name", "filename", "picture", "图片")
_CAPTION = re.compile(
    r"(captions?|labels?|sentences?|raw|标题|描述)(?:[_\- ](?P<language>[a-z]{2}(?:-\w+)?))?", re.IGNORECASE
)


def is_captions(record: Mapping[str, Any]) -> bool:
    """Whether one object of a list looks like a picture with what is said of it."""
    return any(name in record for name in IMAGE) and any(_CAPTION.fullmatch(name) for name in record)


def is_coco(value: Any) -> bool:
    return isinstance(value, dict) and {"images", "annotations"} <= value.keys()


def read_captions(path: Path, corpus: Corpus, root: Path, description: Description) -> Dataset:
    """`root` is the folder of the pictures in `corpus`. Raises BadRequest naming file and line."""
    reader = _Reader(Sources(corpus.ids, root), "missing" in description.skip, description.rule(path).language)
    for place, image, captions in _records(path, description.fields):
        reader.picture(place, image, captions)
    if not reader.judged:
        raise BadRequest(f"{path} holds no captions.", 'Write {"image": "a.jpg", "caption": "…"} for each picture.')
    grades = {question.id: dict.fromkeys(reader.judged[question.id], 1) for question in reader.questions.values()}
    questions = tuple(reader.questions.values())
    return Dataset(description.title, questions, grades, {}, corpus, tuple(shorten(reader.warnings)))


def _records(path: Path, named: Mapping[str, str]) -> Iterator[tuple[Any, str, list[tuple[str, Any]]]]:
    """Place, file name of the picture, and language and text (or texts) of its captions."""
    if path.suffix == ".json":
        tree = read_json(path)
        if is_coco(tree.value):
            files = {image.string("id"): image.string("file_name") for image in tree.items("images")}
            for note in tree.items("annotations"):
                image = note.string("image_id")
                if image not in files:
                    raise note.wrong(f"there is no image {image!r} in this file")
                yield note, files[image], [("", note.string("caption"))]
            return
    for place, record in records(path):
        name = named.get("image") or next((name for name in IMAGE if name in record), "image")
        if is_empty(record.get(name)):
            there = ", ".join(record) or "nothing"
            raise BadRequest(f"{place}: {name!r} is missing (there is: {there}).", "Name the picture's file.")
        if own := named.get("caption"):
            yield place, str(record[name]), [("", record.get(own))]
            continue
        found = ((match["language"] or "", record[key]) for key in record if (match := _CAPTION.fullmatch(key)))
        yield place, str(record[name]), list(found)


@dataclass
class _Reader:
    sources: Sources
    skip_missing: bool
    language: str
    questions: dict[tuple[str, str], Question] = field(default_factory=dict)
    judged: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[Warned] = field(default_factory=list)
    _said: dict[tuple[str, str], int] = field(default_factory=dict)

    def picture(self, place: Any, image: str, captions: list[tuple[str, Any]]) -> None:
        if self.skip_missing and not self.sources.find(image):
            self.warnings.append((place, f"there is no picture {image!r}; it is left out."))
            return
        (document,) = self.sources.resolve(place, image)[:1]
        before = len(self.judged)
        for language, given in captions:
            for text in values.listed(given):
                self._caption(place, document, language or self.language, text)
        if len(self.judged) == before and not any(values.listed(given) for _, given in captions):
            self.warnings.append((place, f"the picture {image!r} has no caption."))

    def _caption(self, place: Any, document: str, language: str, given: Any) -> None:
        text = " ".join(str(given).split())
        if not isinstance(given, str) or not text:
            raise BadRequest(f"{place}: {str(given)[:40]!r} is no caption.", "Captions are texts that are not empty.")
        number = self._said[document, language] = self._said.get((document, language), 0) + 1
        if question := self.questions.get((language, text)):
            if document not in self.judged[question.id]:
                self.judged[question.id].append(document)
            return
        id_ = f"{document}#{language or 'caption'}-{number}"
        self.questions[language, text] = Question(id_, text, kind="caption", language=language)
        self.judged[id_] = [document]
