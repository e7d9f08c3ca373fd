"""From judgements to passages, and what counts as carrying an answer or as a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.datasets.corpus import FileCorpus, TextCorpus
from eval.datasets.model import Dataset, Question
from eval.failures.carries import carries, checkable, literally
from eval.failures.doubt import doubt
from eval.failures.gold import Gold, find_gold
from eval.failures.rule import Rule, answer_is_right
from eval.system import Filled, Found, FoundHit, Given, IndexedChunk
from rag.answers import Turn

FILES = FileCorpus(Path("/nowhere"), ("a.pdf", "b.pdf"))


class Index:
    """Passages by document, each with its page."""

    def __init__(self, **documents: list[tuple[str, int]]) -> None:
        self.documents = {f"{name}.pdf": passages for name, passages in documents.items()}

    def chunks(self, document: str) -> list[IndexedChunk]:
        return [
            IndexedChunk(f"{document}.{n}", "text", text, (page,))
            for n, (text, page) in enumerate(self.documents.get(document, []))
        ]

    def fill(self, files: Any, on_file: Any) -> Filled:
        raise NotImplementedError

    def search(self, question: str, top_k: int) -> Found:
        raise NotImplementedError

    def answer(self, question: str, top_k: int, turns: tuple[Turn, ...] = ()) -> Given:
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        return {}

    def close(self) -> None: ...


def gold(index: Index, *answers: str, documents: tuple[str, ...] = ("a.pdf",), **labels: Any) -> Gold:
    question = Question("q", "?", answers)
    corpus = labels.pop("corpus", FILES)
    kept = {name: {"q": frozenset(value)} for name, value in labels.items()}
    dataset = Dataset("s", (question,), {"q": dict.fromkeys(documents, 1)}, kept.pop("pages", {}), corpus, **kept)
    return find_gold(index, dataset, question, {name: name for name in ("a.pdf", "b.pdf")})


def test_a_document_is_narrowed_to_what_carries_the_answer() -> None:
    index = Index(a=[("Cover", 1), ("Costs were 42 yuan.", 2), ("The cost is 42 yuan, again.", 7)])
    found = gold(index, "42 yuan")
    assert set(found.chunks) == {"a.pdf.1", "a.pdf.2"}
    assert found.labelled == {"a.pdf.0", "a.pdf.1", "a.pdf.2"}
    assert (found.state, found.grain, found.narrowed, found.lacks) == ("found", "document", True, False)
    everything = gold(index)
    assert set(everything.chunks) == found.labelled
    assert not everything.narrowed


def test_a_page_names_its_passages_only() -> None:
    index = Index(a=[("Cover", 1), ("Costs were 42 yuan.", 2), ("Costs were 42 yuan.", 7)])
    assert set(gold(index, "42 yuan", pages=[("a.pdf", 7)]).chunks) == {"a.pdf.2"}
    nothing = gold(index, "42 yuan", pages=[("a.pdf", 5)])
    assert (nothing.state, nothing.why) == ("unparsed", "no passage lies on a.pdf page 5")


def test_the_number_of_an_answer_of_two_parts_decides() -> None:
    index = Index(a=[("The accident at Wausau, in snow.", 1), ("Flight time: 158 hours", 3), ("Age: 61", 3)])
    found = gold(index, "Wausau, WI; 158 hours", pages=[("a.pdf", 1), ("a.pdf", 3)])
    assert set(found.chunks) == {"a.pdf.1"}


def test_a_text_that_lacks_the_answer() -> None:
    index = Index(a=[("name: bear\nlabel: American black bear; 美洲黑熊", 1)])
    assert gold(index, "Five").lacks
    assert not gold(index, "black bear").lacks
    # A long answer is seldom worded as the document does, one in another language never.
    assert not gold(index, "The large animal was seen by several people walking near fallen trees").lacks
    assert not gold(Index(a=[("茶园每年收租金一元。", 1)]), "One yuan").lacks
    # Nor one that works out a number from those that stand there.
    sums = Index(a=[("Data Center 14,514\nTotal revenue 18,120", 1)])
    computed = "The data center business earned $14,514 million, about 80.1% of the total revenue of $18,120 million."
    assert not gold(sums, computed).lacks
    assert gold(sums, "The data center business earned about 80.1% of the total revenue of that quarter.").lacks


def test_documents_that_are_not_there() -> None:
    assert gold(Index(b=[("42", 1)]), "42").state == "missing"
    # One of two is enough.
    assert gold(Index(b=[("42", 1)]), "42", documents=("a.pdf", "b.pdf")).state == "found"


@pytest.mark.parametrize(
    "texts",
    [
        ["It began. The tea garden planted", "sixty three mu of tea in spring. Then"],
        ["It began. The tea garden planted sixty", "planted sixty three mu of tea in spring. Then"],
        ["It began. The tea garden", "planted sixty three", "mu of tea in spring. Then"],
    ],
)
def test_a_quote_cut_apart(texts: list[str]) -> None:
    quote = "The tea garden planted sixty three mu of tea in spring"
    found = gold(Index(a=[("Before.", 1), *((text, 2) for text in texts), ("After.", 3)]), quotes=[("a.pdf", quote)])
    assert found.state == "split"
    assert list(found.chunks) == [f"a.pdf.{n + 1}" for n in range(len(texts))]
    whole = gold(Index(a=[*((text, 2) for text in texts), (quote, 2)]), quotes=[("a.pdf", quote)])
    assert (whole.state, list(whole.chunks)) == ("found", [f"a.pdf.{len(texts)}"])


@given(st.integers(1, 11))
def test_wherever_a_quote_is_cut_it_is_found_to_be_split(cut: int) -> None:
    words = "seven grey herons stood in the shallow water near the old mill".split()
    index = Index(a=[("One. " + " ".join(words[:cut]), 1), (" ".join(words[cut:]) + ". Two.", 1)])
    found = gold(index, quotes=[("a.pdf", " ".join(words))])
    # A passage that has nearly all of it has it.
    assert found.state == ("split" if 0.2 < cut / len(words) < 0.8 else found.state)
    assert found.state in ("split", "found")


def test_a_quote_that_nobody_read() -> None:
    found = gold(Index(a=[("Something else", 1)]), quotes=[("a.pdf", "The tea garden planted sixty three mu")])
    assert (found.state, found.grain) == ("unparsed", "quote")
    assert "The tea garden" in found.why


def test_a_span_is_read_in_the_text_that_was_ingested() -> None:
    text = "The first has 5 rooms. Much later the second has 5 rooms, too."
    corpus = TextCorpus(Path("/nowhere"), {"a.pdf": text})
    at = text.rindex("5 rooms")
    index = Index(a=[(text[:22], 1), (text[23:], 1)])
    found = gold(index, "5 rooms", corpus=corpus, spans=[("a.pdf", at, at + 7)])
    assert (found.grain, list(found.chunks)) == ("span", ["a.pdf.1"])


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("18.7 percent", "a share of 18.7 percent."),
        ("1,265", "| 2021 | 1265 |"),
        ("2,100 thousand yuan", "| in thousand yuan | | instruments | 2,100 |"),
        ("56.7 million people", "5670 万人，即 56.7 million people"),
        ("the lion at the park", "| Lion | Putting on sunscreen | At the park |"),
        ("一元", "每年租金为一元。"),
    ],
)
def test_carries(answer: str, text: str) -> None:
    assert carries(answer, text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("5 rooms", "15 rooms"),
        ("18.7 percent", "118.7 percent"),
        ("April 1989", "April 1998"),
        ("Teacup", "Teapot"),
        ("", "x"),
    ],
)
def test_does_not_carry(answer: str, text: str) -> None:
    assert not carries(answer, text)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_what_stands_there_is_carried(before: str, answer: str, after: str) -> None:
    # Cut at spaces, so that no word, number or thousands separator grows together.
    text = f"{before} ; {answer} ; {after}"
    assert not answer.strip() or not literally(answer, answer) or carries(answer, text)


@pytest.mark.parametrize(
    ("question", "answer", "expected", "right"),
    [
        ("How many?", "There were 56.7 million (18.7 percent) [1].", "About 56.7 million, 18.7 percent", True),
        ("How many?", "There were 54.4 million (18.7 percent) [1].", "About 56.7 million, 18.7 percent", False),
        ("How many hours?", "The pilot had 28 hours [3].", "Wausau, WI (CHI08CA047); 158 hours", False),
        ("用了几块什么 GPU？", "用了两个 NVIDIA GTX580 GPU[2]。", "两块显存 3GB 的 NVIDIA GTX580", True),
        ("箭头标注是什么？", "箭头标注是 TiDB Server 和 PD Server 之间的通信[2]。", "TSO/Data location", False),
        ("箭头标注是什么？", "箭头上写着 TSO/Data location[2]。", "TSO/Data location", True),
        ("每次要加多少升液氮？", "Add 18 litres at least every 36 hours [1].", "18 升，最迟每 36 小时一次", True),
        ("为什么跳过？", "Because the hash is the same [1].", "因为内容没有变", None),
        ("为什么？", "指纹和设置都与上次相同[1]。", "因为 SHA-256 指纹和设置都与上次相同", True),
        ("How much?", "茶园将投资 240 万元，预计 2026 年 9 月投入使用[1]", "2.4 million yuan (240 万元)", True),
        ("How much?", "茶园将投资 340 万元[1]", "2.4 million yuan (240 万元)", False),
        ("Who?", "It was Amara Solheim [1].", "Amara Solheim", True),
        ("Why?", "No idea.", "Because a pickle can run code", False),
    ],
)
def test_a_right_answer(question: str, answer: str, expected: str, right: bool | None) -> None:
    assert answer_is_right(question, answer, [expected], 0.5) is right


def test_one_of_several_expected_answers_is_enough() -> None:
    assert answer_is_right("?", "It was blue.", ["red", "blue"], 0.5)
    assert answer_is_right("?", "It was blue.", [], 0.5) is None


def test_checkable() -> None:
    assert checkable("63", "The garden has 12 mu")
    assert not checkable("sixty-three", "茶园有十二亩")
    assert not checkable("", "text")


def test_an_unjudged_passage_with_the_answer_makes_the_label_doubtful() -> None:
    question = Question("q", "Which animal is putting on sunscreen?", ("The lion, at the park",))
    judged = Gold("found", "document", {}, frozenset({"a"}))
    hits = [
        FoundHit("x.pptx", chunk, 1.0, (3,), "| Lion | Putting on sunscreen | At the park |") for chunk in ("a", "b")
    ]
    found = doubt(question, judged, Found(tuple(hits)), None, Rule())
    assert found is not None
    assert (found["passage"]["chunk_id"], found["why"]) == (
        "b",
        "“The lion, at the park” also stands in x.pptx, page 3, which is not judged",
    )
    assert doubt(question, judged, Found(tuple(hits)), None, Rule(read=1)) is None
    # A single word stands in many places.
    five = Question("f", "How many clear nights were there?", ("Five",))
    assert doubt(five, judged, Found((FoundHit("x", "b", 1.0, (), "Five visitors came."),)), None, Rule()) is None
