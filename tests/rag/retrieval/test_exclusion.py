"""What is cut out of a question, and what is left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.exclusion import LEAST_WORDS, without_exclusions
from rag.words import content_words, words


@pytest.mark.parametrize(
    ("question", "left"),
    [
        (
            "While the Tea Office keeps a register of growers, what is the term for the autumn meeting, not a register, where prices are agreed?",
            "what is the term for the autumn meeting, where prices are agreed?",
        ),
        (
            "The dome has a north motor and a south motor. What is the name of the lens, which is not part of the dome, that was polished in May?",
            "What is the name of the lens, that was polished in May?",
        ),
        (
            "Excluding the Saturday tours, what is the price of the winter course that is not about astronomy?",
            "what is the price of the winter course?",
        ),
        (
            "Which component of the mount is not related to steering but holds the counterweight in place?",
            "Which component of the mount holds the counterweight in place?",
        ),
        (
            "What element of the contract names the buyer, and is not a factor in the yearly bonus?",
            "What element of the contract names the buyer?",
        ),
        (
            "Unlike the village shop, which warehouse opens before seven in the morning?",
            "which warehouse opens before seven in the morning?",
        ),
        (
            "虽然茶园有采摘工和炒茶师傅，负责灌溉系统检修、不属于生产部门的岗位叫什么？",
            "负责灌溉系统检修岗位叫什么？",
        ),
        ("虽然茶园有采摘工，负责检修灌溉系统的岗位叫什么，而且不属于生产部门？", "负责检修灌溉系统的岗位叫什么？"),
        (
            "Never mind the winter tours and the shop: how is the dome of the small telescope turned?",
            "how is the dome of the small telescope turned?",
        ),
        (
            "Who sharpened the first lens of the observatory? I am not asking who repaired the mount in 2024.",
            "Who sharpened the first lens of the observatory?",
        ),
        (
            "How long do the grey seals stay ashore (not the harbour seals of the east coast)?",
            "How long do the grey seals stay ashore?",
        ),
        (
            "What drives the dome of the big telescope? The mirror is another matter.",
            "What drives the dome of the big telescope?",
        ),
        (
            "Setting the bonus rules aside for now, how many days of leave does a night assistant get?",
            "how many days of leave does a night assistant get?",
        ),
        ("白茶在几月采摘？我问的不是绿茶炒制的温度。", "白茶在几月采摘？"),
        ("撇开价格不谈，哪种茶最适合冬天喝？", "哪种茶最适合冬天喝？"),
        ("天文台的穹顶用什么电机驱动？望远镜主镜的事另当别论。", "天文台的穹顶用什么电机驱动？"),
        ("不同于龙井，云岭茶园的白茶在几月采摘？", "云岭茶园的白茶在几月采摘？"),
        ("天文台的观测穹顶不是用柴油而是用什么驱动旋转？", "天文台的观测穹顶用什么驱动旋转？"),
    ],
)
def test_what_is_cut(question: str, left: str) -> None:
    assert without_exclusions(question) == left


@pytest.mark.parametrize(
    "question",
    [
        "How long did the seized bearing keep Heron closed?",
        # What answers names both.
        "Besides green tea, what other teas does the estate make?",
        "Apart from the dome, what else was repaired in 2023?",
        "除了绿茶，茶园还生产什么茶？",
        "与去年相比，今年的产量如何？",
        # What something does not do is what it is found by.
        "Which laws were not improved on for nearly three thousand years?",
        "Which telescopes that did not open in July were repaired?",
        "What immune cells don't attack microbes directly?",
        # What somebody does, and is asked about.
        "When I forget to close the slit of the dome, what does the weather station do next?",
        "How do I skip the setup wizard of the second telescope?",
        "When the lights are out in the dome, which switch opens the slit?",
        # A time.
        "While Ada Lovelace lived in London, what did she publish about the engine?",
        # What is asked cannot be understood without what was said before.
        "The small telescope has a dome of its own. How long did its repair take in that year?",
        "云岭茶园有两个仓库。它们的面积分别是多少平方米？",
        "What are the details of the kinetic theory of gases. (Chapman-Enskog theory)",
        # Initials, abbreviations and titles are no sentences.
        "J. A. Hobson wanted which races to develop the world?",
        "《停止！！ 云雀》在什么期间动画化？",
        # Too little would be left.
        "Which drink is not a tea?",
        "这是什么，不是茶吗？",
        "Is it not a tea?",
        # White space, and signs alone.
        "What  is   the price ?",
        "?!",
        "",
    ],
)
def test_what_is_left_alone(question: str) -> None:
    assert without_exclusions(question) == ""


@given(st.text(alphabet=" ,.?!，。？notisawhchXbu但不是而且'’\n", max_size=120))
def test_words_are_only_left_out_and_enough_stay(question: str) -> None:
    left = without_exclusions(question)
    if left:
        assert len(content_words(left)) >= LEAST_WORDS
        assert len(re.sub(r"\W", "", left)) < len(re.sub(r"\W", "", question))


@given(
    st.lists(
        st.sampled_from(
            [
                "While",
                "tea",
                ",",
                "what",
                "is",
                "not",
                "a",
                "the",
                "which",
                "but",
                "and",
                "dome",
                "holds",
                "motor",
                "?",
                ".",
            ]
        )
    )
)
def test_no_word_is_made_up(parts: list[str]) -> None:
    question = " ".join(parts)
    assert set(words(without_exclusions(question))) <= set(words(question))
