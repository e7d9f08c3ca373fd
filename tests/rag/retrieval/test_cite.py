from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Hit, Passage
from rag.documents import Box, Chunk, DocumentRef, ImageChunk, ImageEntry
from rag.retrieval.cite import Resolver, resolve


def passage(number: int, text: str, *, chunk_text: str | None = None, name: str = "report.pdf") -> Passage:
    chunk = Chunk(f"c{number}", "d", number, "text", chunk_text or text, page=2, boxes=(Box(2, 1, 2, 3, 4),))
    return Passage(number, Hit(chunk, DocumentRef("d", name, "application/pdf", "default"), 1.0, {}), text)


CENSUS = passage(
    1,
    "Approximately 56.7 million people living in the United States had some kind of disability in 2010. "
    "This accounted for 18.7 percent of the 303.9 million people in the population that year. "
    "The survey was not conducted in Alaska.",
)
REGION = passage(
    2,
    "TiKV 以 Region 为单位管理数据。每个 Region 中保存的数据量默认维持在 256 MiB 左右。PD 不保存用户数据。",
    name="tidb.md",
)
BOTH = (CENSUS, REGION)


@pytest.mark.parametrize(
    ("written", "markers"),
    [
        ("It rained [1].", [1]),
        ("It rained [1,2].", [1, 2]),
        ("It rained [1][2].", [1, 2]),
        ("It rained【1】.", [1]),
        ("It rained [1-2].", [1, 2]),
        ("It rained [1、2].", [1, 2]),
        ("It rained. [2]", [2]),
        ("It rained [2][2].", [2]),
    ],
)
def test_every_way_of_writing_markers(written: str, markers: list[int]) -> None:
    resolved = resolve(written, BOTH)
    assert [citation.marker for citation in resolved.citations] == markers
    assert resolved.text == "It rained " + "".join(f"[{marker}]" for marker in markers) + "."
    assert resolved.dropped == 0


def test_unknown_markers_leave_the_text_and_are_counted() -> None:
    resolved = resolve("56.7 million people had a disability in 2010 [1][7]. Nothing more is known [9].", BOTH)
    assert resolved.dropped == 2
    assert "[7]" not in resolved.text
    assert "[9]" not in resolved.text


@pytest.mark.parametrize(
    "text", ["The interval [0, 1] is closed [1].", "See [the list](http://a.b) [1].", "In [2019] [1]."]
)
def test_brackets_that_are_no_markers_stay(text: str) -> None:
    assert resolve(text, BOTH).text == text


def test_a_true_claim_is_verified_and_quoted_exactly() -> None:
    (citation,) = resolve("In 2010, about 56.7 million people had a disability [1].", BOTH).citations
    assert citation.verified
    assert citation.quote == CENSUS.text[:98]
    assert (citation.page, citation.boxes, citation.chunk_id) == (2, CENSUS.hit.chunk.boxes, "c1")


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ("In 2010, about 65.7 million people had a disability [1].", "another number"),
        ("In 2011, about 56.7 million people had a disability [1].", "another year"),
        ("In 2010, 56.7 million people living in Canada had a disability [1].", "another name"),
        ("The survey was conducted in Alaska [1].", "a negation left out"),
        (
            "56.7 million people living in the United States did not have some kind of disability in 2010 [1].",
            "a negation",
        ),
        ("Dogs bark loudly at night [1].", "other words"),
        ("每个 Region 默认维持在 128 MiB 左右 [2]。", "another number"),
        ("PD 保存用户数据 [2]。", "a negation left out"),
    ],
)
def test_a_changed_claim_is_not_verified(claim: str, why: str) -> None:
    (citation,) = resolve(claim, BOTH).citations
    assert not citation.verified, why
    assert 0 <= citation.score < 1


@pytest.mark.parametrize(
    "claim",
    [
        "18.7% of the population had one [1].",
        "Some 56,700,000 people living in the United States had some kind of disability [1].",
        "About 57 million people living in the United States had a disability in 2010 [1].",
    ],
)
def test_formats_and_declared_rounding_are_tolerated(claim: str) -> None:
    assert resolve(claim, BOTH).citations[0].verified


def test_each_of_two_markers_vouches_for_its_own_part() -> None:
    resolved = resolve("56.7 million people had a disability in 2010 [1], and a Region keeps 256 MiB [2].", BOTH)
    first, second = resolved.citations
    assert first.verified
    assert second.quote == "每个 Region 中保存的数据量默认维持在 256 MiB 左右。"


def test_an_answer_without_markers_gets_them_where_they_hold() -> None:
    resolved = resolve("每个 Region 默认保存 256 MiB 左右的数据。", BOTH)
    assert resolved.text == "每个 Region 默认保存 256 MiB 左右的数据[2]。"
    assert resolved.attributed == 1
    assert resolved.citations[0].verified


def test_an_answer_that_nothing_carries_gets_one_unverified_marker() -> None:
    resolved = resolve("The moon is made of cheese. It is very old.", BOTH)
    assert len(resolved.citations) == 1
    assert not resolved.citations[0].verified


def test_a_wrong_marker_is_corrected_when_another_passage_carries_the_claim() -> None:
    resolved = resolve("每个 Region 中保存的数据量默认维持在 256 MiB 左右 [1]。", (passage(1, "PD 负责调度。"), REGION))
    assert [citation.marker for citation in resolved.citations] == [2]
    assert resolved.corrected == 1


