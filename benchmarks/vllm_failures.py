"""vLLM killed in the middle of an answer, and a client that leaves: what Tuwen's client sees, and what vLLM still does.

The server has to be supervised, as `make vllm` and docker compose do: the benchmark kills it (SIGKILL, all its processes) and waits until
it is back.

    make vllm
    python -m benchmarks.vllm_failures
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.common import Limit, report
from benchmarks.vllm_common import Vllm, events, in_front, vllm_arguments

BACK_S = 240.0
QUESTION = {"question": "How long did the seized bearing keep Heron closed?"}


def kill(url: str) -> float:
    """All processes of the server that listens there; the time of it."""
    port = urlsplit(url).port
    listening = [
        c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port and c.pid
    ]
    if not listening:
        raise SystemExit(f"No process of this machine listens on port {port}.")
    server = psutil.Process(listening[0])
    family = [server, *server.children(recursive=True)]
    killed = time.perf_counter()
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    return killed


def killed_while_answering(vllm: Vllm, client: httpx.Client) -> tuple[float, float, int]:
    """Seconds from the kill to the `error` event, seconds until vLLM was back, status of the next question."""
    killed, told = 0.0, 0.0
    for _, name, data in events(client, QUESTION):
        if name == "message" and not killed:
            killed = kill(vllm.url)
        elif name == "error":
            told = time.perf_counter()
        elif name == "final_answer":
            raise SystemExit(f"The answer ended before the kill: {data['answer'][:80]}")
    if not told:
        raise SystemExit("The stream ended without an `error` event.")
    while not vllm.up():
        if time.perf_counter() - killed > BACK_S:
            raise SystemExit(f"vLLM was not back after {BACK_S:.0f} s: is it supervised?")
        time.sleep(0.2)
    back = time.perf_counter()
    return told - killed, back - killed, client.post("/v1/query", json=QUESTION).status_code


def left(vllm: Vllm, client: httpx.Client, stream: bool) -> float:
    """Seconds from a client's leaving, while vLLM works for it, until vLLM runs nothing."""
    connection = HTTPConnection(client.base_url.host, client.base_url.port or 80)
    body = json.dumps({**QUESTION, "stream": stream})
    connection.request("POST", "/v1/query", body, {"Content-Type": "application/json"})
    if vllm.wait_until(1, 60.0) >= 60.0:
        raise SystemExit("vLLM never ran the question.")
    connection.close()
    return vllm.wait_until(0, 60.0)


def main() -> int:
    parser = vllm_arguments(__doc__)
    args = parser.parse_args()
    vllm = Vllm(args.vllm)
    # A long answer: at this temperature the model does not end it soon, and the guard finds no loop in it.
    with in_front(vllm, args, TUWEN_GENERATOR__MAX_TOKENS="400", TUWEN_GENERATOR__TEMPERATURE="1.5") as client:
        freed = {name: left(vllm, client, name == "streamed") for name in ("streamed", "whole")}
        told, back, status = killed_while_answering(vllm, client)
    figures: dict[str, Any] = {
        **{f"client left ({name}): vLLM idle after, s": seconds for name, seconds in freed.items()},
        "killed: vLLM back after, s": back,
        "killed: next question, status": status,
    }
    limits = [
        Limit("seconds from the kill to the `error` event", told, 1.0, "s"),
        Limit("questions that failed after the restart", float(status != httpx.codes.OK), 0),
        Limit("seconds from a client's leaving to no request running", max(freed.values()), 2.0, "s"),
    ]
    return report("vllm failures", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
