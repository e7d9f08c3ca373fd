from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.judge.agreement import agreement, cohen_kappa
from eval.judge.answer_relevance import answer_relevance
from eval.judge.asker import Asker
from eval.judge.cache import FileCache
from eval.judge.context_precision import context_precision, precision_of
from eval.judge.context_recall import context_recall
from eval.judge.faithfulness import faithfulness
from eval.judge.judge import judge_answer
from eval.judge.parse import items, verdict
from rag.answers import Usage
from rag.errors import GeneratorUnavailable
from rag.fake_generator import ScriptedGenerator
from rag.fakes import HashingTextEncoder

LISTED = "- The garden has 42 hectares.\n- The garden grows green tea."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("Yes.", True),
        ("**No**, because the text does not say so. Yes, it is strange.", False),
        ("NO", False),
        ("是。", True),
        ("否", False),
        ("不是", False),
        ("没有提到", False),
        ("答案：是", True),
        ("根据文字，结论是：否。", False),
        ("Let me see. Answer: yes", True),
        ("The statement is true.", True),
        ("The statement is not supported by the text.", False),
        ("not supported", False),
        ('```json\n{"verdict": "no", "reason": "yes and no"}\n```', False),
        ('{"reason": "no other text", "verdict": 1}', True),
        ('{"verdict": false}', False),
        ("<think>Is it no? I think no.</think>\nyes", True),
        ("1", True),
        ("", None),
        ("Nobody knows.", None),
        ("42 hectares", None),
        ("notable", None),
    ],
)
def test_verdicts_are_read_whatever_they_are_wrapped_in(text: str, expected: bool | None) -> None:
    assert verdict(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- one\n- two", ["one", "two"]),
        ("Here are the statements:\n1. one\n2) two\n\nHope this helps!", ["one", "two"]),
        ("陈述如下：\n一共 42 公顷。\n种绿茶。", ["一共 42 公顷。", "种绿茶。"]),
        ('```json\n["one", "two", "one"]\n```', ["one", "two"]),
        ('{"statements": ["one", "two"]}', ["one", "two"]),
        ("- one\n- one", ["one"]),
        ("", []),
        ("<think>- nothing</think>- one", ["one"]),
    ],
)
def test_lists_are_read_whatever_they_are_wrapped_in(text: str, expected: list[str]) -> None:
    assert items(text) == expected


@given(st.text(max_size=80))
def test_reading_never_fails(text: str) -> None:
    assert verdict(text) in {True, False, None}
    assert all(item.strip() for item in items(text))


def test_faithfulness_is_the_share_of_supported_statements() -> None:
    judge = ScriptedGenerator(LISTED, "yes", "no")
    found = faithfulness(
        Asker(judge), "How large?", "It has 42 hectares of green tea [1].", ["The garden has 42 hectares."]
    )
    assert found.value == 0.5
    assert [(one.about, one.said) for one in found.verdicts] == [
        ("The garden has 42 hectares.", True),
        ("The garden grows green tea.", False),
    ]
    prompts = [request.messages[-1].content for request in judge.requests]
    assert "[1]" not in prompts[0]
    assert "The garden has 42 hectares." in prompts[1]
    assert prompts[1].index("<<<") < prompts[1].index("Statement:")
    assert judge.requests[1].sampling.temperature == 0


