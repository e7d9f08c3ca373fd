from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Passage, Usage
from rag.documents import Chunk, DocumentRef
from rag.generators.estimate import estimate_tokens
from rag.generators.extractive import ExtractiveGenerator
from rag.generators.units import clean, table_rows
from rag.language import language_of
from rag.protocols import GenerationRequest, Sampling
from rag.retrieval.cite import resolve


def passage(number: int, text: str, *, headings: tuple[str, ...] = ()) -> Passage:
    chunk = Chunk(f"c{number}", f"d{number}", 0, "text", text, headings=headings)
    return Passage(
        number, Hit(chunk, DocumentRef(f"d{number}", f"d{number}.md", "text/markdown", "default"), 1.0, {}), text
    )


def answer(question: str, *passages: Passage) -> str:
    request = GenerationRequest(question, language_of(question), passages, (), (), Sampling())
    return "".join(piece for piece in ExtractiveGenerator().stream(request) if isinstance(piece, str))


CENSUS = passage(
    1,
    "The report describes people of all ages. Approximately 56.7 million people living in the United States had some "
    "kind of disability in 2010. This accounted for 18.7 percent of the population that year. Ducks are not counted.",
)
REGION = passage(
    2,
    "TiKV 将整个空间分成很多段，每一段叫做一个 Region。每个 Region 中保存的数据量默认维持在 256 MiB 左右（可以通过配置修改）。"
    "数据存储的基本单位还有很多。",
)
TABLE = passage(
    3,
    "| Animal | Activity | Place |\n|---|---|---|\n| Giraffe | Driving a car | Home |\n| Lion | Putting on sunscreen | Park |",
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How many people in the United States had a disability in 2010, and what share of the population was that?",
            "Approximately 56.7 million people living in the United States had some kind of disability in 2010 [1]. "
            "This accounted for 18.7 percent of the population that year [1].",
        ),
        (
            "TiKV 中每个 Region 默认保存多少数据？",
            "每个 Region 中保存的数据量默认维持在 256 MiB 左右（可以通过配置修改）[2]。",
        ),
        (
            "Which animal is putting on sunscreen, and where?",
            "Animal: Lion, Activity: Putting on sunscreen, Place: Park [3].",
        ),
    ],
)
def test_the_sentences_that_answer(question: str, expected: str) -> None:
    assert answer(question, CENSUS, REGION, TABLE) == expected


def test_the_order_of_the_passages_decides_between_equals() -> None:
    one, other = passage(1, "The bridge is 300 metres long."), passage(2, "The bridge is 200 metres long in winter.")
    assert "300" in answer("How long is the bridge?", one, other)


def test_a_date_answers_when_and_a_definition_answers_what() -> None:
    text = passage(
        1, "The bridge was planned by many people. The bridge was opened on May 4, 1931. Raft is a consensus protocol."
    )
    assert answer("When was the bridge opened?", text) == "The bridge was opened on May 4, 1931 [1]."
    definition = passage(1, "TiKV 使用 Raft 复制数据，Raft 很快。Raft 是一个一致性协议。")
    assert answer("什么是 Raft？", definition).startswith("Raft 是一个一致性协议[1]。")


def test_headings_help_to_find_the_sentence() -> None:
    feeding = passage(1, "They eat grass and small fish.", headings=("Ducks", "Feeding"))
    flying = passage(2, "They eat nothing on the way.", headings=("Geese", "Flying"))
    assert answer("What do ducks eat?", flying, feeding).startswith("They eat grass and small fish [1].")


def test_footnotes_and_markup_of_the_source_are_not_shown_as_citations() -> None:
    text = passage(1, "- **Ducks** are [birds](https://example.org/b).[12] They *swim* well.[3]")
    assert answer("What are ducks?", text) == "Ducks are birds [1]."
    assert clean("称为*条件概率*（`P`）[2]") == "称为条件概率（P）"


def test_nothing_to_quote_gives_an_empty_answer_and_a_usage() -> None:
    request = GenerationRequest("Why?", "en", (), (), (), Sampling())
    assert list(ExtractiveGenerator().stream(request)) == [Usage(0, 0)]


def test_table_rows_say_what_their_cells_are() -> None:
    assert table_rows(["| Year | Target |", "|:--|--:|", "| 2019 | ≥18 |", "| 2020 | |"]) == [
        "Year: 2019, Target: ≥18",
        "Year: 2020",
    ]
    assert table_rows(["| 年份 | 目标 |", "|---|---|", "| 今年 | 十八 |"]) == ["年份: 今年，目标: 十八"]


PIECES = st.sampled_from("Ducks|swim.|in 2010.|数据|保存在磁盘。|\n|| a | b ||[3]|A|lists:|x = 1;".split("|"))


@settings(deadline=None)
@given(
    st.lists(st.lists(PIECES, max_size=25).map(" ".join), max_size=4),
    st.sampled_from(["Where do ducks swim?", "数据在哪里？"]),
)
def test_every_marker_names_a_passage_and_the_answer_never_changes(texts: list[str], question: str) -> None:
    passages = [passage(number, text) for number, text in enumerate(texts, start=1)]
    said = answer(question, *passages)
    assert said == answer(question, *passages)
    assert resolve(said, passages).dropped == 0


def test_what_it_says_can_be_verified() -> None:
    said = answer("How many people had a disability in 2010?", CENSUS, REGION)
    assert all(citation.verified for citation in resolve(said, (CENSUS, REGION)).citations)


def test_the_estimate_grows_with_the_text() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("数据存储") == 4
    assert estimate_tokens("internationalisation") == 5
    assert estimate_tokens("12,345.6") == 8


def test_a_forms_row_names_its_own_cells() -> None:
    form = ["| Certificate: | Student | Age: | 32 |", "|---|---|---|---|", "| Flight Time: | 28 hours | | |", "| Seat: | | Rating: | None |"]  # fmt: skip
    assert table_rows(form) == ["Flight Time: 28 hours", "Rating: None"]
