from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.near_duplicates import signature

RULE = (
    "The standing trustee must keep a record of every payment that is received from a debtor and of every cheque that is "
    "drawn on the trust account, and send a copy of it to the United States Trustee before the end of the month."
)
规定 = "受托人应当保存从债务人收到的每一笔付款以及从信托账户开出的每一张支票的记录，并在月底之前将副本送交美国受托人办公室。"


def same(one: str, other: str) -> bool:
    return signature(one).same(signature(other))


@pytest.mark.parametrize("text", [RULE, 规定])
def test_copies_are_found(text: str) -> None:
    assert same(text, text)
    assert same(text, f"  {text.upper()}\n")
    assert same(text, f"B. {text}"), "the label of a list"
    assert same(RULE, f"Trust account\n\n{RULE}")


def test_full_width_forms_are_the_same() -> None:
    assert same(规定 + "ＡＢＣ１２", 规定 + "abc12")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{RULE} Keep it for 7 years.", f"{RULE} Keep it for 5 years."),
        (f"{RULE} {RULE} It is enough.", f"{RULE} {RULE} It is not enough."),
        (f"{RULE} {RULE} Signed by Miller.", f"{RULE} {RULE} Signed by Weber."),
        (规定 + 规定, 规定.replace("应当", "不应当") + 规定),
        (RULE, RULE[: len(RULE) // 2]),
        (RULE, 规定),
        ("See the table below.", "See the figure below."),
    ],
)
def test_what_says_something_else_is_no_copy(one: str, other: str) -> None:
    assert not same(one, other)


def test_nothing_is_like_nothing_only() -> None:
    assert same("", " — ")
    assert not same("", "word")


_word = st.sampled_from([f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300)])


@settings(max_examples=40, deadline=None)
@given(st.lists(_word, min_size=40, max_size=120), st.lists(_word, max_size=40))
def test_the_estimate_is_near_the_jaccard_similarity(shared: list[str], more: list[str]) -> None:
    def shingles(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + 4]) for i in range(len(words) - 3)}

    one, other = shingles(shared), shingles(shared + more)
    true = len(one & other) / len(one | other)
    found = signature(" ".join(shared)).similarity(signature(" ".join(shared + more)))
    # Five standard errors of 128 permutations.
    assert abs(found - true) <= 5 * (true * (1 - true) / 128) ** 0.5 + 0.02
