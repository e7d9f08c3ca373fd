from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Passage
from rag.documents import AnyChunk, Chunk, DocumentRef, ImageChunk, ImageEntry
from rag.fake_generator import ScriptedGenerator
from rag.generators.estimate import estimate_tokens
from rag.prompts import render_passage
from rag.retrieval.expand import expand
from rag.retrieval.overlap import overlap
from rag.retrieval.pack import pack, passage_tokens

COUNT = ScriptedGenerator().count_tokens
RENDER = partial(render_passage, language="en")


def hit(ordinal: int, text: str, *, kind: str = "text", document: str = "d", headings: tuple[str, ...] = ("H",)) -> Hit:
    chunk = Chunk(
        f"{document}.{ordinal}", document, ordinal, "table" if kind == "table" else "text", text, headings=headings
    )
    return Hit(chunk, DocumentRef(document, f"{document}.md", "text/markdown", "default"), 1.0, {})


class Shelf:
    """The part of a library that `expand` reads."""

    def __init__(self, chunks: Sequence[AnyChunk]) -> None:
        self.chunks = chunks

    def neighbours(self, chunk_id: str, before: int, after: int) -> list[AnyChunk]:
        own = next(chunk for chunk in self.chunks if chunk.id == chunk_id)
        return [chunk for chunk in self.chunks if own.ordinal - before <= chunk.ordinal <= own.ordinal + after]


def packed(hits: Sequence[Hit], budget: int, question: str = "") -> tuple[Passage, ...]:
    return pack(hits, question=question, budget=budget, count_tokens=COUNT, render=RENDER)


def test_numbers_follow_the_rank() -> None:
    passages = packed([hit(5, "Ducks swim in ponds."), hit(1, "Cats sleep on sofas.")], 500)
    assert [(p.number, p.text) for p in passages] == [(1, "Ducks swim in ponds."), (2, "Cats sleep on sofas.")]


def test_text_of_another_hit_stands_there_once() -> None:
    shared = "This sentence stands in both of the chunks."
    first, second = hit(1, f"The beginning of it all. {shared}"), hit(2, f"{shared} And this is the end.")
    texts = [p.text for p in packed([first, second], 500)]
    assert texts == [first.chunk.text, "And this is the end."]
    texts = [p.text for p in packed([second, first], 500)]
    assert texts == [second.chunk.text, "The beginning of it all."]
    assert len(packed([first, hit(9, shared, document="e")], 500)) == 1


def test_a_long_text_is_cut_around_what_is_asked() -> None:
    filler = " ".join(f"Filler sentence number {n} says nothing of interest." for n in range(40))
    (passage,) = packed(
        [hit(1, f"{filler} The password expires after ninety days. {filler}")], 120, "When does a password expire?"
    )
    assert "The password expires after ninety days." in passage.text
    assert passage.text in f"{filler} The password expires after ninety days. {filler}"


def test_a_table_keeps_its_header_and_the_rows_asked_for() -> None:
    rows = [f"| Town {n} | {n * 7} people live there |" for n in range(60)]
    table = "\n".join(["| Town | People |", "|---|---|", *rows])
    (passage,) = packed([hit(1, table, kind="table")], 90, "How many people live in Town 42?")
    lines = passage.text.splitlines()
    assert lines[:2] == ["| Town | People |", "|---|---|"]
    assert "| Town 42 | 294 people live there |" in lines
    whole = packed([hit(1, table, kind="table"), hit(2, "Something else altogether.")], 1200)
    assert whole[0].text == table


def test_a_picture_is_read_by_its_entries_most_telling_first() -> None:
    picture = ImageChunk(
        "i", "d", 0, "0" * 64, "image/png", 4, 3, (ImageEntry("label", "banana"), ImageEntry("caption", "A telephone"))
    )
    (passage,) = packed([Hit(picture, DocumentRef("d", "p.png", "image/png", "default"), 1.0, {})], 200)
    assert passage.text == "caption: A telephone\nlabel: banana"


WORDS = st.sampled_from(
    "ducks swim in the pond. 数据保存在磁盘上。 cats\n| a | b |\n sleep 42 times. [3] <<<".split(" ")
)
TEXTS = st.lists(WORDS, min_size=1, max_size=120).map(" ".join)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), TEXTS, st.sampled_from(["text", "table"])), max_size=7), st.integers(0, 400)
)
def test_never_more_than_the_budget(parts: list[tuple[int, str, str]], budget: int) -> None:
    hits = [hit(ordinal, text, kind=kind, document=f"d{place}") for place, (ordinal, text, kind) in enumerate(parts)]
    for count in (COUNT, estimate_tokens):
        passages = pack(hits, question="where do ducks swim", budget=budget, count_tokens=count, render=RENDER)
        assert sum(passage_tokens(passage, count, RENDER) for passage in passages) <= budget
        assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
        for passage in passages:
            assert passage.text.splitlines()[-1] in passage.hit.chunk.text


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(30, 400))
def test_widening_stays_within_the_budget(own: int, budget: int) -> None:
    hits = [hit(n, f"Chunk {n} tells of thing number {n}, at some length.") for n in range(6)]
    passages = packed([hits[own]], budget)
    wide = expand(
        passages, Shelf([h.chunk for h in hits]), budget=budget, count_tokens=COUNT, render=RENDER, before=2, after=2
    )  # type: ignore[arg-type]
    assert sum(passage_tokens(passage, COUNT, RENDER) for passage in wide) <= budget
    for passage, wider in zip(passages, wide, strict=True):
        assert passage.text in wider.text


def test_widened_only_within_the_section_and_never_twice() -> None:
    hits = [
        hit(0, "Chunk zero of another section.", headings=("Other",)),
        hit(1, "Chunk one of the section, which ends with a shared line."),
        hit(2, "which ends with a shared line. Chunk two goes on."),
        hit(3, "Chunk three goes on further."),
    ]
    shelf = Shelf([h.chunk for h in hits])
    passages = packed([hits[1], hits[3]], 1000)
    wide = expand(passages, shelf, budget=1000, count_tokens=COUNT, render=RENDER)  # type: ignore[arg-type]
    together = "\n".join(passage.text for passage in wide)
    assert "another section" not in together
    assert together.count("which ends with a shared line.") == 1
    assert together.count("Chunk two goes on.") == 1
    assert together.count("Chunk three goes on further.") == 1


@settings(deadline=None)
@given(st.text("ab", max_size=60), st.text("ab", max_size=60))
def test_overlap_is_what_both_share(one: str, other: str) -> None:
    shared = overlap(one, other)
    assert one.endswith(other[:shared]) if shared else True
    longest = max((k for k in range(20, min(len(one), len(other)) + 1) if one.endswith(other[:k])), default=0)
    assert shared == longest
