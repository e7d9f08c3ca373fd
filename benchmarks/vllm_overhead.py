"""Time to the first token of an answer over Tuwen's HTTP interface, beside that of vLLM asked directly with the same prompt.

The promise: at most 5 % more, search included, until the same words are there. Both are asked in turns, who goes first alternates, and the
prefix cache is emptied before each, so that neither reads what the other has read. `--cached` leaves the cache alone: what a question
costs that is asked again.

The guard against small models' illnesses holds a beginning back until it cannot become a copied line or a bare marker any more; that is
told apart (`held back`), by the same guard over vLLM's own stream. Answers that were asked for twice because of an illness are left out.

    VLLM_SERVER_DEV_MODE=1 make vllm
    python -m benchmarks.vllm_overhead
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import httpx
import numpy as np

from benchmarks.common import Limit, report
from benchmarks.vllm_common import Vllm, events, in_front, questions, vllm_arguments
from rag.retrieval.stream_guard import StreamGuard

LIMIT = 0.05
MAX_TOKENS = 8


def through(client: httpx.Client, question: str) -> tuple[float, dict[str, Any]]:
    """Seconds to the first words, and the whole answer."""
    first, answer = 0.0, dict[str, Any]()
    for seconds, name, data in events(client, {"question": question}):
        if name == "message" and not first:
            first = seconds
        elif name == "error":
            raise SystemExit(f"{question}: {data}")
        elif name == "final_answer":
            answer = data
    return first, answer


def direct(vllm: Vllm, messages: list[dict[str, str]]) -> tuple[float, float]:
    """Seconds to vLLM's first token, and to the words that the guard would show first; 0 where there are none."""
    body = {
        "model": vllm.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "max_completion_tokens": MAX_TOKENS,
    }
    guard = StreamGuard("en", messages[0]["content"].splitlines())
    began, first, shown = time.perf_counter(), 0.0, 0.0
    with vllm.client.stream("POST", "/v1/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line.removeprefix("data:"))["choices"]
            if choices and (piece := choices[0]["delta"].get("content")):
                first = first or time.perf_counter() - began
                if guard.feed(piece):
                    shown = shown or time.perf_counter() - began
    if not shown and guard.finish():
        shown = time.perf_counter() - began
    return first, shown


def prompts(client: httpx.Client, asked: list[str]) -> list[tuple[str, list[dict[str, str]]]]:
    """The questions whose first words are shown as soon as they come, with the prompt that each makes."""
    found = []
    for question in asked:
        body = client.post("/v1/query", json={"question": question, "explain": True}).json()
        prompt = (body.get("explain") or {}).get("prompt")
        if prompt and not body["abstained"]:
            found.append((question, prompt))
    return found


def both(
    vllm: Vllm, client: httpx.Client, question: str, messages: list[dict[str, str]], cold: bool, ours_first: bool
) -> tuple[float, float, float, float] | None:
    """Seconds to the first words through Tuwen, of vLLM alone, to its first token; milliseconds of search. None for an answer that was
    asked for twice, or that showed nothing."""
    mine, its, search = 0.0, (0.0, 0.0), 0.0
    for turn in (ours_first, not ours_first):
        if cold:
            vllm.forget()
        if turn:
            mine, answer = through(client, question)
            search = answer["timings"]["search"]
            if any("asked again" in note or "no usable answer" in note for note in answer["notes"]):
                return None
        else:
            its = direct(vllm, messages)
    return (mine, its[1], its[0], search) if mine and its[1] else None


def main() -> int:
    parser = vllm_arguments(__doc__)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument(
        "--cached", action="store_true", help="with the prompt in the cache already; no promise is made of it"
    )
    args = parser.parse_args()
    vllm = Vllm(args.vllm)
    with in_front(vllm, args, TUWEN_GENERATOR__MAX_TOKENS=str(MAX_TOKENS)) as client:
        asked = prompts(client, [item["question"] for item in questions("en")][: args.questions])
        pairs = [p for n, (q, m) in enumerate(asked) if (p := both(vllm, client, q, m, not args.cached, bool(n % 2)))]
    if not pairs:
        raise SystemExit("No answer began with words that could be shown.")
    ours, theirs, first, search = (np.array(column) for column in zip(*pairs, strict=True))
    share = float(np.median(ours - theirs) / np.median(theirs))
    figures: dict[str, Any] = {
        "questions": f"{len(pairs)} of {len(asked)}",
        "vLLM alone, ms": float(np.median(theirs)) * 1000,
        "through Tuwen, ms": float(np.median(ours)) * 1000,
        "added, ms": float(np.median(ours - theirs)) * 1000,
        "of it search, ms": float(np.median(search)),
        "held back by the guard in": int(np.sum(theirs - first > 0.001)),
        "held back, mean, ms": float(np.mean(theirs - first)) * 1000,
    }
    if args.cached:
        return report("vllm overhead, cached", figures | {"added, share": share}, [], args.json)
    limits = [Limit("added to the time to the first words", share, LIMIT)]
    return report("vllm overhead", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
