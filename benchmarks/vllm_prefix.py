"""How much of their prompts conversations on one document share: vLLM's prefix cache, from its own counters.

Eight conversations with the scope of one document, all asking at once; the cache is emptied beforehand. No question is asked twice
(`--turns 1`): what is found in the cache is what another question's prompt begins with. With more turns the conversations come to each
other's questions. The rate is hits over queries, in tokens.

    VLLM_SERVER_DEV_MODE=1 make vllm
    python -m benchmarks.vllm_prefix
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.common import Limit, report
from benchmarks.vllm_common import Vllm, events, in_front, questions, vllm_arguments

LIMIT = 0.6
CHATS = 8


def talk(url: str, document_id: str, asked: list[str]) -> list[float]:
    """One conversation; seconds to the first words of each answer."""
    firsts = []
    with httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
        begun = client.post("/v1/conversations", json={"filter": {"document_id": [document_id]}}).json()
        for question in asked:
            first = 0.0
            for seconds, name, data in events(client, {"question": question, "conversation_id": begun["id"]}):
                if name == "error":
                    raise SystemExit(f"{question}: {data}")
                first = first or (seconds if name == "message" else 0.0)
            firsts.append(first)
    return firsts


def main() -> int:
    parser = vllm_arguments(__doc__)
    parser.add_argument("--document", default="", help="name of a document (default: the one with most questions)")
    parser.add_argument("--turns", type=int, default=1, help="questions of each conversation")
    args = parser.parse_args()
    vllm = Vllm(args.vllm)
    asked = questions("en")
    most = Counter(item["source"] for item in asked).most_common(1)[0][0]
    name = args.document or most
    about = [item["question"] for item in asked if item["source"] == name]
    if not about:
        raise SystemExit(f"examples/questions.jsonl has no question about {name}.")
    # Each conversation begins with another of the questions.
    chats = [[about[(chat + turn) % len(about)] for turn in range(args.turns)] for chat in range(CHATS)]
    with in_front(vllm, args, TUWEN_GENERATOR__MAX_TOKENS="32", TUWEN_RETRIEVAL__REWRITE="false") as client:
        files = client.get("/v1/files").json()["files"]
        document = next(file for file in files if file["name"] == name)
        vllm.forget()
        before = [vllm.counter("prefix_cache_hits_total"), vllm.counter("prefix_cache_queries_total")]
        began = time.perf_counter()
        with ThreadPoolExecutor(CHATS) as pool:
            firsts = list(pool.map(lambda turns: talk(str(client.base_url), document["id"], turns), chats))
        took = time.perf_counter() - began
        hits = vllm.counter("prefix_cache_hits_total") - before[0]
        read = vllm.counter("prefix_cache_queries_total") - before[1]
    figures: dict[str, Any] = {
        "document": f"{name}, {document['chunks']} chunks",
        "different questions": len({question for turns in chats for question in turns}),
        "answers": CHATS * args.turns,
        "tokens of prompt": int(read),
        "tokens found in the cache": int(hits),
        "seconds for all": took,
        "slowest first words, s": max(map(max, firsts)),
    }
    limit = Limit("share of the prompts found in the cache", hits / read, LIMIT, at_least=True)
    return report("vllm prefix", figures, [limit], args.json)


if __name__ == "__main__":
    sys.exit(main())
