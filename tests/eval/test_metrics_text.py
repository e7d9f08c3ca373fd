"""BLEU, chrF, ROUGE and METEOR: equal to their libraries on English, on Chinese as on its words, and by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics import answers
from eval.metrics.bleu import bleu, corpus_bleu
from eval.metrics.chrf import chrf
from eval.metrics.meteor import meteor
from eval.metrics.rouge import rouge1, rouge2, rouge_l
from eval.metrics.segmented import plain_words, segmented
from rag.errors import BadRequest, ExtraMissing

Measure = Callable[[str, Sequence[str]], float]
WORDS = "The cat cats sat on a mat, (in 1987) running runs; ran: 3.5 % U.S. don't 'so' e-mail".split()
ENGLISH = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
# Words that stay whole wherever they stand, so that a Chinese text is known by its words.
CHINESE = {"茶园": "garden", "产量": "yield", "增长": "grew", "今年": "year", "公斤": "kilo"}
TEXT_MEASURES = (bleu, chrf, rouge1, rouge2, rouge_l, meteor)
BOTH = pytest.mark.parametrize("measure", TEXT_MEASURES)


@given(ENGLISH, st.lists(ENGLISH, min_size=1, max_size=3))
@settings(deadline=None)
def test_english_equals_the_libraries(answer: str, expected: list[str]) -> None:
    from nltk.translate.meteor_score import meteor_score
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenize import tokenize
    from sacrebleu.metrics import BLEU, CHRF

    theirs = {
        bleu: BLEU(effective_order=True).sentence_score(answer, expected).score / 100 if any(expected) else 0.0,
        chrf: CHRF().sentence_score(answer, expected).score / 100 if any(expected) else 0.0,
    }
    rouge = RougeScorer(["rouge1", "rouge2", "rougeL"]).score_multi(expected, answer)
    theirs |= {rouge1: rouge["rouge1"].fmeasure, rouge2: rouge["rouge2"].fmeasure, rouge_l: rouge["rougeL"].fmeasure}
    theirs[meteor] = meteor_score(
        [tokenize(one, None) for one in expected], tokenize(answer, None), wordnet=_NoWordNet()
    )
    for measure, value in theirs.items():
        assert measure(answer, expected) == pytest.approx(value, abs=1e-9), measure


class _NoWordNet:
    def synsets(self, _: str) -> list[object]:
        return []


@given(*(st.lists(st.sampled_from(list(CHINESE)), min_size=1, max_size=7) for _ in range(2)))
@settings(deadline=None)
def test_chinese_scores_as_its_words(answer: list[str], expected: list[str]) -> None:
    """The same words of an alphabet, with spaces, give the same figures; written without spaces, as Chinese is."""

    def english(words: list[str]) -> str:
        return " ".join(CHINESE[word] for word in words)

    if plain_words("".join(answer)) != answer or plain_words("".join(expected)) != expected:
        return  # two words that the dictionary joins
    for measure in (bleu, rouge1, rouge2, rouge_l, meteor):
        ours = measure("".join(answer), ["".join(expected)])
        assert ours == pytest.approx(measure(english(answer), [english(expected)]), abs=1e-9), measure


def test_chinese_is_cut_into_whole_words_and_punctuation() -> None:
    assert segmented("中国科学院的研究人员。").split() == ["中国科学院", "的", "研究", "人员", "。"]
    assert plain_words("TiKV 中每个 Region，默认２５６ MiB！") == ["tikv", "中", "每个", "region", "默认", "256", "mib"]
    assert segmented("No Chinese, “left” alone.") == "No Chinese, “left” alone."


def test_bleu_by_hand() -> None:
    # p1 = 5/6 and p2 = 3/5, p3 = 1/4, p4 = 0 of 3, smoothed to 1/(2·3); as long as the reference: no penalty.
    value = bleu("the cat sat on the mat", ["the cat sat in the mat"])
    assert value == pytest.approx(exp((log(5 / 6) + log(3 / 5) + log(1 / 4) + log(1 / 6)) / 4))
    # Two words: n goes to 2 only. Half as long as the reference.
    assert bleu("158 hours", ["158 hours every year"]) == pytest.approx(exp(1 - 4 / 2))


def test_chrf_by_hand() -> None:
    # Only n = 1 and 2 exist: characters 1 of 2 in common, pairs 0 of 1. P = R = (1/2 + 0) / 2.
    assert chrf("ab", ["ac"]) == pytest.approx(1 / 4)
    assert chrf("产 量", ["产量"]) == pytest.approx(1.0)


def test_rouge_by_hand() -> None:
    answer, expected = "a b c d", ["b d c"]
    assert rouge1(answer, expected) == pytest.approx(2 * 3 / 7)
    assert rouge2(answer, expected) == 0.0
    assert rouge_l(answer, expected) == pytest.approx(2 * 2 / 7)


def test_meteor_by_hand() -> None:
    # "cats" matches "cat" by its stem: 3 matches in one chunk, P = 3/3, R = 3/4.
    mean = (1 * 0.75) / (0.9 * 1 + 0.1 * 0.75)
    assert meteor("the cats sat", ["the cat sat down"]) == pytest.approx((1 - 0.5 * (1 / 3) ** 3) * mean)
    assert meteor("158", ["158"]) == 0.5


@BOTH
def test_best_of_several_and_nothing_at_all(measure: Measure) -> None:
    assert measure("the answer is 42", ["something else", "the answer is 42"]) > 0.9
    assert measure("", ["x"]) == measure("x", []) == measure("", [""]) == measure("", []) == 0.0


@BOTH
def test_markers_are_no_part_of_an_answer(measure: Measure) -> None:
    assert measure("the heron opened in 1987 [1].", ["the heron opened in 1987 ."]) == pytest.approx(
        measure("the heron opened in 1987 .", ["the heron opened in 1987 ."])
    )


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=2))
@settings(deadline=None)
def test_within_bounds_for_any_text(answer: str, expected: list[str]) -> None:
    for measure in TEXT_MEASURES:
        assert 0.0 <= measure(answer, expected) <= 1.0 + 1e-9, measure


def test_corpus_bleu_equals_sacrebleu_and_pools() -> None:
    from sacrebleu.metrics import BLEU

    given_, expected = ["the cat sat on the mat .", "it is 42 ."], [["the cat sat on a mat ."], ["it is 42 .", "42"]]
    streams = [["the cat sat on a mat .", "it is 42 ."], [None, "42"]]
    assert corpus_bleu(given_, expected) == pytest.approx(BLEU().corpus_score(given_, streams).score / 100, abs=1e-9)
    assert corpus_bleu(given_, expected) != pytest.approx(sum(map(bleu, given_, expected)) / 2, abs=1e-3)
    assert corpus_bleu([], []) == 0.0


@pytest.mark.parametrize(
    ("measure", "package"),
    [(bleu, "sacrebleu.metrics.bleu"), (chrf, "sacrebleu.metrics.chrf"), (rouge1, "rouge_score.rouge_scorer"),
     (meteor, "nltk.translate.meteor_score")],
)  # fmt: skip
def test_a_missing_package_is_named_with_the_extra(
    measure: Measure, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eval.metrics import bleu as bleu_module
    from eval.metrics import chrf as chrf_module
    from eval.metrics import rouge as rouge_module

    for module in (bleu_module, chrf_module, rouge_module):
        module._scorer.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing, match=r"tuwen\[eval\]"):
        measure("a b", ["a b"])
    for module in (bleu_module, chrf_module, rouge_module):
        module._scorer.cache_clear()


def test_measures_by_name_and_the_convention() -> None:
    every = list(answers.MEASURES)
    assert answers.score("158 hours [1]", ["158 hours"], every)["bleu"] == pytest.approx(1.0)
    assert set(answers.score("x", ["y"])) == set(answers.DEFAULT)
    assert answers.score("anything", [], every, answerable=False) == dict.fromkeys(every, 0.0)
    assert answers.score("no answer", [], every, answerable=False, abstained=True) == dict.fromkeys(every, 1.0)
    assert answers.score("158 hours", ["158 hours"], every, abstained=True) == dict.fromkeys(every, 0.0)
    assert answers.score("anything", []) == {}
    with pytest.raises(BadRequest, match="rougeL"):
        answers.score("x", ["y"], ["rogue"])
