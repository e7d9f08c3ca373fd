import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fake_generator import ScriptedGenerator
from rag.retrieval.fuse import Fused
from rag.retrieval.variants import average, make_variants


def test_lines_that_are_no_questions_are_left_out() -> None:
    writer = ScriptedGenerator(
        "Sure, here are some:\n1. How heavy is a cub?\n- How heavy is a cub?\n2) What is the mass of a cub?\n熊猫有多重？\n\n3."
    )
    made = make_variants("What does a cub weigh?", writer, ["paraphrases"])
    assert made.questions == ("How heavy is a cub?", "What is the mass of a cub?")
    assert made.passages == ()


@pytest.mark.parametrize(
    "written",
    [
        '{"questions": ["How heavy is a cub?", "What is the mass of a \\"cub\\"?"]}',
        '```json\n["How heavy is a cub?", "What is the mass of a \\"cub\\"?"]\n```',
        '{"questions": ["How heavy is a cub?", "What is the mass of a \\"cub\\"?", "How much does a',
    ],
)
def test_json_is_read_whole_or_cut_off(written: str) -> None:
    writer = ScriptedGenerator(written)
    made = make_variants("What does a cub weigh?", writer, ["paraphrases"])
    assert made.questions == ("How heavy is a cub?", 'What is the mass of a "cub"?')
    (asked,) = writer.requests
    assert asked.schema is not None
    assert asked.schema["required"] == ["questions"]


@pytest.mark.parametrize(
    "written", ["How heavy is a cub [1]?", '{"questions": []}\nHow heavy is a cub?', '{"questions": ["\\q', "{}"]
)
def test_what_only_looks_like_json_is_read_as_lines(written: str) -> None:
    made = make_variants("What does a cub weigh?", ScriptedGenerator(written), ["paraphrases"])
    assert all("cub" in question for question in made.questions)
    assert len(made.questions) == ("heavy" in written)


def test_a_passage_is_asked_for_as_plain_text() -> None:
    writer = ScriptedGenerator("A cub weighs 90 g.")
    assert make_variants("What does a cub weigh?", writer, ["passage"]).passages == ("A cub weighs 90 g.",)
    assert writer.requests[0].schema is None


def test_the_question_itself_is_no_variant() -> None:
    assert not make_variants("茶园建于哪一年？", ScriptedGenerator("茶园建于哪一年？"), ["parts"])


def test_no_more_than_asked_for() -> None:
    writer = ScriptedGenerator(
        "\n".join(f"What is the {name} of tea?" for name in ("price", "colour", "taste", "origin"))
    )
    assert len(make_variants("Tell me about tea", writer, ["paraphrases"], count=2).questions) == 2


def test_average_by_hand() -> None:
    first = [Fused("a", 1.0, {"dense": 1}), Fused("b", 0.5, {"dense": 2})]
    others = [[Fused("b", 1.0, {"dense": 1})], [Fused("c", 0.8, {"lexical": 1}), Fused("b", 0.6, {})]]
    made = average(first, others)
    assert [(f.chunk_id, round(f.score, 6)) for f in made] == [("b", 0.65), ("a", 0.5), ("c", 0.2)]
    assert made[0].ranks == {"dense": 2}
    assert average(first, []) == first


scores = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1))


@given(scores, st.lists(scores, max_size=3))
def test_average_stays_in_range_and_loses_nothing(first: dict[str, float], others: list[dict[str, float]]) -> None:
    made = average(_fused(first), [_fused(other) for other in others])
    assert {f.chunk_id for f in made} == set(first).union(*others)
    assert all(-1e-9 <= f.score <= 1 + 1e-9 for f in made)


def _fused(found: dict[str, float]) -> list[Fused]:
    return [Fused(id_, score, {}) for id_, score in sorted(found.items(), key=lambda pair: -pair[1])]


def test_scores_are_compared_to_what_they_were() -> None:
    same = [Fused("a", 0.8, {}), Fused("b", 0.4, {})]
    assert [f.score for f in average(same, [same])] == pytest.approx([0.8, 0.4])
