"""The question flow with fakes: what is found, what is said, what is refused, and in which order it is told."""

from collections.abc import Sequence

import pytest

from rag.answers import Answer, Citation, Filter, Query, SearchResult, Turn
from rag.documents import AnyChunk, Chunk, Document, ImageChunk, ImageData, ImageEntry
from rag.engine import Engine, Event, Rewritten
from rag.errors import Abandoned, BadRequest, EncoderUnavailable, GeneratorUnavailable
from rag.fake_generator import ScriptedGenerator
from rag.fake_images import FakeDescriber
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.filters import parse
from rag.language import language_of
from rag.options import Options
from rag.protocols import Generator, IndexKey
from rag.retrieval.recall import LexicalRetriever, VectorRetriever
from rag.retrieval.rerank import Gate
from rag.stores.exact import ExactVectorStore

ENCODER = HashingTextEncoder()
SPACE = ENCODER.space.id
TEXTS = {
    "panda.md": ["A giant panda eats 38 kilograms of bamboo a day.", "A newborn cub weighs 100 grams."],
    "tea.md": ["这座茶园建于1952年。", "茶园每年生产二十吨绿茶。"],
    "stone.md": ["Granite is a coarse-grained rock.", "Granite is a coarse-grained rock."],
}


class Backwards:
    """A reranker that likes the last best."""

    name = "backwards"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        return [float(n) for n in range(len(texts))]


def engine(generator: Generator | None = None, *, reranker: Backwards | None = None, **options: object) -> Engine:
    library, store = MemoryLibrary(ENCODER), ExactVectorStore()
    for name, texts in TEXTS.items():
        chunks: list[AnyChunk] = [
            Chunk(f"{name}.{n}", name, n, "text", text, name, language=language_of(text))
            for n, text in enumerate(texts)
        ]
        picture = ImageChunk(
            f"{name}.p", name, 9, "hash", "image/png", 9, 9, (ImageEntry("label", f"picture of {name}"),)
        )
        library.add(Document(name, "default", name, "text/markdown", "0", 1), [*chunks, picture])
        embedded = [chunk.embedded_text for chunk in chunks if isinstance(chunk, Chunk)]
        store.upsert(IndexKey("default", SPACE, "text"), [c.id for c in chunks], ENCODER.encode_passages(embedded))
        store.upsert(
            IndexKey("default", SPACE, "entries"),
            [f"{picture.id}#0"],
            ENCODER.encode_passages([picture.entries[0].text]),
        )
    made = generator or ScriptedGenerator("It eats 38 kilograms of bamboo a day [1].")
    return Engine(
        library=library,
        encoder=ENCODER,
        retrievers=[
            LexicalRetriever(library),
            VectorRetriever("dense", "text", SPACE, store, library),
            VectorRetriever("entries", "entries", SPACE, store, library),
        ],
        generate=lambda: made,
        describer=FakeDescriber(),
        reranker=reranker,
        options=Options(**options),  # type: ignore[arg-type]
    )


def events(made: Engine, question: str, *turns: Turn) -> list[Event]:
    return list(made.answer(Query(question, turns=turns)))


def final(told: list[Event]) -> Answer:
    assert isinstance(told[-1], Answer)
    return told[-1]


def test_search_tells_who_found_what() -> None:
    result = engine().search(Query("How much bamboo does a giant panda eat?"))
    first = result.hits[0]
    assert first.chunk.id == "panda.md.0"
    assert first.ranks == {"dense": 1, "lexical": 1}
    by_ranks = engine(fusion="rrf", regularise=0.0).search(Query("How much bamboo does a giant panda eat?"))
    assert by_ranks.hits[0].score == pytest.approx(2 / 61)
    by_scores = engine(regularise=0.0).search(Query("How much bamboo does a giant panda eat?"))
    assert by_scores.hits[0].score == pytest.approx(1.0)
    assert {"encode", "recall", "fuse", "hydrate", "total"} <= result.timings.keys()


def test_an_explained_search_says_what_each_step_left() -> None:
    query = Query("How much bamboo does a panda eat?", top_k=2, explain=True)
    found = engine(reranker=Backwards()).search(query)
    stages = {stage.name: [chunk_id for chunk_id, _ in stage.ranking] for stage in found.stages}
    assert list(stages)[-4:] == ["fuse", "fold", "rerank", "hits"]
    assert {"dense", "lexical", "entries"} <= stages.keys()
    assert "panda.md.0" in stages["lexical"]
    assert set(stages["fuse"]) == set(stages["dense"]) | set(stages["lexical"]) | set(stages["entries"])
    assert stages["hits"] == [hit.chunk.id for hit in found.hits]
    assert stages["rerank"] == passages_backwards(stages["fold"])
    assert found.evidence is not None
    assert engine().search(Query("How much bamboo does a panda eat?")).stages == ()