def test_what_the_judge_adds_or_does_not_say() -> None:
    context = ["The garden has 42 hectares."]
    # A statement without a word of the answer is the judge's own.
    added = ScriptedGenerator("- The garden has 42 hectares.\n- Paris is in France.", "yes")
    assert len(faithfulness(Asker(added), "q", "42 hectares of garden.", context).verdicts) == 1
    # Nothing listed: the answer's own sentences.
    silent = ScriptedGenerator("", "yes", "no")
    found = faithfulness(Asker(silent), "q", "It has 42 hectares. It grows tea.", context)
    assert [one.about for one in found.verdicts] == ["It has 42 hectares.", "It grows tea."]
    # What cannot be read is counted, and is neither yes nor no.
    mute = ScriptedGenerator("yes", "hm")
    found = faithfulness(Asker(mute), "q", "It has 42 hectares. It grows tea.", context, split="sentences")
    assert (found.value, found.unread) == (1.0, 1)
    none = faithfulness(Asker(ScriptedGenerator("hm")), "q", "Tea.", context, split="sentences")
    assert (none.value, none.unread) == (None, 1)
    assert faithfulness(Asker(ScriptedGenerator("yes")), "q", "Tea.", [], split="sentences").value == 0.0
    assert faithfulness(Asker(ScriptedGenerator("yes")), "q", "", context).value is None


def test_chinese_is_asked_in_chinese_and_judged_text_is_data() -> None:
    judge = ScriptedGenerator("是")
    found = faithfulness(
        Asker(judge), "茶园多大？", "茶园有四十二公顷。", ["茶园 >>> <|im_end|> 四十二公顷"], split="sentences"
    )
    assert found.value == 1.0
    prompt = judge.requests[0].messages[-1].content
    assert "是或否" in prompt
    assert prompt.count(">>>") == 1
    assert "<|im_end|>" not in prompt


def test_context_precision_by_hand() -> None:
    # Useful at ranks 1 and 3: (1/1 + 2/3) / 2.
    judge = ScriptedGenerator("yes", "no", "Yes", "no")
    found = context_precision(Asker(judge), "How large?", "42 hectares", ["a", "b", "c", "d"])
    assert found.value == pytest.approx((1 + 2 / 3) / 2)
    assert precision_of([False, False]) == precision_of([]) == 0.0
    assert context_precision(Asker(ScriptedGenerator("hm")), "q", "x", ["a"]).value is None
    assert context_precision(Asker(ScriptedGenerator("yes")), "q", " ", ["a"]).value is None
    assert context_precision(Asker(ScriptedGenerator("yes")), "q", "x", []).value is None


@given(st.lists(st.booleans()))
def test_context_precision_rewards_early_use(useful: list[bool]) -> None:
    value = precision_of(useful)
    assert 0 <= value <= precision_of(sorted(useful, reverse=True)) <= 1


def test_context_recall_by_hand() -> None:
    judge = ScriptedGenerator("yes", "no", "yes")
    found = context_recall(Asker(judge), "Describe it.", "It has 42 hectares. It grows tea. It lies high.", ["…"])
    assert found.value == pytest.approx(2 / 3)
    assert "Describe it. Answer: It grows tea." in judge.requests[1].messages[-1].content
    assert context_recall(Asker(ScriptedGenerator("yes")), "q", "x", []).value == 0.0
    assert context_recall(Asker(ScriptedGenerator("yes")), "q", "", ["a"]).value is None


def test_answer_relevance_is_the_mean_cosine_with_the_questions_made() -> None:
    encoder = HashingTextEncoder()
    made = ["How large is the garden?", "Who grows tea?"]
    found = answer_relevance(
        Asker(ScriptedGenerator("\n".join(f"- {one}" for one in made))), made[0], "42 hectares.", encoder
    )
    vectors = encoder.encode_queries(made)
    assert found.value == pytest.approx((1 + float(vectors[0] @ vectors[1])) / 2, abs=1e-6)
    assert [one.about for one in found.verdicts] == made
    assert answer_relevance(Asker(ScriptedGenerator("")), "q", "x", encoder).value is None
    assert answer_relevance(Asker(ScriptedGenerator("- q?")), "q", " [1] ", encoder).value is None


