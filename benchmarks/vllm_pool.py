"""Two vLLM servers behind one Tuwen: who is asked, and what happens to eight questions at a time when one of the two is killed.

Both have to serve the same model under the same name and be supervised, as `make vllm` does: the benchmark kills the first (SIGKILL, all its
processes) in the middle of its answers and waits until it is back.

    make vllm                          # in one terminal
    TUWEN_VLLM_PORT=8001 make vllm     # in another
    python -m benchmarks.vllm_pool
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.common import Limit, report
from benchmarks.vllm_common import Vllm, events, in_front, questions, vllm_arguments
from benchmarks.vllm_failures import BACK_S, kill

AT_ONCE = 8


@dataclass
class Asked:
    """One streamed answer. Times are of `time.perf_counter`, 0 where it did not happen."""

    question: str
    begun: float = 0.0
    failed: float = 0.0
    ended: float = 0.0
    said: str = ""


def ask(url: str, asked: Asked) -> None:
    with httpx.Client(base_url=url, timeout=180, trust_env=False) as client:
        for _, name, data in events(client, {"question": asked.question}):
            now = time.perf_counter()
            if name == "message":
                asked.begun = asked.begun or now
            elif name == "error":
                asked.failed, asked.said = now, str(data)
            elif name == "final_answer":
                asked.ended = now


def ask_all(client: httpx.Client, texts: Sequence[str]) -> list[Asked]:
    """All at the same time."""
    asked = [Asked(text) for text in texts]
    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(lambda one: ask(str(client.base_url), one), asked))
    return asked


def ask_and_kill(client: httpx.Client, texts: Sequence[str], victim: Vllm) -> tuple[list[Asked], float, int]:
    """The first server is killed as soon as half of the answers have begun and it has some of them: the answers, the time of the kill, and how
    many requests it had then."""
    asked = [Asked(text) for text in texts]
    threads = [threading.Thread(target=ask, args=(str(client.base_url), one)) for one in asked]
    for thread in threads:
        thread.start()
    running = 0
    while not (sum(bool(one.begun) for one in asked) >= len(asked) // 2 and running):
        if not any(thread.is_alive() for thread in threads):
            raise SystemExit("All answers ended before the kill.")
        running = int(victim.running)
        time.sleep(0.02)
    killed = kill(victim.url)
    for thread in threads:
        thread.join()
    return asked, killed, running


def back_at_work(client: httpx.Client, victim: Vllm, texts: Sequence[str]) -> tuple[float, int]:
    """Seconds from when the server answers again to when it reads a question, and questions that failed meanwhile. Two are asked at a time."""
    up, read = time.perf_counter(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(_ask_until, read, str(client.base_url), texts[place::2]) for place in range(2)]
        while not victim.counter("prompt_tokens_total") and time.perf_counter() - up < 90:
            time.sleep(0.05)
        took = time.perf_counter() - up
        read.set()
        failed = sum(each.result() for each in asked)
    return took, failed


def _ask_until(read: threading.Event, url: str, texts: Sequence[str]) -> int:
    """One question after the other; how many failed."""
    failed = 0
    for text in itertools.cycle(texts):
        if read.is_set():
            return failed
        one = Asked(text)
        ask(url, one)
        failed += not one.ended
    return failed


def main() -> int:
    parser = vllm_arguments(__doc__)
    parser.add_argument("--second", default="http://127.0.0.1:8001", help="another server of the same model")
    args = parser.parse_args()
    victim, other = Vllm(args.vllm), Vllm(args.second)
    if victim.model != other.model:
        raise SystemExit(f"The servers serve different models: {victim.model} and {other.model}.")
    texts = [str(item["question"]) for item in questions("en")][: 2 * AT_ONCE]
    first, second = texts[:AT_ONCE], texts[-AT_ONCE:]
    settings = {
        "TUWEN_GENERATOR__SERVERS": f'["{other.url}/v1"]',
        # Long answers: at this temperature the model does not end them soon, and the guard finds no loop in them.
        "TUWEN_GENERATOR__MAX_TOKENS": "200",
        "TUWEN_GENERATOR__TEMPERATURE": "1.5",
    }
    with in_front(victim, args, **settings) as client:
        before = [server.counter("request_success_total") for server in (victim, other)]
        quiet = ask_all(client, first)
        shares = [s.counter("request_success_total") - b for s, b in zip((victim, other), before, strict=True)]

        struck, killed, had = ask_and_kill(client, second, victim)
        told = [one.failed - killed for one in struck if one.failed]
        before_next = other.counter("request_success_total")
        following = ask_all(client, first)
        elsewhere = other.counter("request_success_total") - before_next

        while not victim.up():
            if time.perf_counter() - killed > BACK_S:
                raise SystemExit(f"{victim.url} was not back after {BACK_S:.0f} s: is it supervised?")
            time.sleep(0.2)
        restart = time.perf_counter() - killed
        returned, failed_meanwhile = back_at_work(client, victim, second)
    unbegun = [one for one in struck if not one.begun or one.begun > killed]
    figures: dict[str, Any] = {
        "questions answered by each": shares,
        "answers it had when killed": had,
        "… that got an `error` event": len(told),
        "… not begun, answered by the other": sum(bool(one.ended) for one in unbegun),
        "next questions, by the other": elsewhere,
        "killed: back after, s": restart,
        "back: reads a question after, s": returned,
    }
    if told:
        figures["what the error says"] = next(one.said for one in struck if one.failed)[:200]
    limits = [
        Limit("share of the less asked server", min(shares) / max(1.0, sum(shares)), 0.375, at_least=True),
        Limit("questions that failed before", float(sum(not one.ended for one in quiet)), 0),
        Limit("seconds from the kill to the last `error` event", max(told, default=0.0), 1.0, "s"),
        Limit("questions that failed though no word of them had come", float(sum(bool(o.failed) for o in unbegun)), 0),
        Limit("streams that ended without saying how", float(sum(not (o.ended or o.failed) for o in struck)), 0),
        Limit("questions that failed after the kill", float(sum(not one.ended for one in following)), 0),
        Limit("… while it came back", float(failed_meanwhile), 0),
        Limit("seconds until it is asked again", returned, 15.0, "s"),
    ]
    return report("vllm pool", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
