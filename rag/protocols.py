"""The seams of the engine. An adapter satisfies one of these by its shape; one contract suite runs over each.

Arrays are float32 NumPy arrays. Every method may be called from several threads at once unless it says otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from rag.answers import Filter, Passage, Turn, Usage
from rag.documents import AnyChunk, Box, DocumentRef, Element, ImageData, ImageEntry

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Space:
    """What a vector means: vectors of different spaces never meet in one collection.

    `id` is derived from everything that changes a vector: the model's weights, its dimension, and the rules for prefix,
    pooling and centring.
    """

    model: str
    weights_sha256: str
    dimension: int
    rules: str

    @property
    def id(self) -> str:
        named = f"{self.model}\0{self.weights_sha256}\0{self.dimension}\0{self.rules}"
        return hashlib.sha256(named.encode()).hexdigest()[:16]


class TextEncoder(Protocol):
    """Turns text into unit vectors. Questions and passages are encoded by different rules (prefixes, instructions)."""

    @property
    def space(self) -> Space: ...

    @property
    def max_tokens(self) -> int:
        """The longest text, in the encoder's own tokens, that is encoded without being cut."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without prefix and special tokens."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors `[len(texts), dimension]`, in order. Raises EncoderUnavailable."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors `[len(texts), dimension]`, in order. Raises EncoderUnavailable."""
        ...


class Verifier(Protocol):
    """Says whether a text carries a claim: entailment, a reranker's probability, or a generator's yes or no."""

    @property
    def name(self) -> str: ...

    @property
    def threshold(self) -> float:
        """Least probability at which a claim counts as supported."""
        ...

    def probabilities(self, claim: str, evidence: Sequence[str]) -> list[float]:
        """For each text how likely it carries the claim, in [0, 1]. Raises EncoderUnavailable, GeneratorUnavailable."""
        ...


class ContentPolicy(Protocol):
    """What may be asked and said here. The default lets everything pass (rag/policy.py)."""

    @property
    def whole_answers(self) -> bool:
        """Whether an answer is shown only when all of it was judged; otherwise it is streamed, and judged at its end."""
        ...

    def question(self, text: str) -> str | None:
        """None lets a question pass; anything else is said in place of an answer, and nothing is searched for or generated."""
        ...

    def answer(self, question: str, text: str) -> str:
        """The answer to show: the text given, or another."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text or a picture token by token: `tokens` are unit vectors `[n, dimension]`, `pooled` is that of the whole, `[dimension]`."""

    tokens: Vectors
    pooled: Vectors
    sentences: npt.NDArray[np.int32] | None = None
    """In which sentence of its text each token stands, `[n]`, rising from 0; None where there are no sentences."""


@runtime_checkable
class TokenEncoder(Protocol):
    """What a text encoder may do besides: a vector for every token, for late interaction."""

    def question_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """In order. Raises ModelCorrupt."""
        ...

    def passage_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """In order. Raises ModelCorrupt."""
        ...


class ImageEncoder(Protocol):
    """A dual encoder (CLIP and its kin): pictures and texts as unit vectors of one space."""

    @property
    def space(self) -> Space: ...

    def encode_images(self, images: Sequence[ImageData]) -> Vectors:
        """Unit vectors `[len(images), dimension]`. Raises CorruptFile for bytes that are not a picture."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors `[len(texts), dimension]`."""
        ...


@runtime_checkable
class PatchEncoder(Protocol):
    """What an image encoder may do besides: vectors of a picture's patches and a text's tokens, in the space of the whole."""

    def text_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """In order."""
        ...

    def picture_patches(self, images: Sequence[ImageData]) -> list[Tokens]:
        """In order. Raises CorruptFile for bytes that are not a picture."""
        ...


class ImageDescriber(Protocol):
    """Says in words what is on a picture, so that a text encoder can find it."""

    @property
    def name(self) -> str: ...

    def describe(self, image: ImageData, known: Sequence[ImageEntry] = ()) -> tuple[ImageEntry, ...]:
        """Entries of kind `ocr`, `label` or `description`, without the kinds that are among the `known` already. Raises
        CorruptFile for bytes that are not a picture."""
        ...


@dataclass(frozen=True, slots=True)
class IndexKey:
    """Names one index of vectors: a collection of documents, a space, and what the vectors were made from.

    `entries` are texts of pictures encoded by the text encoder; `pixels` are pictures encoded by an image encoder.
    """

    collection: str
    space_id: str
    content: Literal["text", "entries", "pixels"]


