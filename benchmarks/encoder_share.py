"""How much of an ingest of plain text is the encoder: chunks per second of the ingest over those of the encoder alone.

The promise: at least 85 %. Both work on the same chunks in this process, in turns; the ratio is the median over rounds.

    python -m benchmarks.encoder_share --data-set SCIFACT --documents 500
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.common import Limit, arguments, report

BATCH = 64


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data-set", type=Path, required=True, help="a labelled set whose documents are texts")
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--limit", type=float, default=0.85)
    args = parser.parse_args()

    from api.service import open_service
    from api.settings import load as load_settings
    from eval.datasets.load import load
    from ingest.files import InputFile
    from rag.documents import Chunk

    corpus = load(args.data_set).corpus
    shares: list[float] = []
    ingested: list[float] = []
    alone: list[float] = []
    chunks = 0
    with tempfile.TemporaryDirectory(prefix="tuwen-share-", ignore_cleanup_errors=True) as scratch:
        files = corpus.files(Path(scratch) / "files")[: args.documents]
        inputs = [InputFile(file.path, file.name, str(file.path)) for file in files]
        for number in range(args.rounds):
            settings = load_settings(Path(scratch) / f"data{number}")
            with open_service(settings, "benchmark") as service:
                encoder = service.encoder
                encoder.encode_passages(["warm"] * 8)
                result = service.ingest(inputs)
                texts = [
                    chunk.embedded_text
                    for stored in service.documents()
                    for chunk in service.chunks(stored.document.id)
                    if isinstance(chunk, Chunk)
                ]
                began = time.perf_counter()
                for start in range(0, len(texts), BATCH):
                    encoder.encode_passages(texts[start : start + BATCH])
                seconds = time.perf_counter() - began
            chunks = len(texts)
            ingested.append(chunks / result.seconds)
            alone.append(chunks / seconds)
            shares.append(seconds / result.seconds)
    figures = {
        "documents": len(inputs),
        "chunks": chunks,
        "rounds": args.rounds,
        "ingest, median chunks/s": median(ingested),
        "encoder alone, median chunks/s": median(alone),
    }
    limits = [Limit("ingest / encoder throughput, median", median(shares), args.limit, at_least=True)]
    return report("encoder share", figures, limits, args.json)


if __name__ == "__main__":
    sys.exit(main())