def test_an_explained_answer_shows_its_prompt_and_what_was_packed() -> None:
    answer = final(list(engine().answer(Query("How much bamboo does a panda eat?", explain=True))))
    packed = answer.stages[-1]
    assert packed.name == "pack"
    assert packed.ranking[0][0] == "panda.md.0"
    assert answer.prompt[-1][0] == "user"
    assert "38 kilograms" in answer.prompt[-1][1]
    assert answer.evidence is not None


def test_repeats_take_one_place() -> None:
    hits = engine().search(Query("coarse-grained granite rock")).hits
    assert [hit.chunk.id for hit in hits].count("stone.md.0") == 1
    assert "stone.md.1" not in [hit.chunk.id for hit in hits]


def test_top_k_bounds_the_hits() -> None:
    assert len(engine().search(Query("granite panda tea", top_k=2)).hits) == 2
    with pytest.raises(BadRequest, match="top_k"):
        engine().search(Query("granite", top_k=0))


def passages_backwards(chunk_ids: Sequence[str]) -> list[str]:
    """Pictures keep their places."""
    backwards = iter([id_ for id_ in chunk_ids if not id_.endswith(".p")][::-1])
    return [id_ if id_.endswith(".p") else next(backwards) for id_ in chunk_ids]


def test_a_reranker_has_the_last_word() -> None:
    plain = [hit.chunk.id for hit in engine().search(Query("granite panda")).hits]
    ranked = engine(reranker=Backwards(), rerank_depth=3).search(Query("granite panda")).hits
    assert [hit.chunk.id for hit in ranked][:3] == passages_backwards(plain[:3])
    assert "rerank" in engine(reranker=Backwards()).search(Query("granite")).timings


def test_a_passage_in_another_language_is_not_outvoted_by_words() -> None:
    made = engine(fusion="rrf", regularise=0.0)
    hits = made.search(Query("granite rock panda bamboo")).hits
    foreign = next(hit for hit in hits if hit.document.name == "tea.md" and "dense" in hit.ranks)
    assert "lexical" not in foreign.ranks
    assert foreign.score == pytest.approx(2 / (60 + foreign.ranks["dense"]))


def test_diversity_puts_another_document_second() -> None:
    question = "giant panda bamboo newborn cub"
    assert [hit.document.name for hit in engine().search(Query(question)).hits[:2]] == ["panda.md", "panda.md"]
    found = engine(diversity=0.9).search(Query(question, explain=True))
    assert found.hits[0].document.name == "panda.md"
    assert "diversify" in [stage.name for stage in found.stages]


def test_a_question_may_be_searched_for_in_other_words() -> None:
    question = Query("What does the animal of black and white eat?", explain=True)
    writer = ScriptedGenerator("1. How much bamboo does a giant panda eat a day?\n2. 竹子\nHere you are:")
    found = engine(writer, variants=("paraphrases",)).search(question)
    assert found.hits[0].chunk.id == "panda.md.0"
    assert found.timings["variants"] >= 0
    names = [stage.name for stage in found.stages]
    assert names[names.index("fuse") - 1] == "variant 1", "what only a variant found is told of, too"
    assert next(stage for stage in found.stages if stage.name == "variant 1").ranking[0][0] == "panda.md.0"
    assert "variants" not in engine(writer).search(question).timings


def test_a_passage_made_up_joins_the_vector_only() -> None:
    writer = ScriptedGenerator("A newborn cub weighs 100 grams.")
    found = engine(writer, variants=("passage",), regularise=0.0).search(Query("birth weight", explain=True))
    stages = {stage.name: [chunk_id for chunk_id, _ in stage.ranking] for stage in found.stages}
    assert stages["dense"][0] == "panda.md.1"
    assert stages["lexical"] == []


def test_a_generator_that_fails_leaves_the_question_alone() -> None:
    plain = engine().search(Query("granite rock")).hits
    failing = engine(ScriptedGenerator(GeneratorUnavailable("down", "start it")), variants=("paraphrases", "passage"))
    found = failing.search(Query("granite rock"))
    assert [hit.chunk.id for hit in found.hits] == [hit.chunk.id for hit in plain]
    assert found.notes == ("down The search did without it. start it",), "and says so, once"
    assert found.skipped == ("variants",)


def test_a_filter_that_allows_nothing_is_told() -> None:
    only = Filter(where=parse("name = nowhere"))
    assert engine().search(Query("granite", filter=only)).notes == ("No passage of this collection fits the filter.",)
    assert engine().search(Query("granite", filter=Filter(where=parse("name = stone.md")))).notes == ()


def test_hits_that_are_all_noise_are_told() -> None:
    found = engine(least_score=2.0).search(Query("granite"))
    assert found.hits == ()
    assert found.notes == ("No passage scored 2 (retrieval.least_score).",)


