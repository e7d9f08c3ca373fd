"""From the prompt to the checked answer: support, cutting, streamed citations, the content policy, and hostile text on the way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answers import Citation, Hit, Passage, Query
from rag.documents import Chunk, DocumentRef
from rag.errors import BadSetting, GeneratorUnavailable
from rag.fake_generator import Reply, ScriptedGenerator, ScriptedServer
from rag.generation import Generation
from rag.generators.openai import OpenAIGenerator
from rag.generators.pool import ServerPool
from rag.policy import OPEN, load_policy
from rag.prompts import build_messages
from rag.protocols import ContentPolicy, GenerationRequest, Message, Sampling, Verifier
from rag.verifiers.by_generator import GeneratorVerifier
from rag.verifiers.by_reranker import RerankerVerifier

TEXTS = (
    "A giant panda eats 38 kilograms of bamboo a day. A newborn cub weighs 100 grams.",
    "Granite is a coarse-grained rock. It forms from magma that cools slowly below the surface.",
)
TRUE = "A giant panda eats 38 kilograms of bamboo a day [1]."
FALSE = "A newborn cub weighs 900 grams [1]."


def passages() -> tuple[Passage, ...]:
    document = DocumentRef("d", "a.md", "text/markdown", "x")
    return tuple(
        Passage(n, Hit(Chunk(f"c{n}", "d", n, "text", text), document, 1.0), text)
        for n, text in enumerate(TEXTS, start=1)
    )


def generation(
    *script: str,
    unsupported: str = "flag",
    verifier: Verifier | None = None,
    policy: ContentPolicy = OPEN,
    piece: int = 4,
) -> Generation:
    read = passages()
    request = GenerationRequest(
        "What of pandas?", "en", read, (), build_messages("What of pandas?", "en", read), Sampling()
    )
    scripted = ScriptedGenerator(*script, piece_characters=piece)
    return Generation(scripted, request, unsupported=unsupported, verifier=verifier, policy=policy)  # type: ignore[arg-type]


def test_support_is_the_share_of_claims_that_a_passage_carries() -> None:
    said = generation(f"{TRUE} {FALSE} Here is more:")
    list(said)
    assert (said.result.claims, said.result.support) == (2, 0.5)
    assert said.result.unsupported == ("A newborn cub weighs 900 grams.",)
    assert said.result.text == f"{TRUE} {FALSE} Here is more:"
    assert [c.verified for c in said.citations] == [True, False]


def test_a_claim_without_support_is_cut_where_that_is_set() -> None:
    said = generation(f"{TRUE} {FALSE}", unsupported="cut")
    list(said)
    assert said.result.text == TRUE
    assert [c.verified for c in said.citations] == [True]
    assert said.result.support == 0.5
    assert any("cut" in note for note in said.notes)
    nothing = generation(FALSE, unsupported="cut")
    list(nothing)
    assert (nothing.result.text, nothing.citations) == ("", ())


def test_verified_citations_come_while_the_answer_streams_and_each_once() -> None:
    said = generation(f"{TRUE} {FALSE} Granite is a coarse-grained rock [1].", piece=6)
    events = list(said)
    citations = [(place, e) for place, e in enumerate(events) if isinstance(e, Citation)]
    last_piece = max(place for place, e in enumerate(events) if isinstance(e, str))
    assert citations[0][1].verified
    assert citations[0][0] < last_piece
    assert sorted(c.marker for _, c in citations) == sorted(c.marker for c in said.citations) == [1, 1, 2]
    assert said.result.corrected == 1


def test_a_number_altered_by_the_generator_is_flagged() -> None:
    for altered in (
        "A giant panda eats 83 kilograms of bamboo a day [1].",
        "A giant panda eats 38 grams of bamboo a day [1].",
    ):
        said = generation(altered)
        list(said)
        assert not said.citations[0].verified
        assert said.result.support == 0.0


class Shouting:
    whole_answers = True

    def question(self, text: str) -> str | None:
        return "Not here." if "secret" in text else None

    def answer(self, question: str, text: str) -> str:
        return text.replace("bamboo", "…")


def test_a_policy_that_judges_whole_answers_shows_nothing_before() -> None:
    said = generation(TRUE, policy=Shouting())
    events = list(said)
    assert [e for e in events if isinstance(e, str)] == [said.result.text]
    assert "bamboo" not in said.result.text
    assert generation(TRUE).result.text == ""
    assert OPEN.answer("q", "a") == "a"
    assert OPEN.question("q") is None


def test_a_policy_is_found_by_its_name() -> None:
    assert load_policy("") is OPEN
    assert isinstance(load_policy(f"{OPEN.__class__.__module__}:Open"), type(OPEN))
    with pytest.raises(BadSetting, match="cannot be loaded"):
        load_policy("no.such.module:thing")


class Opinion:
    name = "opinion"

    def __init__(self, score: float | Exception) -> None:
        self._score = score

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        if isinstance(self._score, Exception):
            raise self._score
        return [self._score for _ in texts]


PARAPHRASE = "Every day some 38 kilograms are devoured by the animal [1]."


@pytest.mark.parametrize(("score", "verified"), [(0.9, True), (0.1, False)])
def test_a_verifier_decides_what_words_cannot(score: float, verified: bool) -> None:
    said = generation(PARAPHRASE, verifier=RerankerVerifier(Opinion(score)))
    list(said)
    assert said.citations[0].verified == verified
    assert said.citations[0].score == score


def test_no_opinion_makes_a_wrong_number_right_and_a_failing_verifier_is_said() -> None:
    said = generation(FALSE, verifier=RerankerVerifier(Opinion(1.0)))
    list(said)
    assert not said.citations[0].verified
    broken = generation(TRUE, verifier=RerankerVerifier(Opinion(GeneratorUnavailable("gone", "start it"))))
    list(broken)
    assert broken.citations[0].verified
    assert any("words were compared" in note for note in broken.notes)


class Likely(ScriptedGenerator):
    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        yes = "38" in messages[-1].content
        return {"yes": -0.1, "no": -3.0} if yes else {" No": -0.1, "Yes": -3.0}


def test_a_generators_yes_is_a_probability() -> None:
    verifier = GeneratorVerifier(Likely)
    high, low = verifier.probabilities("It eats bamboo.", ["38 kilograms", "granite"])
    assert high == pytest.approx(0.948, abs=0.001)
    assert low == pytest.approx(0.052, abs=0.001)
    with pytest.raises(BadSetting, match="probabilities"):
        GeneratorVerifier(ScriptedGenerator).probabilities("a", ["b"])


def test_a_question_that_the_policy_declines_reaches_no_generator() -> None:
    from rag.engine import Engine
    from rag.fake_stores import MemoryLibrary
    from rag.fakes import HashingTextEncoder

    encoder, generator = HashingTextEncoder(), ScriptedGenerator("x")
    engine = Engine(MemoryLibrary(encoder), encoder, [], lambda: generator, policy=Shouting())
    *_, answer = engine.answer(Query("What is the secret?"))
    assert (answer.text, answer.abstained, generator.requests) == ("Not here.", True, [])  # type: ignore[union-attr]


def over_http(*replies: Reply) -> tuple[Generation, list[str | Citation]]:
    with ScriptedServer(*replies) as server:
        pool = ServerPool([OpenAIGenerator(server.base_url, "scripted")], sleep=lambda _: None)
        read = passages()
        request = GenerationRequest("What?", "en", read, (), build_messages("What?", "en", read), Sampling())
        said = Generation(pool, request)
        return said, list(said)


def test_an_answer_that_breaks_off_before_a_word_was_shown_is_asked_for_again() -> None:
    """A marker at an answer's beginning is held back until its sentence is there."""
    said, shown = over_http(Reply(("[1] ", "A giant panda "), break_after=1), Reply((TRUE,)))
    assert said.result.text == shown[0] == TRUE


def test_once_only_and_not_behind_a_word_that_was_shown() -> None:
    held = Reply(("[1] ", "A giant panda "), break_after=1)
    with pytest.raises(GeneratorUnavailable, match="broke off"):
        over_http(held, held, Reply((TRUE,)))
    with pytest.raises(GeneratorUnavailable, match="broke off"):
        over_http(Reply(("A giant panda eats ", "38 kilograms "), break_after=1), Reply((TRUE,)))
