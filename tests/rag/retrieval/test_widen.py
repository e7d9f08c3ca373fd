from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Citation, Hit, Passage
from rag.documents import AnyChunk, Box, Chunk, DocumentRef, ImageChunk
from rag.fake_generator import ScriptedGenerator
from rag.prompts import render_passage
from rag.retrieval.expand import expand
from rag.retrieval.widen import narrow, widen

REF = DocumentRef("d", "d.md", "text/markdown", "default")


class Shelf:
    """The part of a library that is read here."""

    def __init__(self, chunks: Sequence[AnyChunk]) -> None:
        self.chunks = chunks

    def neighbours(self, chunk_id: str, before: int, after: int) -> list[AnyChunk]:
        own = next(chunk for chunk in self.chunks if chunk.id == chunk_id)
        return [chunk for chunk in self.chunks if own.ordinal - before <= chunk.ordinal <= own.ordinal + after]


def made(*texts: str, window: tuple[int, int] | None = None, kind: str = "text") -> list[Chunk]:
    return [
        Chunk(
            f"d.{n}",
            "d",
            n,
            "table" if kind == "table" else "text",
            text,
            page=n + 1,
            boxes=(Box(n + 1, 0, 0, 9, 9),),
            headings=("H",),
            tokens=5,
            window=window,
        )
        for n, text in enumerate(texts)
    ]


def hit(chunk: AnyChunk, score: float = 1.0) -> Hit:
    return Hit(chunk, REF, score, {})


def read(chunks: Sequence[AnyChunk], *found: int) -> list[Hit]:
    return widen([hit(chunks[n]) for n in found], Shelf(chunks))  # type: ignore[arg-type]


def test_a_hit_is_read_with_its_window() -> None:
    chunks = made("Ducks swim.", "They also fly.", "Nobody knows why.", "Cats sleep.")
    chunks = [replace(chunk, window=(0, 2)) if chunk.ordinal < 3 else chunk for chunk in chunks]
    (found,) = read(chunks, 1)
    assert found.chunk.text == "Ducks swim. They also fly. Nobody knows why."
    assert found.chunk.id == "d.1", "it stays the one that was found"
    assert found.chunk.page == 1
    assert [box.page for box in found.chunk.boxes] == [1, 2, 3]


def test_what_is_read_with_a_better_hit_is_left_out() -> None:
    chunks = made("Ducks swim.", "They also fly.", window=(0, 1))
    chunks.append(replace(chunks[0], id="d.2", ordinal=2, text="Cats sleep.", window=None))
    assert [one.chunk.id for one in read(chunks, 1, 0, 2)] == ["d.1", "d.2"]


def test_without_windows_nothing_changes() -> None:
    chunks = made("Ducks swim.", "They also fly.")
    assert [one.chunk for one in read(chunks, 1, 0)] == [chunks[1], chunks[0]]


def test_pictures_in_a_window_are_not_read_as_text() -> None:
    first, last = made("Ducks swim.", "", "They also fly.", window=(0, 2))[::2]
    picture = ImageChunk("d.1", "d", 1, "x", "image/png", 9, 9, ())
    (found,) = read([first, picture, last], 0)
    assert found.chunk.text == "Ducks swim. They also fly."
    assert [one.chunk.id for one in read([first, picture, last], 0, 1)] == ["d.0", "d.1"]


def test_joints_look_like_the_document() -> None:
    def text(*texts: str, **more: str) -> str:
        return read(made(*texts, window=(0, len(texts) - 1), **more), 0)[0].chunk.text  # type: ignore[arg-type]

    assert text("鸭子会游泳。", "它们也会飞。") == "鸭子会游泳。它们也会飞。"
    assert text("- ducks", "- cats") == "- ducks\n- cats"
    assert text("Ducks swim.", "2. Cats sleep.") == "Ducks swim.\n2. Cats sleep."
    assert text("A sentence that was cut in the", "middle of it.") == "A sentence that was cut in the middle of it."
    assert text("for all of us", "Next line") == "for all of us\nNext line"
    assert text("Ducks swim.", "H\n\nCats sleep.") == "Ducks swim.\n\nH\n\nCats sleep."
    shared = "This sentence stands in both of them."
    assert text(f"Ducks. {shared}", f"{shared} Cats.") == f"Ducks. {shared} Cats."
    header = "| A | B |\n| --- | --- |"
    assert text(f"{header}\n| 1 | 2 |", f"{header}\n| 3 | 4 |", kind="table") == f"{header}\n| 1 | 2 |\n| 3 | 4 |"
    led = f"All in metres:\n\n{header}\n| 1 | 2 |"
    assert text(led, f"{header}\n| 3 | 4 |", kind="table") == f"{led}\n| 3 | 4 |"
    other = "| C |\n| --- |\n| 5 |"
    assert text(f"{header}\n| 1 | 2 |", other, kind="table") == f"{header}\n| 1 | 2 |\n\n{other}"


_texts = st.lists(
    st.sampled_from(["Ducks swim.", "鸭子会飞。", "- item", "lower case", "| a | b |"]), min_size=1, max_size=8
)


@given(_texts, st.data())
def test_every_chunk_of_the_window_is_read_once_and_in_order(texts: list[str], data: st.DataObject) -> None:
    texts = [f"{text[:-1]} {n}{text[-1]}" for n, text in enumerate(texts)]
    chunks = made(*texts, window=(0, len(texts) - 1))
    order = data.draw(st.permutations(range(len(texts))))
    (found,) = read(chunks, *order)
    assert "".join(found.chunk.text.split()) == "".join("".join(texts).split())


def citation(quote: str) -> Citation:
    return Citation(1, REF, "d.1", 1, (Box(1, 0, 0, 9, 9),), quote, True, 1.0)


def test_a_citation_goes_back_to_the_chunk_of_its_quote() -> None:
    chunks = made("Ducks swim.", "They also fly.", "Nobody knows why.", window=(0, 2))
    (found,) = read(chunks, 0)
    passages = [Passage(1, found, found.chunk.text)]
    one, two, lost = narrow(
        [citation("Nobody knows\nwhy."), citation("They also fly. Nobody knows why."), citation("Cats sleep.")],
        passages,
        Shelf(chunks),  # type: ignore[arg-type]
    )
    assert (one.chunk_id, one.page, one.boxes) == ("d.2", 3, chunks[2].boxes)
    assert (two.chunk_id, two.page, [box.page for box in two.boxes]) == ("d.1", 2, [2, 3])
    assert lost == citation("Cats sleep.")


def test_what_is_read_by_its_window_is_not_widened_again() -> None:
    chunks = made("Ducks swim.", "They also fly.", window=(0, 1))
    chunks.append(replace(chunks[0], id="d.2", ordinal=2, text="Cats sleep.", window=None))
    (found,) = read(chunks, 0)
    count = ScriptedGenerator().count_tokens
    passages = expand(
        [Passage(1, found, found.chunk.text)],
        Shelf(chunks),  # type: ignore[arg-type]
        budget=1000,
        count_tokens=count,
        render=partial(render_passage, language="en"),
    )
    assert passages[0].text == "Ducks swim. They also fly."
