import pytest

from rag.retrieval.declining import declines


@pytest.mark.parametrize(
    "text",
    [
        "The price of TiDB's commercial edition is not mentioned in the given passages. [1]",
        "The passages do not provide the diameter of the telescope [2].",
        "There is no information about the director in the documents.",
        "片段中没有提到商业版的价格。[1]",
        "文档未提供该信息。",
    ],
)
def test_a_refusal_in_the_models_own_words(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The pilot had a total of 2411 hours of flight. [1]",
        "Users must not share passwords [1].",
        "The passages do not name him. The report says that the valve failed [2].",
        "每个 Region 默认保存 256 MiB 左右的数据。[1]",
        "没有员工可以共享密码。[1]",
    ],
)
def test_an_answer_is_none(text: str) -> None:
    assert not declines(text)
