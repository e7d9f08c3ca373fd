"""Search over 100,000 chunks: latency beside the encoder's forward, under filters, with several clients, and the index's recall.

The collection is made here: documents of 50 chunks of generated words (Zipf's law, a third of them Chinese), vectors around cluster
centres, metadata. A question is some words of a chunk, its vector one near the chunk's; the encoder's forward pass for the words is
real and part of every search, and is measured alone in turns with it, so that a busy machine slows both alike. No reranker.

What a server reads at its start is read here, too, and timed. `--cold` has the system forget the collection's files beforehand. `--peer`
asks what several clients can be held against: two processes that share nothing, each with a copy of the collection and one client.

    python -m benchmarks.search_100k
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.common import Limit, arguments, directory, report
from rag.answers import Filter, Query
from rag.documents import Chunk, Document
from rag.engine import Engine
from rag.filters import parse
from rag.protocols import IndexKey, Space, TextEncoder, Vectors

PER_DOCUMENT = 50
WARM = 100
"""Other questions asked first: a server's first questions read the index from disk, and the scores of words into memory."""
_TURNS = 3
CLUSTERS = 400
COLLECTION = "default"
FILTERS = {
    "50 chunks (one document)": 'document = "{document}"',
    "50 chunks (metadata)": "metadata.number = 7",
    "50 chunks (a page of some documents)": "page = 7 and metadata.number < 50",
    "1 % (metadata)": "metadata.percent = 7",
    "5 % (metadata)": "metadata.percent < 5",
    "20 % (metadata)": "metadata.percent < 20",
    "a third (language)": "language = zh",
    "90 % (metadata)": "metadata.percent >= 10",
}


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--batch", action="store_true", help="with encoder.batch_queries")
    parser.add_argument("--cold", action="store_true", help="begin with the collection's files out of memory")
    parser.add_argument("--apart", action="store_true", help="with index.apart")
    parser.add_argument("--int8", action="store_true", help="with index.vectors = int8")
    parser.add_argument(
        "--peer", action="store_true", help="two processes that share nothing, beside the clients of one"
    )
    parser.add_argument(
        "--data", type=Path, help="directory to make the collection in, and to find it in the next time"
    )
    args = parser.parse_args()

    with directory(args.data, "search100k") as data:
        return _measure(data, args)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The collection, and an engine over it whose encoder takes the time of a real one."""

    engine: Engine
    plain: TextEncoder
    library: Any
    store: Any
    lexical: Any
    data: Path
    questions: Sequence[tuple[Query, Vectors]]

    def read_ahead(self) -> None:
        from api.warming import warm_up

        files = sorted(path for path in (self.data / "index").rglob("*") if path.is_file())
        warm_up(self.engine, self.library, self.lexical, files)

    def close(self) -> None:
        self.store.close()
        self.library.close()


def _open(data: Path, args: argparse.Namespace) -> _Opened:
    from api import wiring
    from api.settings import load
    from rag.stores.index import VectorIndex
    from rag.stores.lexical import SqliteLexicalIndex
    from rag.stores.library import SqliteLibrary
    from rag.stores.vocabulary import SqliteVocabulary
    from rag.words import warm_up

    warm_up()
    # A question that is remembered would cost no forward.
    chosen: dict[str, Any] = {"encoder": {"query_cache": 0, "batch_queries": args.batch}}
    # A cluster's texts are of both languages here, as no real neighbours are.
    chosen |= {"pictures": {"describer": "none"}, "retrieval": {"reranker": "none"}}
    kept = {"vectors": "int8" if args.int8 else "float32", "apart": args.apart}
    settings = load(data, chosen | {"index": kept})
    plain = wiring.text_encoder(settings)
    library = SqliteLibrary(data, settings.index.vectors)
    store = wiring.vector_store(settings, data / "index")
    if not library.has_collection(COLLECTION):
        fill(library, plain.space, args.chunks)
        VectorIndex(library, store, {"text": plain.space.id}).rebuild()
        store.settle()
    if args.int8:
        library.to_bytes()
    questions = _questions(library, plain.space, args.questions + WARM)
    if args.cold:
        library.close()
        forget(data)
        library = SqliteLibrary(data, settings.index.vectors)
    lexical = SqliteLexicalIndex(library.database, library.permitted)
    engine = wiring.engine(
        settings,
        library=library,
        lexical=lexical,
        store=store,
        encoder=_Near(plain, {question.text: vector for question, vector in questions}),
        image_encoder=None,
        describe=lambda: None,
        generate=_no_generator,
        vocabulary=SqliteVocabulary(library.database),
    )
    return _Opened(engine, plain, library, store, lexical, data, questions)


def _measure(data: Path, args: argparse.Namespace) -> int:
    count, clients = args.questions, args.clients
    opened = _open(data, args)
    engine, plain, questions = opened.engine, opened.plain, opened.questions
    figures: dict[str, Any] = {
        "chunks": len(opened.library.vector_ids(IndexKey(COLLECTION, plain.space.id, "text"))),
        "questions": count,
    }
    limits: list[Limit] = []

    def search(query: Query) -> float:
        began = time.perf_counter()
        engine.search(query)
        return (time.perf_counter() - began) * 1000

    def encode(query: Query) -> float:
        began = time.perf_counter()
        plain.encode_queries([query.text])
        return (time.perf_counter() - began) * 1000

    asked, before = [question for question, _ in questions[:count]], [question for question, _ in questions[count:]]
    began = time.perf_counter()
    opened.read_ahead()
    figures["read ahead at the start, s"] = time.perf_counter() - began
    first = [search(query) for query in before]
    figures["search, the very first, ms"] = first[0]
    for query in before[:5]:
        encode(query)
    forward, found = _in_turns(asked, encode, search)
    figures |= {"search, the first 100 questions, p50 ms": median(first), "… p99 ms": _p99(first)}
    figures |= {"forward, p50 ms": median(forward), "search, p50 ms": median(found), "search, p99 ms": _p99(found)}
    added = [one - other for one, other in zip(found, forward, strict=True)]
    limits.append(Limit("search beyond the forward, p50", median(added), 10, "ms"))
    limits.append(Limit("search beyond the forward, p99", _p99(found) - _p99(forward), 40, "ms"))
    for name, text in FILTERS.items():
        document = Document.make_id(COLLECTION, _name(11))
        allowed = Filter(where=parse(text.replace("{document}", document)))
        filtered = [_with(query, allowed) for query in asked[: max(20, count // 4)]]
        search(filtered[0])
        forward, found = _in_turns(filtered, encode, search)
        added = [one - other for one, other in zip(found, forward, strict=True)]
        figures[f"{name}: beyond the forward, p50 ms"] = median(added)
        if name.startswith(("50", "90")):
            limits.append(Limit(f"{name}: beyond the forward, p50", median(added), 25, "ms"))
    alone, together, spent = _throughput(asked, search, clients)
    figures |= {"queries/s, one client": alone, f"queries/s, {clients} clients": together}
    figures |= {"processor ms a query, one client": spent[0], f"… {clients} clients": spent[1]}
    limits.append(Limit(f"{clients} clients / one, queries/s", together / alone, 2, "×", at_least=True))
    recall = _recall(
        opened.library, opened.store, IndexKey(COLLECTION, plain.space.id, "text"), [v for _, v in questions]
    )
    limits.append(Limit("recall@10 of the index against exact", recall, 0.98, "", at_least=True))
    opened.close()
    if args.peer:
        one, two = apart_from_each_other(data, args)
        figures |= {"queries/s, one process with one client": one, "queries/s, two that share nothing": two}
        figures["… two / one"] = two / one
    return report("search over 100,000 chunks", figures, limits, args.json)


# --- the collection --------------------------------------------------------------------------------------------------


def fill(library: Any, space: Space, chunks: int) -> None:
    """Publishes generated documents with vectors; the same every time."""
    from rag.stores.publishing import Publication
    from rag.stores.rows import digest

    random = np.random.default_rng(7)
    library.register(space)
    vocabularies = {language: _vocabulary(language, random) for language in ("en", "zh")}
    centres = _unit(random.standard_normal((CLUSTERS, space.dimension)).astype(np.float32))
    documents = chunks // PER_DOCUMENT
    for number in range(documents):
        language = "zh" if number % 3 == 0 else "en"
        name = _name(number)
        id_ = Document.make_id(COLLECTION, name)
        texts = [_text(vocabularies[language], language, random) for _ in range(PER_DOCUMENT)]
        noise = random.standard_normal((PER_DOCUMENT, space.dimension)).astype(np.float32) / space.dimension**0.5
        vectors = _unit(centres[random.integers(0, CLUSTERS, PER_DOCUMENT)] + noise)
        made = [
            Chunk(f"{id_}.{n}", id_, n, "text", text, headings=(f"Section {n // 10}",), page=n + 1, language=language)
            for n, text in enumerate(texts)
        ]
        metadata = {
            "number": str(number),
            "percent": str(number * 100 // documents),
            "date": f"{2000 + number % 25}-05-01",
        }
        sha256 = library.blobs.put_bytes(name.encode())
        document = Document(id_, COLLECTION, name, "text/plain", sha256, 1, name, language, None, metadata)
        library.store_vectors(space, [digest(text) for text in texts], vectors)
        library.publish(Publication(document, "generated", [], [], made), space.id)


def _name(number: int) -> str:
    return f"folder{number % 10}/{number:05}.txt"


def _vocabulary(language: str, random: np.random.Generator) -> list[str]:
    if language == "zh":
        characters = [chr(0x4E00 + int(n)) for n in random.choice(3000, 1500, replace=False)]
        return ["".join(random.choice(characters, 2)) for _ in range(20_000)]
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "or", "is")]
    return ["".join(random.choice(syllables, 3)) for _ in range(20_000)]


def _text(vocabulary: Sequence[str], language: str, random: np.random.Generator) -> str:
    places = np.minimum(random.zipf(1.3, 70) - 1, len(vocabulary) - 1)
    words = [vocabulary[place] for place in places]
    return ("，" if language == "zh" else " ").join(words) + f" {int(random.integers(0, 10**9))}"


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


# --- questions -------------------------------------------------------------------------------------------------------


class _Near:
    """Takes the time of a real encoder, and gives vectors near the chunks that the questions are made from."""

    def __init__(self, inner: TextEncoder, planned: dict[str, Vectors]) -> None:
        self._inner, self._planned = inner, planned
        self.space, self.max_tokens = inner.space, inner.max_tokens
        self.count_tokens, self.encode_passages = inner.count_tokens, inner.encode_passages

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self._inner.encode_queries(texts)
        # A word that no allowed chunk has may be read as another: the vector is near some chunk, in any case.
        some = next(iter(self._planned.values()))
        return np.stack([self._planned.get(text, some) for text in texts])


def _questions(library: Any, space: Space, count: int) -> list[tuple[Query, Vectors]]:
    random = np.random.default_rng(11)
    ids = [row[0] for row in library.database.reader.execute("SELECT id FROM chunks ORDER BY id")]
    chosen = [ids[place] for place in random.choice(len(ids), count, replace=False)]
    chunks = library.hydrate(chosen)
    found, vectors = library.vectors_by_id(IndexKey(COLLECTION, space.id, "text"), chosen)
    # What stands in every tenth chunk plays the part of the words that a search leaves out of a question.
    sample = list(library.hydrate(ids[:: max(1, len(ids) // 2_000)]).values())
    seen = Counter(word for chunk, _ in sample for word in set(_words(chunk.text)))
    common = len(sample) / 10
    made = []
    for id_, vector in zip(found, vectors, strict=True):
        chunk = chunks[id_][0]
        words = [word for word in _words(chunk.text) if seen[word] < common]
        picked = random.choice(words, min(8, len(words)), replace=False)
        noise = random.standard_normal(len(vector)).astype(np.float32) * 0.5 / len(vector) ** 0.5
        made.append((Query(" ".join(picked)), _unit((vector + noise)[np.newaxis])[0]))
    return made


def _words(text: str) -> list[str]:
    return text.replace("，", " ").split()[:-1]


def _with(query: Query, allowed: Filter) -> Query:
    return Query(query.text, filter=allowed)


def _no_generator() -> Any:
    raise AssertionError("a search needs no generator")


# --- measures --------------------------------------------------------------------------------------------------------


def _in_turns(
    queries: Sequence[Query], first: Callable[[Query], float], second: Callable[[Query], float]
) -> tuple[list[float], list[float]]:
    """Who goes first alternates: the first of a pair finds the processor's caches cold."""
    one: list[float] = []
    other: list[float] = []
    for number, query in enumerate(queries):
        if number % 2:
            one.append(first(query))
            other.append(second(query))
        else:
            other.append(second(query))
            one.append(first(query))
    return one, other


