"""How many chunks of a text of 200 pages a changed paragraph embeds again, for every strategy: `python -m benchmarks.changed_paragraph`.

Random words, tokens by the hashing encoder: the same figures everywhere, in half a minute.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from statistics import median

from api.settings import Settings
from api.wiring.chunkers import CHUNKERS, TextTools
from ingest.protocols import Chunker, ParsedPage
from rag.documents import AnyChunk, Chunk, Document, Element
from rag.errors import ExtraMissing
from rag.fakes import HashingTextEncoder

PAGES, PARAGRAPHS = 200, 4
DOCUMENT = Document("d", "c", "n.md", "text/markdown", "0" * 64, 1, title="A title")
CHANGES = ("sentence more", "other paragraph", "paragraph more", "line more", "paragraph less")
PLACES = (20, 100, 180)

Text = list[list[str]]


def words(draw: random.Random, count: int) -> str:
    said = ("".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(count))
    return " ".join(said).capitalize() + "."


def paragraph(draw: random.Random, most: int = 8) -> str:
    return " ".join(words(draw, draw.randint(8, 20)) for _ in range(draw.randint(2, most)))


def text(seed: int) -> Text:
    draw = random.Random(seed)
    return [[paragraph(draw) for _ in range(PARAGRAPHS)] for _ in range(PAGES)]


def changed(pages: Text, change: str, place: int) -> Text:
    draw = random.Random(f"{change} {place}")
    page = list(pages[place])
    if change == "sentence more":
        page[1] = f"{words(draw, 12)} {page[1]}"
    elif change == "other paragraph":
        page[1] = paragraph(draw, 3)
    elif change == "paragraph more":
        page.insert(1, paragraph(draw, 3))
    elif change == "line more":
        page.insert(1, words(draw, 3))
    else:
        del page[1]
    return [*pages[:place], page, *pages[place + 1 :]]


def parsed(pages: Text) -> list[ParsedPage]:
    return [ParsedPage(None, tuple(Element("paragraph", one) for one in page)) for page in pages]


def chunkers() -> Iterator[tuple[str, Chunker]]:
    encoder = HashingTextEncoder()
    tools = TextTools(encoder.count_tokens, encoder.encode_passages)
    for name, make in CHUNKERS.items():
        chosen = {"strategy": name, "chunk_tokens": 100 if name == "parent-child" else 300}
        try:
            yield name, make(Settings.model_validate({"ingest": chosen}), tools)
        except ExtraMissing as error:
            print(f"{name}: {error.message}")


def new(again: Sequence[AnyChunk], before: Sequence[AnyChunk]) -> int:
    known = {chunk.embedded_text for chunk in before if isinstance(chunk, Chunk)}
    return sum(isinstance(chunk, Chunk) and chunk.embedded_text not in known for chunk in again)


def main() -> None:
    pages = text(1)
    print("| strategy | chunks | cut where they were: median, most | packed anew: median, most |\n|---|---|---|---|")
    for name, chunker in chunkers():
        before = list(chunker.chunk(DOCUMENT, parsed(pages)))
        remembered, anew = [], []
        for change in CHANGES:
            for place in PLACES:
                other = parsed(changed(pages, change, place))
                remembered.append(new(list(chunker.chunk(DOCUMENT, other, before)), before))
                anew.append(new(list(chunker.chunk(DOCUMENT, other)), before))
        told = (f"{median(found):g}, {max(found)}" for found in (remembered, anew))
        print(f"| {name} | {len(before)} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
