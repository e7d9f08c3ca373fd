"""Search over HTTP beside the encoder's own forward pass for the same questions, interleaved in one run.

The promise: a search costs at most the encoder's forward for the question plus 10 ms. The server runs as its own process;
the encoder that it is compared with runs in this one, and the two take turns, so that a busy machine slows both alike.

    python -m benchmarks.search_latency --data-set SCIFACT
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.common import Limit, arguments, directory, report, served, tuwen

LIMIT_MS = 10.0


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True, help="a labelled set; its documents are ingested")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument("--data", type=Path, help="data directory to keep (default: a temporary one)")
    parser.add_argument("--collection", default="default")
    parser.add_argument("--no-ingest", action="store_true", help="the documents are in --data already")
    parser.add_argument("--limit-ms", type=float, default=LIMIT_MS)
    args = parser.parse_args()

    from api import wiring
    from api.settings import load as load_settings
    from eval.datasets.load import load

    dataset = load(args.data_set)
    questions = [question.text for question in dataset.questions[: args.questions]]
    with directory(args.data, "latency") as data, tempfile.TemporaryDirectory() as files:
        if not args.no_ingest:
            dataset.corpus.files(Path(files) / "corpus")
            tuwen(data, "ingest", str(Path(files) / "corpus"), "-c", args.collection, accept=(0, 1))
        encoder = wiring.text_encoder(load_settings(data))
        forward: list[float] = []
        search: list[float] = []
        inside: list[float] = []
        with served(data) as client:
            chunks = sum(
                file["chunks"]
                for file in client.get("/v1/files", params={"collection": args.collection}).json()["files"]
            )
            for number, question in enumerate([*questions[:5], *questions]):

                def encode(text: str = question) -> float:
                    began = time.perf_counter()
                    encoder.encode_queries([text])
                    return (time.perf_counter() - began) * 1000

                def ask(text: str = question) -> tuple[float, float]:
                    began = time.perf_counter()
                    answer = client.post(
                        "/v1/search", json={"query": text, "top_k": args.top_k, "collection": args.collection}
                    )
                    milliseconds = (time.perf_counter() - began) * 1000
                    answer.raise_for_status()
                    return milliseconds, answer.json()["timings"]["total"]

                # Who goes first alternates: the first of a pair finds the processor's caches cold.
                if number % 2:
                    encoded, (asked, engine) = encode(), ask()
                else:
                    (asked, engine), encoded = ask(), encode()
                if number >= 5:  # the first five warm both up
                    forward.append(encoded)
                    search.append(asked)
                    inside.append(engine)
    added = median(asked - encoded for asked, encoded in zip(search, forward, strict=True))
    figures = {
        "questions": len(questions),
        "chunks": chunks,
        "encoder forward, median ms": median(forward),
        "search over HTTP, median ms": median(search),
        "search over HTTP, p95 ms": sorted(search)[int(len(search) * 0.95)],
        "engine's own clock, median ms": median(inside),
        "search / forward": median(search) / median(forward),
    }
    limits = [Limit("search beyond the encoder's forward, median", added, args.limit_ms, "ms")]
    return report("search latency", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
