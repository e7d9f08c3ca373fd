"""What the benchmarks against a vLLM server share: Tuwen in front of it, its counters, and an answer read with the time of each event."""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common import ROOT, arguments, directory, served, tuwen

CORPUS, QUESTIONS = ROOT / "examples" / "corpus", ROOT / "examples" / "questions.jsonl"


def vllm_arguments(description: str | None) -> argparse.ArgumentParser:
    parser = arguments(description)
    parser.add_argument(
        "--vllm", default="http://127.0.0.1:8000", help="a vLLM server, for example that of `make vllm`"
    )
    parser.add_argument("--data", type=Path, help="data directory to keep (default: a temporary one)")
    parser.add_argument("--no-ingest", action="store_true", help="the example corpus is in --data already")
    return parser


class Vllm:
    """A server's counters (docs.vllm.ai, "Metrics") and what a measurement does with it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.client = httpx.Client(base_url=self.url, timeout=120, trust_env=False)
        try:
            self.model = self.client.get("/v1/models").json()["data"][0]["id"]
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise SystemExit(
                f"No vLLM answers at {url} ({type(error).__name__}): start one with `make vllm`."
            ) from error

    def counter(self, name: str) -> float:
        """Summed over the server's engines."""
        text = self.client.get("/metrics").text
        return sum(float(value) for value in re.findall(rf"^vllm:{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE))

    @property
    def running(self) -> float:
        return self.counter("num_requests_running") + self.counter("num_requests_waiting")

    def forget(self) -> None:
        """Empties the prefix cache, so that of two equal requests the second is not faster. Only with VLLM_SERVER_DEV_MODE=1."""
        if not self.client.post("/reset_prefix_cache").is_success:
            raise SystemExit("The server keeps its prefix cache: start it with VLLM_SERVER_DEV_MODE=1.")

    def up(self) -> bool:
        try:
            return self.client.get("/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def wait_until(self, running: float, seconds: float = 10.0) -> float:
        """Seconds until so many requests run, or more than `seconds`."""
        began = time.perf_counter()
        while self.running != running and time.perf_counter() - began < seconds:
            time.sleep(0.02)
        return time.perf_counter() - began


@contextmanager
def in_front(vllm: Vllm, args: argparse.Namespace, **settings: str) -> Iterator[httpx.Client]:
    """A Tuwen server whose generator is this vLLM, as in the profiles with one, over the example corpus. `settings` are environment
    variables."""
    os.environ |= {
        "TUWEN_GENERATOR__KIND": "openai",
        "TUWEN_GENERATOR__BASE_URL": f"{vllm.url}/v1",
        "TUWEN_GENERATOR__MODEL": vllm.model,
        "TUWEN_ANSWER__CACHE": "0",
        "TUWEN_ANSWER__ABSTAIN": "false",
        **settings,
    }
    os.environ.setdefault("TUWEN_GENERATOR__ORDER", "document")
    with directory(args.data, "vllm") as data:
        if not args.no_ingest:
            tuwen(data, "ingest", str(CORPUS), accept=(0, 1))
        with served(data) as client:
            yield client


def questions(language: str = "") -> list[dict[str, Any]]:
    read = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [item for item in read if not language or item["language"] == language]


def events(client: httpx.Client, body: Mapping[str, Any]) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Seconds since the question was sent, name and data of each event of a streamed answer."""
    began, name = time.perf_counter(), ""
    with client.stream("POST", "/v1/query", json={"stream": True, **body}) as response:
        for line in response.iter_lines():
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                yield time.perf_counter() - began, name, json.loads(line.removeprefix("data:"))