def test_a_wrong_marker_of_another_language_is_corrected_too() -> None:
    found = resolve(
        "The lion is putting on sunscreen at the park [2].",
        [passage(1, "A lion is putting on sunscreen at the park."), passage(2, "防晒霜和拨片的标签。")],
    )
    assert [(c.marker, c.verified) for c in found.citations] == [(1, True)]
    assert found.corrected == 1


def test_across_languages_only_facts_are_checked_and_it_is_said() -> None:
    resolved = resolve("2010 年美国约有 5670 万残疾人 [1]。", BOTH)
    assert resolved.citations[0].verified
    assert "different languages" in resolved.notes[0]
    assert not resolve("2010 年美国约有 6670 万残疾人 [1]。", BOTH).citations[0].verified
    assert not resolve("美国有很多残疾人 [1]。", BOTH).citations[0].verified


def test_a_table_row_is_read_with_its_header() -> None:
    table = passage(
        1,
        "| Animal | Activity | Place |\n|---|---|---|\n| Lion | Putting on sunscreen | Park |\n| Cat | Sleeping | Sofa |",
    )
    (citation,) = resolve("The animal putting on sunscreen in the park is the Lion [1].", (table,)).citations
    assert citation.verified
    assert citation.quote == "| Lion | Putting on sunscreen | Park |"


def test_the_quote_of_a_widened_passage_stands_in_its_own_chunk() -> None:
    widened = passage(1, f"{CENSUS.text}\nThe next chunk speaks of 12 dogs.", chunk_text=CENSUS.text)
    (citation,) = resolve("The next chunk speaks of 12 dogs [1].", (widened,)).citations
    assert citation.verified
    assert citation.quote in widened.hit.chunk.text


def test_names_two_sentences_before_and_glued_to_chinese_are_found() -> None:
    text = passage(
        1,
        "Alex Krizhevsky 实现了深度卷积神经网络的训练。他们意识到瓶颈在哪里。于是他们用两个显存为3GB的NVIDIA GTX580 GPU训练。",
    )
    claim = "Krizhevsky 训练时用了两个显存为3GB的NVIDIA GTX580 GPU [1]。"
    assert resolve(claim, (text,)).citations[0].verified
    assert not resolve(claim.replace("Krizhevsky", "Sutskever"), (text,)).citations[0].verified
    assert not resolve(claim.replace("NVIDIA", "AMD"), (text,)).citations[0].verified


def test_wrapped_lines_are_one_sentence() -> None:
    wrapped = passage(1, "Approximately 56.7 million people\nliving in the United States had\na disability in 2010.")
    (citation,) = resolve(
        "56.7 million people living in the United States had a disability in 2010 [1].", (wrapped,)
    ).citations
    assert citation.verified
    assert citation.quote == wrapped.text


def test_no_passages_and_no_text() -> None:
    assert resolve("Hello [1].", ()).dropped == 1
    assert resolve("", BOTH).citations == ()


@settings(deadline=None)
@given(st.text(alphabet="ab .[]123,-【】。！\n", max_size=60))
def test_resolving_keeps_its_promises_for_any_text(text: str) -> None:
    resolved = resolve(text, BOTH)
    for citation in resolved.citations:
        own = next(p for p in BOTH if p.number == citation.marker)
        assert citation.quote in own.hit.chunk.text
        assert 0 <= citation.score <= 1
        assert f"[{citation.marker}]" in resolved.text


@settings(deadline=None)
@given(st.integers(1, 7))
def test_streamed_citations_come_when_their_sentence_is_complete(size: int) -> None:
    answer = "In 2010, 56.7 million people had a disability [1]. 每个 Region 默认 256 MiB [2]。 The end is here [1]."
    resolver, found = Resolver(BOTH), []
    for start in range(0, len(answer), size):
        found += [citation.marker for citation in resolver.feed(answer[start : start + size])]
    assert found == [1, 2]
    assert resolver.finish() == resolve(answer, BOTH)


def photographed() -> Passage:
    entries = (ImageEntry("label", "American black bear"), ImageEntry("ocr", "Trail 7"))
    chunk = ImageChunk("i", "d", 0, "0" * 64, "image/jpeg", 4, 3, entries)
    return Passage(
        1,
        Hit(chunk, DocumentRef("d", "bear.jpg", "image/jpeg", "default"), 1.0),
        "bear.jpg\nAmerican black bear; Trail 7",
    )


def test_what_nobody_saw_in_a_picture_is_not_counted() -> None:
    invented = "There are two birds around the American black bear [1]."
    found = resolve(invented, [photographed()])
    assert (found.text, found.citations) == ("", ())
    assert found.unsupported == ("There are two birds around the American black bear.",)
    assert "1 numbers told of pictures were cut" in found.notes[0]
    # Who was shown the picture may count; so may who reads the number beside it, or says no number.
    assert resolve(invented, [photographed()], seen=True).text == invented
    assert resolve("The bear is on Trail 7 [1].", [photographed()]).text
    assert resolve("The picture shows a bear among fallen trees [1].", [photographed()]).text


def test_a_number_beside_a_picture_is_kept_where_words_are_cited_too() -> None:
    words = Passage(2, Hit(Chunk("t", "d", 1, "text", "Two birds sat there."), DocumentRef("d", "b.md", "text/markdown", "default"), 1.0), "Two birds sat there.")  # fmt: skip
    assert resolve("There are two birds around the American black bear [1][2].", [photographed(), words]).text
