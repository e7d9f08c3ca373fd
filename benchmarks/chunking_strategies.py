"""What each chunking strategy makes of a folder: how many chunks of what size, how fast, and how much of the evidence of
labelled questions the passages of an answer then show, by words alone (BM25), within the token budget that is served.

    python benchmarks/chunking_strategies.py FOLDER --questions FOLDER_OF_JSONL headings:300 parent-child:100

A line of questions is `{"question": …, "retrieval": [{file: [quotation, …]}, …]}`. Needs the text encoder's tokenizer
(`tuwen models pull`); `semantic` encodes every sentence.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from api import wiring
from api.settings import load
from ingest.detect import detect
from ingest.protocols import ParsedPage, Source
from rag.answers import Hit
from rag.documents import AnyChunk, Chunk, Document
from rag.errors import FileError
from rag.prompts import render_passage
from rag.protocols import Space, TextEncoder
from rag.retrieval.expand import expand
from rag.retrieval.fold import fold
from rag.retrieval.pack import pack
from rag.retrieval.widen import widen
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.words import words

DEFAULT = "headings:300 fixed:300 recursive:300 sentence-window:100 semantic:300 parent-child:100 table-rows:300 page:300".split()
NO_VECTORS = Space("none", "0" * 64, 1, "nothing is encoded")
_LINK = re.compile(r"\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Asked:
    question: str
    quotations: tuple[str, ...]


def parsed(folder: Path) -> list[tuple[Document, list[ParsedPage]]]:
    parsers = wiring.parsers(None)
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        try:
            media_type = detect(path, name)
            pages = list(parsers[media_type].parse(Source(path, name, media_type, root=folder)))
        except (FileError, KeyError):
            continue
        found.append((Document(Document.make_id("c", name), "c", name, media_type, "0" * 64, 1, pages[0].title), pages))
    return found


def questions(folder: Path) -> Iterator[Asked]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            # A follow-up needs its conversation, a picture is not found by words.
            if "context" not in row and path.stem != "multimodal":
                quotations = [text for part in row["retrieval"] for texts in part.values() for text in texts]
                yield Asked(row["question"], tuple(quotations))


def shown(quotations: Sequence[str], passages: Sequence[str]) -> float:
    """Share of the quotations' runs of four words that stand in the passages."""
    have = {run for passage in passages for run in _runs(passage)}
    wanted = [run for quotation in quotations for run in _runs(_LINK.sub("]", quotation))]
    return sum(run in have for run in wanted) / len(wanted) if wanted else 0.0


def _runs(text: str) -> list[tuple[str, ...]]:
    found = words(text)
    return [tuple(found[i : i + 4]) for i in range(max(1, len(found) - 3))]


def evidence(
    documents: Sequence[tuple[Document, list[AnyChunk]]],
    asked: Sequence[Asked],
    encoder: TextEncoder,
    budget: int,
    limit: int,
) -> tuple[list[float], float]:
    """The share of each question's evidence that the passages show, and the mean number of passages."""
    with tempfile.TemporaryDirectory() as folder:
        library = SqliteLibrary(Path(folder))
        library.register(NO_VECTORS)
        nothing = library.blobs.put_bytes(b"")
        for document, chunks in documents:
            keys = sorted({key for chunk in chunks for key in digests_of(chunk)})
            library.store_vectors(NO_VECTORS, keys, np.ones((len(keys), 1), np.float32))
            library.publish(Publication(replace(document, sha256=nothing), "s", [], [], chunks), NO_VECTORS.id)
        lexical = SqliteLexicalIndex(library.database)
        count, render = (lambda text: encoder.count_tokens([text])[0]), partial(render_passage, language="en")
        shares, numbers = [], []
        for one in asked:
            ranked = lexical.search("c", one.question, 60)
            found = library.hydrate([id_ for id_, _ in ranked])
            hits = list(fold(Hit(*found[id_], score) for id_, score in ranked))[:20]
            passages = pack(
                widen(hits, library),
                question=one.question,
                budget=budget,
                count_tokens=count,
                render=render,
                limit=limit,
            )
            passages = expand(passages, library, budget=budget, count_tokens=count, render=render)
            shares.append(shown(one.quotations, [passage.text for passage in passages]))
            numbers.append(len(passages))
    return shares, statistics.mean(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("strategies", nargs="*", default=DEFAULT, help="name:chunk_tokens[:setting=value]")
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--budget", type=int, default=1200)
    parser.add_argument("--passages", type=int, default=5)
    given = parser.parse_intermixed_args()
    encoder = wiring.text_encoder(load(None, {"encoder": {"threads": 1}}))
    documents = parsed(given.folder)
    characters = sum(len(element.text) for _, pages in documents for page in pages for element in page.elements)
    asked = list(questions(given.questions)) if given.questions else []
    print(f"{len(documents)} documents, {characters:,} characters, {len(asked)} questions\n")
    print(
        "| strategy | chunks | tokens: median | 10 %–90 % | mean read | tokens embedded | Mchar/s | evidence shown | passages |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    first: list[float] = []
    for spoken in given.strategies:
        name, size, *more = spoken.split(":")
        chosen: dict[str, object] = {"strategy": name, "chunk_tokens": int(size)}
        chosen |= {key: value for key, _, value in (pair.partition("=") for pair in more)}
        settings = load(None, {"ingest": chosen})
        chunker = wiring.chunker(settings, wiring.TextTools(encoder.count_tokens, encoder.encode_passages))
        began = time.process_time()
        made = [(document, list(chunker.chunk(document, pages))) for document, pages in documents]
        seconds = time.process_time() - began
        texts = [chunk for _, chunks in made for chunk in chunks if isinstance(chunk, Chunk)]
        tokens = sorted(chunk.tokens for chunk in texts)
        by_place = {(chunk.document_id, chunk.ordinal): chunk.tokens for chunk in texts}
        read = [sum(by_place.get((chunk.document_id, n), 0) for n in range(*_range(chunk))) for chunk in texts]
        shares, passages = evidence(made, asked, encoder, given.budget, given.passages) if asked else ([0.0], 0.0)
        first = first or shares
        print(
            f"| {spoken} | {len(texts):,} | {statistics.median(tokens):.0f} | {tokens[len(tokens) // 10]}–"
            f"{tokens[len(tokens) * 9 // 10]} | {statistics.mean(read):.0f} | {sum(tokens) / 1000:,.0f} k | "
            f"{characters / 1e6 / seconds:.2f} | {statistics.mean(shares):.3f}{_difference(shares, first)} | {passages:.1f} |",
            flush=True,
        )


def _difference(shares: Sequence[float], first: Sequence[float]) -> str:
    """The mean difference from the first strategy, question by question, with its standard error."""
    differences = [one - other for one, other in zip(shares, first, strict=True)]
    if len(differences) < 2 or shares is first:
        return ""
    return f" ({statistics.mean(differences):+.3f} ± {statistics.stdev(differences) / len(differences) ** 0.5:.3f})"


def _range(chunk: Chunk) -> tuple[int, int]:
    first, last = chunk.window or (chunk.ordinal, chunk.ordinal)
    return first, last + 1


if __name__ == "__main__":
    main()
