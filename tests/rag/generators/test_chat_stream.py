from __future__ import annotations

import pytest

from rag.answers import Usage
from rag.errors import GeneratorUnavailable
from rag.generators.chat_stream import read_events


def piece(text: str, finish: str = "null") -> str:
    return f'data: {{"choices": [{{"delta": {{"content": "{text}"}}, "finish_reason": {finish}}}]}}'


def test_pieces_then_usage() -> None:
    usage = 'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}'
    lines = [": ping", "", piece("a"), piece("b", '"stop"'), usage, "data: [DONE]"]
    assert list(read_events(lines)) == ["a", "b", Usage(5, 2)]


def test_a_stream_without_usage_counts_zero() -> None:
    assert list(read_events([piece("a", '"stop"')])) == ["a", Usage()]


@pytest.mark.parametrize(
    "lines", [[piece("a")], [], ["data: nonsense"], ['data: {"error": {"message": "boom"}}'], ["data: [1]"]]
)
def test_broken_streams_are_reported(lines: list[str]) -> None:
    with pytest.raises(GeneratorUnavailable):
        list(read_events(lines))
