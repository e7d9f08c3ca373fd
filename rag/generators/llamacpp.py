"""Generation with llama.cpp (through xllamacpp) on this machine, from a GGUF file.

The model runs in a child process, which serves llama.cpp's own HTTP interface to its parent only (a port of the loopback
interface, a key made for this run). Reasons: a crash in native code ends the child and becomes GeneratorUnavailable,
and the next question starts a new one; the child's OpenMP threads do not share a pool with ONNX Runtime's; closing an
HTTP connection is llama.cpp's tested way to cancel, also while it still reads the prompt; and nothing that native code
prints reaches the terminal. The way over HTTP costs about 1 ms a request and 4 ms for counting tokens.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO

import httpx

from rag.answers import Usage
from rag.errors import BadRequest, ExtraMissing, GeneratorUnavailable, ModelCorrupt, ModelMissing
from rag.generators import llamacpp_server
from rag.generators.chat_body import chat_body
from rag.generators.chat_stream import read_events
from rag.generators.hang_up import hung_up_when_abandoned
from rag.generators.next_token import ask_next_token, next_token_body
from rag.protocols import GenerationRequest, Message

RETRY = "Ask again: the model is started anew. If it happens again, see that enough memory is free (tuwen doctor)."


class LlamaCppGenerator:
    """One model, one answer at a time: the threads of one answer use the cores, and a second beside it slows both more
    than waiting does. Further requests wait up to `queue_timeout_s`."""

    def __init__(
        self,
        gguf_path: Path,
        *,
        threads: int = 0,
        context_tokens: int = 4096,
        timeout_s: float = 300.0,
        queue_timeout_s: float = 120.0,
        load_timeout_s: float = 120.0,
    ) -> None:
        """`threads` 0 takes the physical cores. `timeout_s` bounds the wait for the next piece of an answer, reading the
        prompt included. The model is loaded at the first question."""
        self._path = gguf_path
        self._threads = threads or _cores()
        self._context_tokens = context_tokens
        self._timeout_s = timeout_s
        self._queue_timeout_s = queue_timeout_s
        self._load_timeout_s = load_timeout_s
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._child: _Child | None = None
        self._count = lru_cache(maxsize=4096)(self._count_exactly)

    @property
    def name(self) -> str:
        return f"llamacpp {self._path.stem}"

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """Exact, by the model's own tokenizer; starts the model when it does not run."""
        return self._count(text)

    def ready(self) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise ExtraMissing("The package xllamacpp is not installed.", "Install it: pip install xllamacpp")
        if not self._path.is_file():
            raise ModelMissing(
                f"The model file {self._path} is not there.",
                "Fetch it with `tuwen models pull`, or choose another generator (generator.kind).",
            )

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        if not self._turn.acquire(timeout=self._queue_timeout_s):
            raise GeneratorUnavailable(
                f"Other answers kept the model busy for {self._queue_timeout_s:.0f} seconds.",
                "Ask again later, or use a server that answers several requests at once (generator.kind = openai).",
            )
        try:
            yield from self._stream(request)
        finally:
            self._turn.release()

    def _stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        child = self._running()
        seen = replace(request, messages=tuple(replace(message, images=()) for message in request.messages))
        body = chat_body(self._path.stem, seen) | {"cache_prompt": True}
        body["max_tokens"] = body.pop("max_completion_tokens")
        if "repetition_penalty" in body:
            # llama.cpp's own name for it.
            body["repeat_penalty"] = body.pop("repetition_penalty")
        try:
            # Leaving this block closes the connection, and with it llama.cpp's work.
            with child.client.stream("POST", "/v1/chat/completions", json=body, timeout=self._timeout_s) as response:
                if response.status_code != httpx.codes.OK:
                    raise _refused(response.read().decode(errors="replace"), self._context_tokens)
                with hung_up_when_abandoned(response):
                    yield from read_events(response.iter_lines())
        except httpx.HTTPError as error:
            raise self._lost(child, error) from error

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        """Satisfies `rag.protocols.NextToken`. Waits for its turn as an answer does."""
        child = self._running()
        ends = time.monotonic() + seconds
        if not self._turn.acquire(timeout=max(0.0, seconds)):
            raise TimeoutError
        try:
            body = next_token_body(messages) | {"cache_prompt": True}
            left = max(0.001, ends - time.monotonic())
            return ask_next_token(
                child.client,
                "/v1/chat/completions",
                body,
                left,
                lambda answer: _refused(answer.text, self._context_tokens),
            )
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise self._lost(child, error) from error
        finally:
            self._turn.release()

    def close(self) -> None:
        with self._starting:
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _count_exactly(self, text: str) -> int:
        child = self._running()
        try:
            answer = child.client.post(
                "/tokenize", json={"content": text, "add_special": False}, timeout=self._timeout_s
            )
            return len(answer.raise_for_status().json()["tokens"])
        except httpx.HTTPError as error:
            raise self._lost(child, error) from error

    def _running(self) -> _Child:
        with self._starting:
            if self._child is not None and self._child.process.poll() is not None:
                self._child.end()
                self._child = None
            if self._child is None:
                self.ready()
                self._child = _Child.start(self._path, self._threads, self._context_tokens, self._load_timeout_s)
            return self._child

    def _lost(self, child: _Child, error: httpx.HTTPError) -> GeneratorUnavailable:
        if isinstance(error, httpx.TimeoutException):
            return GeneratorUnavailable(
                f"{self.name} said nothing for {self._timeout_s:.0f} seconds.",
                "Give it fewer passages (generator.context_tokens), more cores, or more time (generator.timeout_s).",
            )
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=2)
        code = child.process.poll()
        how = "does not answer" if code is None else f"ended unexpectedly (exit status {code})"
        return GeneratorUnavailable(f"{self.name} {how}. {child.last_words()}".strip(), RETRY)


class _Child:
    """The process that holds the model, and the way to talk to it."""

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes], client: httpx.Client) -> None:
        self.process = process
        self.client = client
        self._log = log

    @classmethod
    def start(cls, path: Path, threads: int, context_tokens: int, timeout_s: float) -> _Child:
        log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        key = secrets.token_urlsafe(24)
        process = subprocess.Popen(  # noqa: S603 - our own script, with our own interpreter
            [sys.executable, "-P", llamacpp_server.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | OPENMP,
        )
        client = httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        child = cls(process, log, client)
        task = {"path": str(path.resolve()), "threads": threads, "context_tokens": context_tokens, "key": key}
        timer = threading.Timer(timeout_s, process.kill)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
            reply = json.loads(process.stdout.readline() or "{}")
        except (OSError, ValueError):
            reply = {}
        finally:
            timer.cancel()
        if "address" not in reply:
            said = reply.get("error") or child.last_words()
            child.end()
            raise ModelCorrupt(
                f"llama.cpp cannot load {path.name}. {said}".strip(),
                "Check the file with `tuwen models verify`, and that enough memory is free.",
            )
        client.base_url = httpx.URL(reply["address"])
        return child

    def last_words(self) -> str:
        """The last line that native code wrote."""
        self._log.seek(0)
        lines = self._log.read()[-2000:].decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def end(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


OPENMP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


def _refused(answer: str, context_tokens: int) -> Exception:
    if "exceed_context_size" in answer:
        return BadRequest(
            f"Question, passages and answer are longer than the {context_tokens} tokens of the model's context.",
            "Ask a shorter question, or set a larger generator.context_tokens.",
        )
    return GeneratorUnavailable(f"llama.cpp refused the request: {answer[:300]}", RETRY)


def _cores() -> int:
    """Physical cores this process may use: a second thread on one core makes llama.cpp slower."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