class VectorStore(Protocol):
    """Nearest neighbours by cosine. A derived index: everything in it can be rebuilt from the library."""

    def upsert(self, key: IndexKey, ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces; the index is made when it is not there. `vectors` is `[len(ids), dimension]`."""
        ...

    def delete(self, key: IndexKey, ids: Sequence[str]) -> None:
        """Removes; ids that are not there are ignored."""
        ...

    def query(self, key: IndexKey, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` ids with their cosine, best first. An index that is not there is empty. `vector` is `[dimension]`."""
        ...

    def count(self, key: IndexKey) -> int: ...

    def ids(self, key: IndexKey) -> set[str]: ...

    def held(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """Ids and vectors `[n, dimension]`, as they were given, of those of the ids that the index has."""
        ...

    def keys(self) -> list[IndexKey]:
        """Every index that exists."""
        ...

    def drop(self, key: IndexKey) -> None:
        """Removes the whole index; one that is not there is ignored."""
        ...

    def settle(self) -> None:
        """Makes the next opening fast, where there is anything to be done for it. Nobody may use the store meanwhile."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Together(Protocol):
    """What a VectorStore may do besides: answer several at once for less."""

    def query_together(self, wanted: Sequence[tuple[IndexKey, Vectors, int]]) -> list[list[tuple[str, float]]]:
        """What `query` finds for each."""
        ...


class LexicalIndex(Protocol):
    """BM25 over segmented words, in the library's own transactions: what is published can be found by its words."""

    def search(self, collection: str, text: str, k: int, allowed: Filter | None = None) -> list[tuple[str, float]]:
        """Up to `k` chunk ids with their BM25 score (higher is better), best first; empty for text without words."""
        ...


class Vocabulary(Protocol):
    """The words of the lexical index as they are written."""

    def has(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        """Whether an allowed chunk has the word, or a form of it."""
        ...

    def written(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
        """Whether an allowed chunk has the word as it is written here."""
        ...

    def beginning(self, letter: str) -> Mapping[str, int]:
        """The words of all collections that begin with this letter, and how many chunks have each. Not to be changed."""
        ...


class Library(Protocol):
    """What the question flow reads of the system of record. Only published documents are seen through it."""

    def hydrate(self, chunk_ids: Sequence[str]) -> dict[str, tuple[AnyChunk, DocumentRef]]:
        """The chunks that exist and are published; others are left out."""
        ...

    def languages(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """The language of each of the chunks that exist."""
        ...

    def seen_entries(self, chunk_ids: Sequence[str]) -> set[str]:
        """Of the entries of pictures (`id#n` is entry n of picture `id`) those of a kind in SEEN."""
        ...

    def neighbours(self, chunk_id: str, before: int, after: int) -> list[AnyChunk]:
        """Chunks around one, in document order, itself included; empty when it is not there."""
        ...

    def elements(self, document_id: str, pages: Collection[int]) -> list[Element]:
        """What stands on those pages of a document, in order, with the places of its lines where they are known; without pictures."""
        ...

    def allowed_vectors(self, key: IndexKey, allowed: Filter, limit: int) -> tuple[list[str], Vectors] | None:
        """Ids and vectors `[n, dimension]` of what the filter allows; None when there are more than `limit`."""
        ...

    def vectors_by_id(self, key: IndexKey, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """Ids and unit vectors `[n, dimension]` of those of the given ids that have one in this index."""
        ...

    def allows(self, chunk_ids: Sequence[str], allowed: Filter) -> set[str]:
        """Those of the chunks that the filter allows."""
        ...


class Reranker(Protocol):
    """Scores question and passage together."""

    @property
    def name(self) -> str: ...

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score per text, in order, higher is better; fewer, of the first texts, where its time ran out. Raises
        EncoderUnavailable, and GeneratorUnavailable where a generator judges."""
        ...


Item = TypeVar("Item", contravariant=True)


class Aligner(Protocol[Item]):
    """Scores a question against passages (`Item` is str) or pictures (ImageData), token by token."""

    @property
    def name(self) -> str: ...

    def align(self, question: str, items: Sequence[Item]) -> list[float]:
        """One score per item, in order, higher is better. An item's score does not depend on the others. Raises CorruptFile."""
        ...


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture in a prompt, under the line that says what it is."""

    label: str
    image: ImageData


@dataclass(frozen=True, slots=True)
class Message:
    """`images` stand before the text; a generator that sees none leaves them out."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[LabelledImage, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. There is no seed: see docs/generators.md."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 400
    stop: tuple[str, ...] = ()
    extra: Mapping[str, float] = field(default_factory=dict)
    """What else the server knows, by its own names."""
    top_k: int = 0
    """Only the k likeliest tokens; 0 leaves all."""
    repetition_penalty: float = 1.0
    """Divides the scores of tokens that the prompt or the answer has already; 1 leaves them alone."""
    presence_penalty: float = 0.0
    """Taken from the scores of tokens that the answer has already."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a generator may use: the finished prompt, and what the prompt was made from for those that read no prompt."""

    question: str
    language: str
    passages: tuple[Passage, ...]
    turns: tuple[Turn, ...]
    messages: tuple[Message, ...]
    sampling: Sampling
    schema: Mapping[str, object] | None = None
    """A JSON schema that the answer is to satisfy. Where the server can, it lets nothing else be written; the answer is read tolerantly
    all the same."""
    plainer: str = ""
    """The question without what it excludes; empty when it excludes nothing."""


class Generator(Protocol):
    """Writes an answer from passages."""

    @property
    def name(self) -> str:
        """Kind and model, for people: `llamacpp qwen2.5-coder-1.5b-instruct-q4_k_m`."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer share."""
        ...

    def count_tokens(self, text: str) -> int:
        """Exact where the generator has its tokenizer at hand, an upper estimate where it has not."""
        ...

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        """Pieces of the answer as they come, then one Usage. Closing the iterator ends the work. Raises GeneratorUnavailable."""
        ...

    def ready(self) -> None:
        """Returns when the generator can answer; otherwise raises GeneratorUnavailable or SetupError. Cheap."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class WarmUp(Protocol):
    """What a generator can do besides, where its first answer is slower than the others."""

    def warm_up(self) -> None:
        """Raises what `ready` raises."""
        ...


@runtime_checkable
class NextToken(Protocol):
    """What a generator can do besides, where its server tells probabilities."""

    def next_token(self, messages: Sequence[Message], seconds: float) -> dict[str, float]:
        """The likeliest first tokens of the reply, with the natural logarithm of their probability. Raises TimeoutError when it takes
        longer than `seconds`, GeneratorUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A line of text in a picture; `box` in pixels of the picture, its page 1; `confidence` in [0, 1]."""

    text: str
    box: Box
    confidence: float


class Ocr(Protocol):
    """Reads text in pictures."""

    @property
    def name(self) -> str: ...

    def read(self, image: ImageData) -> list[OcrLine]:
        """Lines in the order of the engine. Raises CorruptFile for bytes that are not a picture."""
        ...
