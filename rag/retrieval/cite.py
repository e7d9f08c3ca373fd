"""Markers of an answer become citations: each is resolved to its passage and checked against it (rag/retrieval/support.py).

A marker's claim is the sentence it stands in or follows, or, where that has several, the part before each. A claim whose passage does
not carry it is given the marker of another that does; what none carries is named in `Resolved.unsupported`, and cut where that is asked.
The check is one of wording: it catches changed facts and wrong passages, not every wrong conclusion. Where answer and passage are in
different languages words cannot be compared: numbers and names alone decide, and `Resolved.notes` says so.

docs/citations.md has the figures per kind of claim; benchmarks/citation_check.py measures them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.answers import Citation, Passage
from rag.documents import ImageChunk
from rag.protocols import Verifier
from rag.retrieval.leading_markers import trailing
from rag.retrieval.markers import Sentence, marked_sentences, read_markers, without_open_marker, write_markers
from rag.retrieval.support import Judge, Support
from rag.words import content_words

ATTRIBUTE_FROM = 0.5
"""Least score at which a sentence without a marker is given one."""
CROSS_LANGUAGE_NOTE = "Answer and passage {marker} are in different languages: only numbers and names were checked."
CUT_NOTE = "{count} claims that no passage carries were cut."
UNSEEN_NOTE = "{count} numbers told of pictures were cut: this generator was shown no picture, and no text about them has the numbers."


@dataclass(frozen=True, slots=True)
class Resolved:
    """`text` has only markers that name a passage, written `[1][2]`. `dropped` counts the markers that did not.

    `attributed` counts sentences that came without a marker and got one here.
    """

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    attributed: int = 0
    corrected: int = 0
    """Markers whose passage does not carry the sentence, replaced by the one of a passage that does, or left out beside it."""
    notes: tuple[str, ...] = ()
    claims: int = 0
    """Sentences that claim something, those that were cut among them."""
    unsupported: tuple[str, ...] = ()
    """Those of them that no passage verifiably carries, as they were written."""

    @property
    def support(self) -> float | None:
        """Share of the claims that are supported; None for a text that claims nothing."""
        return 1 - len(self.unsupported) / self.claims if self.claims else None


def resolve(
    text: str,
    passages: Sequence[Passage],
    *,
    unsupported: Literal["flag", "cut"] = "flag",
    verifier: Verifier | None = None,
    seen: bool = False,
) -> Resolved:
    """Checks a finished answer. Sentences without a marker get one when a passage verifiably carries them; an answer that has none at all
    gets the nearest passage's, unverified. With `cut` the text comes without its unsupported claims, and may be empty. So does what a
    generator that was shown no picture (`seen`) counts in one."""
    return _resolve(text, passages, unsupported, Judge(verifier), seen)


def _resolve(
    text: str, passages: Sequence[Passage], unsupported: Literal["flag", "cut"], judge: Judge, seen: bool
) -> Resolved:
    by_number = {passage.number: passage for passage in passages}
    clean, marks, dropped = read_markers(trailing(text), by_number.keys())
    sentences = marked_sentences(clean, marks)
    attributed = _attribute(clean, sentences, passages, judge)
    corrected = sum(_correct(clean, sentence, passages, judge) for sentence in sentences)
    citations: list[Citation] = []
    notes: list[str] = []
    claims, failing, cut, unseen = 0, [], set(), set()
    for place, sentence in enumerate(sentences):
        made: list[Citation] = []
        carried, guessed = [], []
        for claim, numbers in sentence.claims(clean):
            supports = [(number, judge.support(claim, by_number[number])) for number in numbers]
            carried.append(any(support.verified for _, support in supports))
            guessed.append(not seen and _counts_unseen([(by_number[n], support) for n, support in supports]))
            made += [_citation(by_number[number], support) for number, support in supports]
            notes += [CROSS_LANGUAGE_NOTE.format(marker=f"[{n}]") for n, support in supports if support.cross_language]
        if sentence.is_claim(clean):
            claims += 1
            if not carried or not all(carried):
                failing.append(sentence.text(clean))
                if any(guessed):
                    unseen.add(place)
                if unsupported == "cut" or any(guessed):
                    cut.add(place)
                    continue
        citations += made
    if unseen:
        notes.append(UNSEEN_NOTE.format(count=len(unseen)))
    if cut - unseen:
        notes.append(CUT_NOTE.format(count=len(cut - unseen)))
    return Resolved(
        write_markers(clean, sentences, cut),
        tuple(citations),
        dropped,
        attributed,
        corrected,
        tuple(dict.fromkeys([*notes, *judge.notes])),
        claims,
        tuple(failing),
    )


class Resolver:
    """The same while the answer is streamed: citations of every sentence as soon as the next one has begun."""

    def __init__(
        self,
        passages: Sequence[Passage],
        *,
        unsupported: Literal["flag", "cut"] = "flag",
        verifier: Verifier | None = None,
    ) -> None:
        self._passages = passages
        self._unsupported = unsupported
        self.seen = False
        """Whether the generator was shown a picture: known before `finish`."""
        self._judge = Judge(verifier)
        self._text = ""
        self._done = 0
        self._ends = 0

    def feed(self, piece: str) -> list[Citation]:
        """Citations of the sentences that this piece completed, with their own markers only: what `resolve` adds to
        sentences without a marker is known at the end."""
        self._text += piece
        # Only what may end a sentence, or begin the next one behind its end, can complete one.
        if not self._may_complete(piece):
            return []
        by_number = {passage.number: passage for passage in self._passages}
        # A marker that is still being written would be read as the beginning of the next sentence.
        clean, marks, _ = read_markers(without_open_marker(self._text), by_number.keys())
        complete = marked_sentences(clean, marks)[self._done : -1]
        self._done += len(complete)
        if complete:
            self._ends = 0
        return [
            _citation(by_number[number], self._judge.support(claim, by_number[number]))
            for sentence in complete
            for claim, numbers in sentence.claims(clean)
            for number in numbers
        ]

    def _may_complete(self, piece: str) -> bool:
        self._ends += sum(sign in ".。！？!?；;\n" for sign in piece)
        return self._ends > 0

    def finish(self, text: str | None = None) -> Resolved:
        """What `resolve` makes of the whole text, or of the one given in its place; sentences checked in the stream are not checked again."""
        given = self._text if text is None else text
        return _resolve(given, self._passages, self._unsupported, self._judge, self.seen)


def _counts_unseen(supports: Sequence[tuple[Passage, Support]]) -> bool:
    """Whether a claim about pictures alone has a number that nothing said of them has: asked how many birds a photograph shows, a
    model that reads its caption makes one up."""
    return bool(supports) and all(
        isinstance(passage.hit.chunk, ImageChunk) and support.result.missing_numbers for passage, support in supports
    )


def _attribute(clean: str, sentences: Sequence[Sentence], passages: Sequence[Passage], judge: Judge) -> int:
    """Gives markers to sentences that have none; returns how many got one."""
    if not passages or not sentences:
        return 0
    given = 0
    marked_anywhere = any(sentence.groups for sentence in sentences)
    nearest: tuple[float, Sentence, int] | None = None
    for sentence in sentences:
        if sentence.groups:
            continue
        claim = sentence.text(clean)
        if not content_words(claim) and not any(map(str.isdigit, claim)):
            continue
        supports = [(judge.support(claim, passage), passage.number) for passage in passages]
        support, number = max(supports, key=lambda pair: (pair[0].verified, pair[0].score, -pair[1]))
        if support.verified and support.score >= ATTRIBUTE_FROM:
            sentence.groups[sentence.body_end] = [number]
            given += 1
        elif nearest is None or support.score > nearest[0]:
            nearest = (support.score, sentence, number)
    if not marked_anywhere and not given and nearest is not None:
        nearest[1].groups[nearest[1].body_end] = [nearest[2]]
        given = 1
    return given


def _correct(clean: str, sentence: Sentence, passages: Sequence[Passage], judge: Judge) -> int:
    """Replaces markers when none of a group carries its claim and another passage verifiably does; small models often
    name the neighbour of the passage they read, or all there are: beside one that carries the claim alone, others are left out.
    Returns how many groups were changed."""
    changed = 0
    by_number = {passage.number: passage for passage in passages}
    for claim, numbers in sentence.claims(clean):
        named = [(number, judge.support(claim, by_number[number])) for number in numbers]
        # A passage in another language that words cannot check gives way, too, to one that verifiably carries the claim.
        if any(support.verified for _, support in named):
            carrying = [n for n, support in named if support.verified and not support.cross_language]
            if carrying:
                changed += len(carrying) < len(numbers)
                numbers[:] = carrying
            continue
        supports = {passage.number: judge.support(claim, passage) for passage in passages}
        right = [number for number, support in supports.items() if support.verified and not support.cross_language]
        if right:
            numbers[:] = [max(right, key=lambda number: (supports[number].score, -number))]
            changed += 1
    return changed


def _citation(passage: Passage, support: Support) -> Citation:
    chunk = passage.hit.chunk
    return Citation(
        passage.number,
        passage.hit.document,
        chunk.id,
        chunk.page,
        chunk.boxes,
        support.quote,
        support.verified,
        support.score,
    )