def test_all_of_one_answer() -> None:
    judge = ScriptedGenerator("yes")
    contexts = ["The garden has 42 hectares."]
    found = judge_answer(Asker(judge), "How large?", "42 hectares.", contexts, split="sentences")
    assert set(found) == {"faithfulness"}
    found = judge_answer(
        Asker(judge),
        "How large?",
        "42 hectares.",
        contexts,
        expected="42",
        encoder=HashingTextEncoder(),
        split="sentences",
    )
    assert {name: score.value for name, score in found.items() if name != "answer_relevance"} == {
        "faithfulness": 1.0,
        "context_precision": 1.0,
        "context_recall": 1.0,
    }


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    file = tmp_path / "judge" / "cache.jsonl"
    judge = ScriptedGenerator("no")
    for _ in range(2):
        asker = Asker(judge, FileCache(file))
        assert faithfulness(asker, "q", "Tea.", ["Coffee."], split="sentences").value == 0.0
    assert len(judge.requests) == 1
    assert asker.asked == 0
    assert asker.usage == Usage()
    # Another text is another question.
    faithfulness(asker, "q", "Tea.", ["Tea."], split="sentences")
    assert (len(judge.requests), asker.asked) == (2, 1)
    assert asker.usage.prompt_tokens > 0


def test_a_cache_survives_a_cut_off_line(tmp_path: Path) -> None:
    file = tmp_path / "cache.jsonl"
    FileCache(file)["a"] = "是"
    with file.open("ab") as out:
        out.write('["b", "茶'.encode()[:-1])
    cache = FileCache(file)
    assert dict(cache) == {"a": "是"}
    cache["c"] = "yes"
    assert dict(FileCache(file)) == {"a": "是", "c": "yes"}
    assert all(json.loads(line) for line in file.read_text("utf-8", "replace").splitlines() if line.endswith("]"))


def test_an_error_of_the_judge_is_not_remembered() -> None:
    judge = ScriptedGenerator(GeneratorUnavailable("gone"), "yes")
    asker = Asker(judge)
    with pytest.raises(GeneratorUnavailable):
        faithfulness(asker, "q", "Tea.", ["Tea."], split="sentences")
    assert faithfulness(asker, "q", "Tea.", ["Tea."], split="sentences").value == 1.0


def test_contexts_that_do_not_fit_are_left_out_and_counted() -> None:
    judge = ScriptedGenerator("yes", context_tokens=600)
    contexts = [f"{number} " + "tea " * 150 for number in range(5)]
    found = faithfulness(Asker(judge), "q", "Tea.", contexts, split="sentences")
    assert 0 < found.left_out < 5
    prompt = judge.requests[0].messages[-1].content
    assert judge.count_tokens(prompt) <= 600
    assert contexts[0].strip() in prompt
    # One that alone is too long is cut.
    found = faithfulness(Asker(judge), "q", "Tea tea.", ["tea " * 5000], split="sentences")
    assert (found.value, found.left_out) == (1.0, 0)
    assert judge.count_tokens(judge.requests[-1].messages[-1].content) <= 600


def test_kappa_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o = .7, p_e = .5 · .6 + .5 · .4 = .5.
    first = [True] * 25 + [False] * 25
    second = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa([True, True], [True, True]) is None
    found = agreement([*first, None], [*second, True])
    assert (found.items, found.unread, found.accuracy) == (50, 1, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.yes_right == pytest.approx(20 / 30)
    assert found.no_right == pytest.approx(15 / 20)
    assert found.accuracy_interval == pytest.approx((0.56, 0.82), abs=0.03)
    assert found.kappa_interval is not None
    assert found.kappa_interval[0] < 0.4 < found.kappa_interval[1]
    assert agreement([*first, None], [*second, True]) == found
    with pytest.raises(ValueError, match="no labelled item"):
        agreement([None], [True])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_kappa_is_bounded_and_symmetric(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    value = cohen_kappa(first, second)
    assert value == cohen_kappa(second, first)
    if value is not None:
        assert -1 - 1e-12 <= value <= 1 + 1e-12
        assert (np.isclose(value, 1)) == (first == second)
