"""Steps between ranking and the prompt: folding, noise, merging, compression, order; and what they may never do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Answer, Hit, Passage, Query
from rag.documents import Chunk, Document, DocumentRef, ImageChunk, ImageEntry
from rag.engine import Engine
from rag.errors import ModelMissing
from rag.fake_generator import ScriptedGenerator
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.options import Options
from rag.prompts import render_passage
from rag.protocols import GenerationRequest, IndexKey, Message, Sampling
from rag.retrieval.compress import compress
from rag.retrieval.fold import fold
from rag.retrieval.merge import merge
from rag.retrieval.noise import without_noise
from rag.retrieval.order import at_both_ends
from rag.retrieval.pack import passage_tokens
from rag.retrieval.question import plain, with_picture
from rag.retrieval.recall import LexicalRetriever, VectorRetriever
from rag.retrieval.remember import Remembering, StepCache
from rag.stems import stems
from rag.stores.exact import ExactVectorStore

LONG = (
    "Employees who have worked for the company for more than five years may take an unpaid leave of up to six months, "
    "if their manager agrees in writing at least four weeks before the first day of it."
)


def hit(ordinal: int, text: str, document: str = "d", score: float = 1.0, headings: tuple[str, ...] = ()) -> Hit:
    chunk = Chunk(f"{document}.{ordinal}", document, ordinal, "text", text, headings=headings, tokens=len(text.split()))
    return Hit(chunk, DocumentRef(document, f"{document}.md", "text/markdown", "default"), score)


# --- folding ---------------------------------------------------------------------------------------------------------


def test_near_duplicates_fold_across_documents_and_tell_their_places() -> None:
    kept = fold([hit(0, LONG, "a"), hit(1, "Something else."), hit(3, f"{LONG} ", "b"), hit(4, LONG.upper(), "c")])
    assert [one.chunk.id for one in kept] == ["a.0", "d.1"]
    assert [place.chunk_id for place in kept[0].places] == ["b.3", "c.4"]
    assert kept[1].places == ()


@pytest.mark.parametrize(
    "other",
    [LONG.replace("six", "nine"), LONG.replace("may take", "may not take"), LONG.replace("five", "25"), "Weight: 5 kg"],
)
def test_other_facts_are_no_repeat(other: str) -> None:
    assert len(fold([hit(0, LONG, "a"), hit(0, other, "b")])) == 2


def test_a_short_text_means_something_else_in_another_document() -> None:
    hits = [hit(0, "Weight: 5 kg", "a"), hit(0, "Weight: 5 kg", "b"), hit(1, "Weight:  5 kg", "b")]
    assert [one.chunk.id for one in fold(hits)] == ["a.0", "b.0"]


def test_the_same_picture_in_two_documents_takes_one_place() -> None:
    def picture(document: str) -> Hit:
        chunk = ImageChunk(f"{document}.9", document, 9, "h", "image/png", 1, 1, (ImageEntry("label", "cat"),))
        return Hit(chunk, DocumentRef(document, document, "image/png", "default"), 1.0)

    assert [one.places[0].chunk_id for one in fold([picture("a"), picture("b")])] == ["b.9"]
    assert len(fold([picture("a"), picture("b")], "same")) == 2
    assert len(fold([picture("a"), picture("a")], "off")) == 2


POOL = st.sampled_from(
    [LONG, LONG + " ", LONG.replace("five", "seven"), "Short.", "另一段 文字。" * 12, "Other words."]
)


@given(st.lists(st.tuples(POOL, st.sampled_from("abc")), max_size=12), st.sampled_from(["off", "same", "near"]))
def test_folding_keeps_order_and_loses_nothing(parts: list[tuple[str, str]], how: str) -> None:
    hits = [hit(n, text, document) for n, (text, document) in enumerate(parts)]
    kept = fold(hits, how)  # type: ignore[arg-type]
    ids = [one.chunk.id for one in hits]
    assert [ids.index(one.chunk.id) for one in kept] == sorted(ids.index(one.chunk.id) for one in kept)
    told = [one.chunk.id for one in kept] + [place.chunk_id for one in kept for place in one.places]
    assert sorted(told) == sorted(ids)


# --- noise, order, question ------------------------------------------------------------------------------------------


def test_what_is_below_the_least_score_is_noise() -> None:
    hits = [hit(n, str(n), score=score) for n, score in enumerate([0.9, 0.5, 0.4])]
    assert [one.score for one in without_noise(hits, 0.5)] == [0.9, 0.5]
    assert without_noise(hits, 0) == hits


def test_the_least_passage_stands_in_the_middle() -> None:
    passages = [Passage(n, hit(n, str(n)), str(n)) for n in range(1, 6)]
    assert [passage.number for passage in at_both_ends(passages)] == [1, 3, 5, 4, 2]
    assert [passage.number for passage in at_both_ends(passages[:4])] == [1, 3, 4, 2]
    assert at_both_ends([]) == ()


def test_full_width_letters_become_ordinary_and_chinese_signs_stay() -> None:
    assert plain(" ＧＰＵ\u3000显存 ６４ＧＢ，够吗？\u200b ") == "GPU 显存 64GB，够吗？"


def test_the_question_leads_the_picture_and_the_picture_is_bounded() -> None:
    entries = [ImageEntry("ocr", "x" * 1000), ImageEntry("label", "banana"), ImageEntry("name", "IMG_1.png")]
    text = with_picture("What is this?", entries, 100)
    assert text.startswith("What is this?\nbanana\nxxx")
    assert len(text) == len("What is this?\n") + 100
    assert with_picture("", []) == ""


# --- merging and compression -----------------------------------------------------------------------------------------


def test_neighbouring_hits_become_one_with_their_window() -> None:
    hits = [hit(5, "Second part."), hit(9, "Far away."), hit(4, "First part."), hit(6, "Third part.")]
    merged = merge(hits, 100)
    assert [(one.chunk.id, one.chunk.text) for one in merged] == [
        ("d.5", "First part. Second part. Third part."),
        ("d.9", "Far away."),
    ]
    assert isinstance(merged[0].chunk, Chunk)
    assert merged[0].chunk.window == (4, 6)


def test_other_sections_and_too_much_text_stay_apart() -> None:
    assert len(merge([hit(1, "a"), hit(2, "b", headings=("H",)), hit(2, "c", "e")], 100)) == 3
    assert len(merge([hit(1, "one two three"), hit(2, "four five six")], 5)) == 2


def test_compression_keeps_what_is_asked_about() -> None:
    text = "The garden is old. It has many trees. Tea was planted in 1952. Nobody knows who did it. Visitors come on Sundays."
    short = compress(text, set(stems("When was tea planted?")), 0.3)
    assert short == "… Tea was planted in 1952. …"
    assert compress(text, set(stems("quantum physics")), 0.4) == text
    assert compress(text, set(stems("tea")), 1.0) == text


@given(
    st.lists(st.sampled_from(["Tea is green. ", "Cats sleep. ", "茶是绿的。", "It rains! "]), max_size=20),
    st.floats(0.05, 1),
)
def test_compression_only_takes_away(parts: list[str], share: float) -> None:
    text = "".join(parts)
    short = compress(text, {"tea"}, share)
    assert len(short) <= len(text) + 4
    assert all(piece.strip() in text for piece in short.replace(" … ", "…").split("…"))


# --- the whole flow --------------------------------------------------------------------------------------------------

ENCODER = HashingTextEncoder()
WORDS = "ducks swim in the pond. tea grows on hills. | a | b |\n数据保存在磁盘上。 Granite is 42 times harder.".split(
    " "
)
TEXTS = st.lists(st.sampled_from(WORDS), min_size=3, max_size=80).map(" ".join)


def engine(texts: list[str], options: Options) -> Engine:
    library, store = MemoryLibrary(ENCODER), ExactVectorStore()
    chunks = [
        Chunk(
            f"d.{n}", "d", n, "table" if text.startswith("|") else "text", text, tokens=len(text.split()), language="en"
        )
        for n, text in enumerate(texts)
    ]
    library.add(Document("d", "default", "d.md", "text/markdown", "0", 1), chunks)
    vectors = ENCODER.encode_passages(texts)
    store.upsert(IndexKey("default", ENCODER.space.id, "text"), [chunk.id for chunk in chunks], vectors)
    written = ScriptedGenerator(
        "Ducks swim in the pond [1]. Tea grows on hills [2][7]. Granite is 42 times harder [9]."
    )
    return Engine(
        library=library,
        encoder=ENCODER,
        retrievers=[
            LexicalRetriever(library),
            VectorRetriever("dense", "text", ENCODER.space.id, store, library),
        ],
        generate=lambda: written,
        vocabulary=library,
        options=options,
    )


OPTIONS = st.builds(
    Options,
    fold=st.sampled_from(["off", "same", "near"]),
    merge=st.booleans(),
    compress=st.sampled_from([0.2, 0.5, 1.0]),
    order=st.sampled_from(["rank", "ends", "document"]),
    diversity=st.sampled_from([0.0, 0.3]),
    passages=st.integers(1, 10),
    passage_tokens=st.integers(60, 500),
    abstain=st.just(False),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(TEXTS, min_size=1, max_size=8), OPTIONS)
def test_no_option_exceeds_the_budget_and_nothing_is_cited_that_was_not_read(
    texts: list[str], options: Options
) -> None:
    made = engine(texts, options)
    question = Query("Where do ducks swim, and where does tea grow?", explain=True)
    generator = made.generate()
    hits = made.search(question).hits
    passages = made.passages(question.text, "en", hits, generator)
    render = partial(render_passage, language="en")
    assert len(passages) <= options.passages
    assert (
        sum(passage_tokens(passage, generator.count_tokens, render) for passage in passages) <= options.passage_tokens
    )
    assert [passage.number for passage in passages] == list(range(1, len(passages) + 1))
    answer = list(made.answer(question))[-1]
    assert isinstance(answer, Answer)
    read = {passage.number: " ".join(passage.text.split()) for passage in passages}
    for citation in answer.citations:
        assert " ".join(citation.quote.split()) in read[citation.marker]
        assert citation.chunk_id in {f"d.{n}" for n in range(len(texts))}
    prompt = answer.prompt[-1][1]
    assert all(f"[{passage.number}]" in prompt for passage in passages)


def test_a_misspelt_question_is_answered_and_says_how_it_was_read() -> None:
    made = engine(["Granite is a coarse-grained rock from the depths.", "Tea grows on hills."], Options())
    found = made.search(Query("coarse-grained graniet rock"))
    assert found.hits[0].chunk.id == "d.0"
    assert found.read_as == "coarse-grained granite rock"
    assert found.notes == ("No document has “graniet”; it was read as “granite”.",)
    assert made.search(Query("coarse-grained granite rock")).notes == ()


# --- what a generator wrote for a step -------------------------------------------------------------------------------


def test_a_step_is_written_once() -> None:
    inner = ScriptedGenerator("Where do ducks swim in summer?")
    remembering = Remembering(inner, StepCache(2))

    def written(question: str, temperature: float = 0.0) -> list[str]:
        messages = (Message("user", question),)
        request = GenerationRequest(question, "en", (), (), messages, Sampling(temperature=temperature))
        return [piece for piece in remembering.stream(request) if isinstance(piece, str)]

    first = written("ducks")
    assert "".join(written("ducks")) == "".join(first)
    assert len(inner.requests) == 1
    for other in ("cats", "dogs", "ducks"):
        written(other)
    assert len(inner.requests) == 4, "only the last two are kept"
    written("geese", 0.5)
    written("geese", 0.5)
    assert len(inner.requests) == 6, "what chance drew is drawn again"


def test_without_a_generator_a_question_is_searched_for_as_it_is() -> None:
    def none() -> ScriptedGenerator:
        raise ModelMissing("There is no model.", "Pull one.")

    made = replace(engine(["Ducks swim in ponds."], Options(variants=("paraphrases",))), generate=none)
    found = made.search(Query("Where do ducks swim?"))
    assert found.hits[0].chunk.id == "d.0"
    assert found.notes == ("There is no model. The search did without it. Pull one.",)
    assert found.skipped == ("variants",)