def _throughput(
    queries: Sequence[Query], search: Callable[[Query], float], clients: int
) -> tuple[float, float, tuple[float, float]]:
    """Queries per second of one client and of several, and the processor's ms for a query of either, in turns of three."""
    some = queries[: len(queries) // 4]
    alone, together = [], []
    for _ in range(3):
        alone.append(_timed(len(some), lambda: [search(query) for query in some]))
        with ThreadPoolExecutor(clients) as pool:
            together.append(_timed(len(queries), lambda: list(pool.map(search, queries))))
    rates = [median(rate for rate, _ in runs) for runs in (alone, together)]
    spent = [median(ms for _, ms in runs) for runs in (alone, together)]
    return rates[0], rates[1], (spent[0], spent[1])


def _timed(count: int, run: Callable[[], object]) -> tuple[float, float]:
    """How many a second, and ms of processor time for each."""
    began, spent = time.perf_counter(), time.process_time()
    run()
    return count / (time.perf_counter() - began), (time.process_time() - spent) * 1000 / count


def apart_from_each_other(data: Path, args: argparse.Namespace) -> tuple[float, float]:
    """Queries per second of one client of a process, and of two processes with a client each and a copy of everything: what no number of
    clients of one process can exceed by more than what their questions have in common."""
    context = multiprocessing.get_context("spawn")
    turns, rates = context.Barrier(2), context.Queue()
    with tempfile.TemporaryDirectory(dir=data.parent, prefix="search100k-copy-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(data, copy)
        workers = [
            context.Process(target=_ask_in_turns, args=(place, args, number == 0, turns, rates))
            for number, place in enumerate((data, copy))
        ]
        for worker in workers:
            worker.start()
        found = [rates.get() for _ in range(3 * _TURNS)]
        for worker in workers:
            worker.join()
    return median(rate for alone, rate in found if alone), 2 * median(rate for alone, rate in found if not alone)


def _ask_in_turns(data: Path, args: argparse.Namespace, first: bool, turns: Any, rates: Any) -> None:
    """Of two processes the first asks alone, then both ask at once; again and again."""
    opened = _open(data, args)
    opened.read_ahead()
    asked = [question for question, _ in opened.questions]
    for query in asked[args.questions :]:
        opened.engine.search(query)
    for alone in (True, False) * _TURNS:
        turns.wait()
        if first or not alone:
            rate, _ = _timed(args.questions, lambda: [opened.engine.search(query) for query in asked[: args.questions]])
            rates.put((alone, rate))
        turns.wait()
    opened.close()


def forget(data: Path) -> None:
    """Has the system drop the files from its memory, those that nobody has mapped."""
    for path in data.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _recall(library: Any, store: Any, key: IndexKey, vectors: Sequence[Vectors]) -> float:
    ids, matrix = library.vectors_by_id(key)
    hits = 0
    for vector in vectors:
        best = {ids[n] for n in np.argsort(-(matrix @ vector))[:10]}
        hits += len(best & {id_ for id_, _ in store.query(key, vector, 10)})
    return hits / (10 * len(vectors))


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


if __name__ == "__main__":
    sys.exit(main())
