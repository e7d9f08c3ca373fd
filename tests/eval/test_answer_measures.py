from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.answer_recall import answer_recall
from eval.metrics.citations import citation_precision
from eval.metrics.exact_match import exact_match
from eval.metrics.page_hit import page_hit
from eval.metrics.token_f1 import token_f1

TEXTS = st.text(st.sampled_from("ab c12。，的中国科学院 [1]"), max_size=20)


def test_exact_match_looks_past_case_articles_punctuation_and_markers() -> None:
    assert exact_match("The Lion, at the park [1].", ["nothing", "lion at park"]) == 1.0
    assert exact_match("Ｇ７ 国家", ["G7国家"]) == 1.0
    assert exact_match("the lion", ["a lion at the park"]) == 0.0
    assert exact_match("", [""]) == 0.0


def test_token_f1_by_hand() -> None:
    # answer: 4 words, expected: 3, common: 2 -> P 1/2, R 2/3, F1 4/7
    assert token_f1("56.7 million people", ["56.7 million"]) == pytest.approx(2 * 3 / (4 + 3))
    assert token_f1("red red blue green", ["red blue black", "x"]) == pytest.approx(4 / 7)
    assert token_f1("256 MiB 左右", ["大约 256 MiB"]) == pytest.approx(2 / 3)
    assert token_f1("anything", []) == 0.0


def test_answer_recall_does_not_punish_a_sentence() -> None:
    sentence = "TiKV 中每个 Region 默认保存 256 MiB 左右的数据 [2]。"
    assert answer_recall(sentence, ["256 MiB 左右"]) == 1.0
    assert token_f1(sentence, ["256 MiB 左右"]) < 1.0
    assert answer_recall(sentence, ["512 GiB"]) == 0.0


@given(TEXTS, TEXTS)
def test_bounds_and_agreement(answer: str, expected: str) -> None:
    f1, recalled, same = (measure(answer, [expected]) for measure in (token_f1, answer_recall, exact_match))
    assert 0.0 <= f1 <= 1.0
    assert 0.0 <= recalled <= 1.0
    assert f1 == token_f1(expected, [answer])
    if same:
        assert f1 == recalled == 1.0
    if f1:
        assert recalled >= f1 / 2


def test_page_hit_counts_hits_not_documents() -> None:
    hits = [{("a", 1)}, {("a", 1)}, set(), {("b", 3), ("b", 4)}]
    assert page_hit(hits, {("b", 4)}, 3) == 0.0
    assert page_hit(hits, {("b", 4)}, 4) == 1.0
    assert page_hit(hits, {("b", 1)}, 4) == 0.0


def test_citation_page_precision() -> None:
    assert citation_precision([("a", 1), ("a", 2), None, ("b", 1)], {("a", 1), ("a", 2)}) == 0.5
    assert citation_precision([], {("a", 1)}) is None
