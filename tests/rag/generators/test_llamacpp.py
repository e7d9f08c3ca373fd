"""The parts that need no weights run always; those that do look for a small GGUF named by TUWEN_TEST_GGUF."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answers import Usage
from rag.errors import BadRequest, GeneratorUnavailable, ModelCorrupt, ModelMissing
from rag.generators.llamacpp import LlamaCppGenerator
from rag.protocols import GenerationRequest, Message, Sampling


def request(text: str, **sampling: object) -> GenerationRequest:
    return GenerationRequest(text, "en", (), (), (Message("user", text),), Sampling(**sampling))  # type: ignore[arg-type]


def test_a_missing_file_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    generator = LlamaCppGenerator(tmp_path / "absent.gguf")
    for attempt in (generator.ready, lambda: list(generator.stream(request("Hello")))):
        with pytest.raises(ModelMissing, match=r"absent\.gguf.*tuwen models pull"):
            attempt()


@pytest.mark.slow
def test_a_file_that_is_no_model_is_reported_and_nothing_is_left_running(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 64)
    generator = LlamaCppGenerator(path)
    for _ in range(2):
        with pytest.raises(ModelCorrupt, match=r"broken\.gguf"):
            list(generator.stream(request("Hello")))
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def generator() -> Iterator[LlamaCppGenerator]:
    path = Path(os.environ.get("TUWEN_TEST_GGUF", ""))
    if not path.is_file():
        pytest.skip("TUWEN_TEST_GGUF names no file")
    generator = LlamaCppGenerator(path, context_tokens=1024, queue_timeout_s=0.5)
    yield generator
    generator.close()


@pytest.mark.model
def test_streams_text_then_usage(generator: LlamaCppGenerator, capfd: pytest.CaptureFixture[str]) -> None:
    *pieces, usage = generator.stream(request("Say hello.", max_tokens=12))
    assert len(pieces) > 1
    assert isinstance(usage, Usage)
    assert 0 < usage.completion_tokens <= 12
    assert usage.prompt_tokens > 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.model
def test_counts_tokens_exactly(generator: LlamaCppGenerator) -> None:
    one = generator.count_tokens("Ducks swim in the pond.")
    assert 4 <= one <= 8
    assert generator.count_tokens("") == 0


@pytest.mark.model
def test_one_at_a_time_and_closing_makes_room(generator: LlamaCppGenerator) -> None:
    first = generator.stream(request("Count from one to two hundred.", max_tokens=400))
    next(first)
    with pytest.raises(GeneratorUnavailable, match="busy"):
        list(generator.stream(request("Hello")))
    first.close()  # type: ignore[attr-defined]
    assert list(generator.stream(request("Hello", max_tokens=2)))


@pytest.mark.model
def test_a_prompt_that_is_too_long_is_the_callers_to_change(generator: LlamaCppGenerator) -> None:
    with pytest.raises(BadRequest, match="context_tokens"):
        list(generator.stream(request("word " * 3000)))


@pytest.mark.model
def test_the_death_of_the_child_is_survived(generator: LlamaCppGenerator) -> None:
    pieces = generator.stream(request("Count from one to two hundred.", max_tokens=400))
    next(pieces)
    child = generator._child
    assert child is not None
    threading.Timer(0.05, child.process.kill).start()
    with pytest.raises(GeneratorUnavailable, match="ended unexpectedly"):
        list(pieces)
    started = time.monotonic()
    assert list(generator.stream(request("Hello", max_tokens=2)))
    assert time.monotonic() - started < 120
