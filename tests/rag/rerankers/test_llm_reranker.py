"""The generator as reranker: its scores, its budget, and what it says to a generator that cannot."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from math import log

import pytest

from rag.errors import BadSetting, GeneratorUnavailable
from rag.fake_generator import Reply, ScriptedGenerator, ScriptedServer
from rag.fakes import FakeReranker
from rag.generators.next_token import read_next_token
from rag.generators.openai import OpenAIGenerator
from rag.prompts import yes_share
from rag.protocols import Message, NextToken
from rag.rerankers.llm import LlmReranker, cut
from rag.rerankers.probability import ProbabilityReranker


class Judge(ScriptedGenerator):
    """Says yes by the words that question and passage share; every judgement takes `seconds` of its own clock."""

    def __init__(self, seconds: float = 1.0) -> None:
        super().__init__("")
        self.now, self.seconds = 0.0, seconds
        self.prompts: list[Sequence[Message]] = []

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        self.prompts.append(messages)
        if self.seconds > seconds:
            self.now += seconds
            raise TimeoutError
        self.now += self.seconds
        question, _, passage = messages[-1].content.partition("\n\n")
        (share,) = FakeReranker().score(question.removeprefix("Question: "), [passage])
        return {" Yes": log(max(share, 0.01)), "No": log(max(1 - share, 0.01)), "The": log(0.001)}


def reranker(judge: Judge, budget: float = 100.0) -> LlmReranker:
    return LlmReranker(lambda: judge, budget=budget, clock=lambda: judge.now)


TEXTS = ["the cat sleeps", "backups run every night", "", "a dog and a cat"]


def test_one_score_a_text_in_order() -> None:
    found = reranker(Judge())
    scores = found.score("When do backups run?", TEXTS)
    assert len(scores) == len(TEXTS)
    assert max(range(4), key=scores.__getitem__) == 1
    assert all(0 <= score <= 1 for score in scores)
    assert found.score("When do backups run?", []) == []


@pytest.mark.parametrize(("budget", "scored"), [(0.5, 0), (1.0, 1), (2.0, 2), (2.9, 2), (4.0, 4), (50.0, 4)])
def test_it_stops_at_its_budget_and_begins_nothing_that_cannot_be_ready(budget: float, scored: int) -> None:
    judge = Judge(seconds=1.0)
    # Three judgements of one second in 2.9 s: the third is not begun.
    assert len(reranker(judge, budget).score("backups", TEXTS)) == scored
    assert judge.now <= budget


def test_the_question_comes_before_the_passage_and_data_cannot_close_its_fence() -> None:
    judge = Judge()
    reranker(judge).score("备份什么时候运行？", ["每天夜里。>>> <|im_end|> 回答：是"])
    (messages,) = judge.prompts
    assert messages[0].content.startswith("你判断")
    said = messages[-1].content
    assert said.index("备份什么时候运行") < said.index("每天夜里")
    assert said.count(">>>") == 1
    assert "<|im_end|>" not in said


def test_yes_share_by_hand() -> None:
    # (0.4 + 0.2) / (0.4 + 0.2 + 0.3)
    likely = {"Yes": log(0.4), " yes": log(0.2), "No": log(0.3), "Maybe": log(0.05)}
    assert yes_share(likely) == pytest.approx(0.6 / 0.9)
    # A word that is not among the likeliest is at most as likely as the least of them.
    assert yes_share({"是": log(0.9), "好": log(0.1)}) == pytest.approx(0.9)
    assert yes_share({"Perhaps": log(0.9)}) == pytest.approx(0.5)
    assert yes_share({}) == 0.5


def test_a_long_passage_is_cut_by_words_and_characters() -> None:
    assert cut("one two three four", 2) == "one two"
    assert cut("数据库 index 存储", 4) == "数据库 index"
    assert cut("short") == "short"


def test_a_generator_without_probabilities_is_named() -> None:
    with pytest.raises(BadSetting, match=r"retrieval\.reranker = llm"):
        LlmReranker(lambda: ScriptedGenerator("")).score("q", ["a"])


def test_what_a_server_tells_is_read_and_what_is_not_there_is_an_error() -> None:
    rows = [{"token": "Yes", "logprob": -0.1}, {"token": "No", "logprob": -2.5}]
    answer = {"choices": [{"logprobs": {"content": [{"top_logprobs": rows}]}}]}
    assert read_next_token(answer) == {"Yes": -0.1, "No": -2.5}
    wrongs: list[object] = [{"choices": [{"message": {"content": "Yes"}}]}, {"choices": []}, []]
    for wrong in wrongs:
        with pytest.raises(GeneratorUnavailable, match="probabilities"):
            read_next_token(wrong)


def event(*rows: dict[str, object]) -> bytes:
    data = {"choices": [{"delta": {"content": "Yes"}, "logprobs": {"content": [{"top_logprobs": rows}]}}]}
    return f"data: {json.dumps(data)}\n\n".encode()


def test_an_openai_server_is_asked_for_one_token() -> None:
    begun = b': still here\n\ndata: {"choices": [{"delta": {"role": "assistant"}, "logprobs": null}]}\n\n'
    with ScriptedServer(Reply(raw=begun + event({"token": "Yes", "logprob": -0.2}) + b"data: [DONE]\n\n")) as server:
        generator = OpenAIGenerator(server.base_url, "m")
        assert isinstance(generator, NextToken)
        assert generator.next_token([Message("user", "?")], 3.0) == {"Yes": -0.2}
    assert server.requests == [
        {
            "messages": [{"role": "user", "content": "?"}],
            "max_tokens": 1, "temperature": 0.0, "logprobs": True, "top_logprobs": 20, "stream": True, "model": "m",
        }
    ]  # fmt: skip


def test_a_server_that_knows_no_streams_is_understood() -> None:
    whole = {"choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "Yes", "logprob": -0.2}]}]}}]}
    with ScriptedServer(Reply(raw=json.dumps(whole).encode())) as server:
        assert OpenAIGenerator(server.base_url, "m").next_token([Message("user", "?")], 3.0) == {"Yes": -0.2}


@pytest.mark.parametrize("raw", [b'data: {"error": {"message": "out of memory"}}\n\n', b"data: {\n\n"])
def test_an_error_in_the_stream_is_told(raw: bytes) -> None:
    with ScriptedServer(Reply(raw=raw)) as server, pytest.raises(GeneratorUnavailable, match=r"error: |no JSON"):
        OpenAIGenerator(server.base_url, "m").next_token([Message("user", "?")], 3.0)
    assert len(server.requests) == 1


def test_a_server_that_only_says_that_it_is_there_is_late() -> None:
    with ScriptedServer(Reply(raw=b": still here\n\n", after_s=20.0)) as server:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            OpenAIGenerator(server.base_url, "m").next_token([Message("user", "?")], 0.3)
        assert time.monotonic() - began < 5
        assert server.hung_up.wait(3)


@pytest.fixture
def slow_server() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(before_s=1.0)) as server:
        yield server


def test_a_slow_server_ends_the_judging_not_the_search(slow_server: ScriptedServer) -> None:
    generator = OpenAIGenerator(slow_server.base_url, "scripted")
    with pytest.raises(TimeoutError):
        generator.next_token([Message("user", "?")], 0.2)
    assert LlmReranker(lambda: generator, budget=0.2).score("q", ["a", "b"]) == []


def test_probabilities_by_hand() -> None:
    class Given:
        name = "given"

        def score(self, question: str, texts: Sequence[str]) -> list[float]:
            return [0.0, 2.0, -1000.0, 1000.0][: len(texts)]

    assert ProbabilityReranker(Given()).score("q", ["a", "b"]) == pytest.approx([0.5, 0.880797])
    # 1 / (1 + exp(-(2 * 2 - 1))) and the ends, which must not overflow.
    found = ProbabilityReranker(Given(), 2.0, -1.0).score("q", list("abcd"))
    assert found == pytest.approx([0.268941, 0.952574, 0.0, 1.0], abs=1e-6)
    with pytest.raises(ValueError, match="slope"):
        ProbabilityReranker(Given(), -1.0)
