"""Says in words what is on a picture, with what comes in packages: the text read in it, and labels of a classifier.

This is not an image encoder. A picture is found by a thing among ImageNet's thousand, by a general word over them, or by
its text; a relation ("a banana in place of the handset") only as far as its things are named. See docs/pictures.md for
what that is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rag.documents import EntryKind, ImageData, ImageEntry
from rag.encoders.labels import Label, LabelClassifier, Name, groups, names
from rag.protocols import Ocr, OcrLine, Vectors

MIN_PROBABILITY = 0.015
MAX_LABELS = 8
"""Compared on both halves of 74 COCO photos, with all entries of a picture counted together: recall@5 of their captions .845 and .71 (.82 and .665
with five labels of at least 3 %). Where only the best entry counted, labels so unlikely cost more at the first place."""

MIN_CONFIDENCE = 0.6
ENTRY_CHARACTERS = 800
"""An OCR entry is cut at a line before it grows beyond what a text encoder of 512 tokens sees of it."""

PAGE_LIKE = 60
"""Characters of recognised text from which a picture counts as a page, a screenshot or a diagram: a classifier of photographs
calls those "web site", "sunscreen" or "oscilloscope", and questions about text then find them. Photographs of shops, labels and
with a watermark had up to 43."""

VERSION = "3"
"""Changes whenever the entries of the same picture change: files are described again then."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORDLIKE = re.compile(r"[^\W_]")


class BundledDescriber:
    """Satisfies `rag.protocols.ImageDescriber`: entries of kind `ocr` (whole lines) and `label` (English; Chinese).

    A label entry names one class with its synonyms and the general words over it, so that the same words in any picture
    are the same text, embedded once: "banana, fruit; 香蕉、水果". `labels` None leaves
    labels out, `ocr` None the text.
    """

    def __init__(
        self,
        ocr: Ocr | None,
        labels: LabelClassifier | None,
        *,
        min_probability: float = MIN_PROBABILITY,
        max_labels: int = MAX_LABELS,
    ) -> None:
        self._ocr = ocr
        self._labels = labels
        self._min_probability = min_probability
        self._max_labels = max_labels

    @property
    def name(self) -> str:
        return " + ".join(part.name for part in (self._labels, self._ocr) if part) or "none"

    def describe(self, image: ImageData, known: Sequence[ImageEntry] = ()) -> tuple[ImageEntry, ...]:
        """Labels, best first, then the text. Raises CorruptFile, LimitExceeded."""
        texts = [] if self._ocr is None or _has(known, "ocr") else self._read(self._ocr, image)
        read = "".join(entry.text for entry in (*known, *texts) if entry.kind == "ocr")
        if self._labels is None or _has(known, "label") or len(read) >= PAGE_LIKE:
            return tuple(texts)
        return (*self._named(self._labels, image), *texts)

    def _read(self, ocr: Ocr, image: ImageData) -> list[ImageEntry]:
        return [ImageEntry("ocr", text, ocr.name) for text in pieces_of(clean_lines(ocr.read(image)))]

    def _named(self, labels: LabelClassifier, image: ImageData) -> list[ImageEntry]:
        return [
            ImageEntry("label", label_text(label.name), f"{labels.name}, p={label.probability:.2f}")
            for label in likely(labels.probabilities(image), self._min_probability, self._max_labels)
        ]


def _has(entries: Sequence[ImageEntry], kind: EntryKind) -> bool:
    return any(entry.kind == kind for entry in entries)


def likely(probabilities: Vectors, least: float, most: int) -> list[Label]:
    """Classes of at least that probability, best first, each under its own names and those of its groups."""
    best = np.argsort(-probabilities, kind="stable")[:most]
    return [Label(_with_groups(int(n)), float(probabilities[n])) for n in best if probabilities[n] >= least]


def label_text(name: Name) -> str:
    return f"{', '.join(name.en)}; {'、'.join(name.zh)}"


def clean_lines(lines: Iterable[OcrLine]) -> list[str]:
    """Texts of lines, each once, without what a detector sees in leaves and shadows: a lone letter, punctuation, low
    confidence. A box that stands nine times in a diagram says no more than one."""
    kept: list[str] = []
    for line in lines:
        text = " ".join(line.text.split())
        signs = len(_WORDLIKE.findall(text))
        if line.confidence >= MIN_CONFIDENCE and (signs > 1 or (_HAN.search(text) and line.confidence >= 0.9)):
            kept.append(text)
    return list(dict.fromkeys(kept))


def pieces_of(lines: Iterable[str], characters: int = ENTRY_CHARACTERS) -> Iterator[str]:
    """Lines joined to texts of at most that many characters; a longer line stands alone."""
    piece = ""
    for line in lines:
        if piece and len(piece) + 1 + len(line) > characters:
            yield piece
            piece = ""
        piece = f"{piece}\n{line}" if piece else line
    if piece:
        yield piece


def _with_groups(index: int) -> Name:
    every = [names()[index], *(group.name for group in groups() if index in group.classes)]
    return Name(
        tuple(dict.fromkeys(word for name in every for word in name.en)),
        tuple(dict.fromkeys(word for name in every for word in name.zh)),
    )