class Away(Backwards):
    """A reranker whose server is not there."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        raise EncoderUnavailable("The server does not answer.", "Start it.")


class Left(Backwards):
    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        raise Abandoned("The client left.")


def test_a_reranker_that_fails_leaves_the_coarse_order_and_says_so() -> None:
    plain = engine().search(Query("granite panda")).hits
    found = engine(reranker=Away()).search(Query("granite panda", explain=True))
    assert [hit.chunk.id for hit in found.hits] == [hit.chunk.id for hit in plain]
    assert found.notes == ("The server does not answer. The search did without it. Start it.",)
    assert found.skipped == ("rerank",)
    assert found.how["reranker"] is None
    assert "rerank" not in [stage.name for stage in found.stages]
    # A least score is one of the reranker's, and says nothing of others.
    assert engine(reranker=Away(), least_score=50.0).search(Query("granite panda")).hits
    with pytest.raises(Abandoned):
        engine(reranker=Left()).search(Query("granite panda"))


def test_a_reranker_that_is_not_let_through_is_named() -> None:
    kept = engine(reranker=Backwards(), rerank_by_language={"en": Gate(0.0, 0)})
    found = kept.search(Query("granite panda", explain=True))
    assert found.how["reranker"] == {"name": "backwards", "depth": 0, "weight": 0.0}


def test_an_explained_search_says_how_it_was_searched() -> None:
    writer = ScriptedGenerator("How much bamboo does a giant panda eat a day?")
    made = engine(writer, reranker=Backwards(), variants=("paraphrases",), rerank_depth=3, least_score=1.0)
    found = made.search(Query("Ｗhat does the animal eat?", explain=True))
    assert found.how["question"] == "What does the animal eat?"
    assert (found.how["language"], found.how["scheme"], found.how["fusion"]) == ("en", "hybrid", "convex")
    assert found.how["reranker"] == {"name": "backwards", "depth": 3, "weight": 1.0}
    assert found.how["variants"] == {"questions": ["How much bamboo does a giant panda eat a day?"], "passages": []}
    assert [stage.name for stage in found.stages][-2:] == ["noise", "hits"]
    assert found.hits
    assert all(hit.score >= 1.0 for hit in found.hits)


def test_each_retriever_may_have_a_depth_of_its_own() -> None:
    found = engine(depths={"dense": 1}).search(Query("granite panda tea", explain=True))
    sizes = {stage.name: len(stage.ranking) for stage in found.stages}
    assert sizes["dense"] == 1
    assert sizes["lexical"] > 1


def test_an_answer_comes_in_order_and_checked() -> None:
    told = events(engine(), "How much bamboo does a giant panda eat?")
    assert isinstance(told[0], Rewritten)
    assert isinstance(told[1], SearchResult)
    answer = final(told)
    assert "".join(e for e in told if isinstance(e, str)) == "It eats 38 kilograms of bamboo a day [1]."
    assert [e for e in told if isinstance(e, Citation)] == list(answer.citations)
    assert answer.citations[0].verified
    assert answer.citations[0].quote == "A giant panda eats 38 kilograms of bamboo a day."
    assert not answer.abstained
    assert answer.usage.completion_tokens > 0


def test_markers_that_name_nothing_are_dropped_and_counted() -> None:
    answer = final(
        events(engine(ScriptedGenerator("It eats 38 kilograms of bamboo [1][9].")), "giant panda bamboo a day?")
    )
    assert "[9]" not in answer.text
    assert answer.dropped_markers == 1


def test_a_changed_number_is_not_verified() -> None:
    answer = final(
        events(engine(ScriptedGenerator("It eats 83 kilograms of bamboo a day [1].")), "giant panda bamboo a day?")
    )
    assert not any(citation.verified for citation in answer.citations)


def test_what_is_not_there_is_not_asked_of_the_generator() -> None:
    generator = ScriptedGenerator("I know everything.")
    answer = final(events(engine(generator), "Which methane rocket engine did Rosalind Lovelace patent?"))
    assert answer.abstained
    assert generator.requests == []
    assert answer.citations == ()
    assert "Lovelace" in answer.text


def test_abstaining_can_be_switched_off() -> None:
    generator = ScriptedGenerator("I do not know [1].")
    assert not final(events(engine(generator, abstain=False), "methane rocket engine?")).abstained
    assert len(generator.requests) == 1


def test_the_prompt_is_in_the_questions_language() -> None:
    generator = ScriptedGenerator("1952年[1]。")
    events(engine(generator), "这座茶园建于哪一年？")
    request = generator.requests[0]
    assert request.language == "zh"
    assert language_of(request.messages[0].content) == "zh"


def test_a_follow_up_is_searched_as_a_question_of_its_own() -> None:
    generator = ScriptedGenerator("How much does a newborn panda cub weigh?", "A newborn cub weighs 100 grams [1].")
    turns = (Turn("user", "What does a giant panda eat?"), Turn("assistant", "Bamboo [1]."))
    told = events(engine(generator), "And a newborn cub, how much does it weigh?", *turns)
    assert isinstance(told[0], Rewritten)
    assert "panda" in told[0].question.lower()
    assert final(told).citations[0].verified


def test_a_follow_up_is_searched_for_with_the_conversation() -> None:
    turns = (Turn("user", "What does a giant panda eat?"), Turn("assistant", "Bamboo [1]."))
    asked = Query("And a newborn cub, how much does it weigh?", turns=turns)
    found = engine(ScriptedGenerator("How much does a newborn panda cub weigh?")).search(asked)
    assert found.standalone == "How much does a newborn panda cub weigh?"
    assert found.hits == engine().search(Query(found.standalone)).hits
    assert found.timings["total"] >= found.timings["rewrite"] > 0
    # Where nobody can write, the rule serves; without a conversation nothing is rewritten.
    dead = engine(ScriptedGenerator(GeneratorUnavailable("It died.", "Restart it."))).search(asked)
    assert "panda" in dead.standalone
    assert "panda" in engine(rewrite=False).search(asked).standalone
    assert engine().search(Query("bamboo")).standalone == ""


def test_a_dead_generator_is_an_error_not_an_answer() -> None:
    with pytest.raises(GeneratorUnavailable):
        events(engine(ScriptedGenerator(GeneratorUnavailable("It died.", "Restart it."))), "bamboo giant panda day?")


def test_leaving_early_closes_the_generator() -> None:
    generator = ScriptedGenerator("A long answer that nobody reads to its end [1].")
    told = engine(generator).answer(Query("How much bamboo does a giant panda eat?"))
    for event in told:
        if isinstance(event, str):
            break
    told.close()  # type: ignore[attr-defined]
    assert generator.closed_early == 1


def test_a_picture_is_a_question() -> None:
    import io

    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    result = engine().search(Query("", image=ImageData(data.getvalue(), "image/png", 64, 64)))
    assert result.timings["describe"] >= 0
    with pytest.raises(BadRequest, match="empty"):
        engine().search(Query("   "))


EXCLUDING = (
    "While the tea estate has green tea, how many kilograms of bamboo does a panda eat, not a newborn cub, in a day?"
)


def test_a_question_is_searched_for_without_what_it_excludes_too() -> None:
    found = engine().search(Query(EXCLUDING, explain=True))
    assert found.plainer == "how many kilograms of bamboo does a panda eat, in a day?"
    assert found.how["variants"] == {"questions": [found.plainer], "passages": []}
    assert found.hits[0].chunk.text == TEXTS["panda.md"][0]
    assert "variant 1" in {stage.name for stage in found.stages}


def test_exclusions_can_be_searched_for_as_they_are_written() -> None:
    found = engine(exclusions=False).search(Query(EXCLUDING, explain=True))
    assert found.plainer == ""
    assert found.how["variants"] == {"questions": [], "passages": []}


def test_the_generator_reads_the_whole_question_and_is_told_what_is_left_of_it() -> None:
    writer = ScriptedGenerator("It eats 38 kilograms of bamboo a day [1].")
    final(events(engine(writer), EXCLUDING))
    request = writer.requests[-1]
    assert request.question == EXCLUDING
    assert request.plainer == "how many kilograms of bamboo does a panda eat, in a day?"
    assert EXCLUDING in request.messages[-1].content


def test_a_refusal_names_what_was_looked_for_and_not_what_was_set_aside() -> None:
    question = "Who painted the ceiling of the chapel? The bamboo of the panda is another matter."
    answer = final(events(engine(abstain_below=1.0), question))
    assert answer.abstained
    assert question in answer.text
    assert "ceiling" in answer.text.replace(question, "")
    assert "bamboo" not in answer.text.replace(question, "").partition("The nearest")[0]


@pytest.mark.parametrize("asked", ["?", "？！", "...", "「」", " — ", "“…”"])
def test_punctuation_alone_is_no_question(asked: str) -> None:
    with pytest.raises(BadRequest, match="no word to look for"):
        engine().search(Query(asked))


@pytest.mark.parametrize("asked", ["🍵", "€", "7", "茶", "C++"])
def test_a_sign_can_be_looked_for(asked: str) -> None:
    assert engine().search(Query(asked)).hits


def test_a_generator_that_declines_has_abstained() -> None:
    writer = ScriptedGenerator("The weight of a giant panda is not mentioned in the given passages [1].")
    answer = final(events(engine(writer), "How much bamboo does a giant panda eat?"))
    assert answer.abstained
    assert answer.citations == ()
    assert answer.text.startswith("Not in these documents")
    assert answer.support is None
    assert answer.unsupported == ()
