"""A text encoder from a directory with `model.onnx`, `tokenizer.json` and `encoder.json`, in ONNX Runtime; no torch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from rag.encoders.centring import Centring
from rag.encoders.word_counts import Count, WordCounts, counts_by_words
from rag.errors import ModelCorrupt, ModelMissing
from rag.onnx_session import cores, open_session
from rag.protocols import Space, Vectors

WINDOW = 1024
"""Texts that are tokenised and sorted by length together: enough for batches of near-equal length, and a bound on memory
for a list of any length."""

FEW = 32
"""Questions that are encoded by the threads of one."""

BATCH_TOKENS = 2048
"""Tokens of a batch, padding included. On two cores the speed is flat from 1,000 to 8,000 and memory grows with it."""

_DELETE = "Delete that directory and start again: it is built anew from the verified weights."


class OnnxTextEncoder:
    """Unit vectors of questions and passages; texts longer than the model can see are cut at their end.

    `threads` is the number of threads of one forward pass; 0 leaves it to ONNX Runtime (one per physical core) for passages, and takes one
    for a question: 20 tokens took 4.6 ms of one thread, 5.6 of two, which spent 6.9 of the processor's (two cores). Passages have a
    session of their own then, opened at the first of them: it holds the weights once more (125 MB).
    `centre_languages` takes each language's mean out of the vectors (rag/encoders/centring.py): for multilingual models.
    Raises ModelMissing when a file is not there and ModelCorrupt when ONNX Runtime cannot open it.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        threads: int = 0,
        centre_languages: bool = True,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        stamp = _read_stamp(model_dir)
        self._query_prefix: str = stamp["query_prefix"]
        self._passage_prefix: str = stamp["passage_prefix"]
        self._pad_id: int = stamp["pad_id"]
        self._batch_tokens = max(batch_tokens, int(stamp["positions"]))
        self._positions = int(stamp["positions"])
        self._dimension = int(stamp["dimension"])
        self._tokenizer = open_tokenizer(model_dir)
        self._count: Count = WordCounts(self._count_whole) if counts_by_words(self._tokenizer) else self._count_whole
        prefix = max(self.count_tokens([self._query_prefix, self._passage_prefix]))
        self._max_tokens = self._positions - len(self._tokenizer.encode("").ids) - prefix
        self._dir, self._threads, self._opening = model_dir, threads or cores(), threading.Lock()
        self._question_threads = threads or 1
        self._sessions: dict[int, Any] = {}
        self._session(self._question_threads)
        rules = f"{stamp['build']}; query={self._query_prefix!r} passage={self._passage_prefix!r}; mean pooling"
        self._centring: Centring | None = None
        if centre_languages:
            self._centring = Centring.load_or_fit(model_dir, self._plain_queries, self._plain_passages)
            rules += f"; languages centred {Centring.version()}"
        self._space = Space(stamp["model"], stamp["weights_sha256"], self._dimension, rules)

    @property
    def space(self) -> Space:
        return self._space

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._count(texts)

    def _count_whole(self, texts: Sequence[str]) -> list[int]:
        return [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        vectors = self._plain_queries(texts)
        return self._centring.queries(vectors, texts) if self._centring else vectors

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = self._plain_passages(texts)
        return self._centring.passages(vectors, texts) if self._centring else vectors

    def _plain_queries(self, texts: Sequence[str]) -> Vectors:
        # Those of several callers (rag/encoders/batching.py), too: the rest of their searches goes on beside it.
        session = self._session(self._question_threads if len(texts) <= FEW else self._threads)
        return self._encode(texts, self._query_prefix, session)

    def _plain_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts, self._passage_prefix, self._session(self._threads))

    def _session(self, threads: int) -> Any:
        with self._opening:
            if threads not in self._sessions:
                self._sessions[threads] = _open_session(self._dir / "model.onnx", threads)
            return self._sessions[threads]

    def _encode(self, texts: Sequence[str], prefix: str, session: Any) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for start in range(0, len(texts), WINDOW):
            window = [prefix + text for text in texts[start : start + WINDOW]]
            tokens = [cut(encoding.ids, self._positions) for encoding in self._tokenizer.encode_batch_fast(window)]
            for batch in batches([len(ids) for ids in tokens], self._batch_tokens):
                vectors[[start + index for index in batch]] = self._forward([tokens[index] for index in batch], session)
        return vectors

    def _forward(self, tokens: Sequence[Sequence[int]], session: Any) -> Vectors:
        longest = max(len(ids) for ids in tokens)
        input_ids = np.full((len(tokens), longest), self._pad_id, np.int64)
        mask = np.zeros((len(tokens), longest), np.int64)
        for row, ids in enumerate(tokens):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        (vectors,) = session.run(["embedding"], {"input_ids": input_ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that rows × longest row stays within the budget.

    Every index comes exactly once; a text longer than the budget is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        rows = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + rows]
        start += rows


def _read_stamp(model_dir: Path) -> dict[str, Any]:
    try:
        stamp: dict[str, Any] = json.loads((model_dir / "encoder.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"{model_dir} holds no text encoder.", "Run `tuwen models pull`.") from error
    except json.JSONDecodeError as error:
        raise ModelCorrupt(f"{model_dir / 'encoder.json'} cannot be read.", _DELETE) from error
    return stamp


def cut(ids: list[int], longest: int) -> list[int]:
    """The first tokens and the end mark. Done here so that one tokenizer both counts and cuts: opening it takes 0.5 s."""
    return ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]]


@lru_cache(maxsize=2)
def open_tokenizer(model_dir: Path) -> Any:
    """Shared by all that read this model: opening takes 0.5 s and a hundred megabytes. Raises ModelCorrupt."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    except Exception as error:  # the library raises plain Exception
        raise ModelCorrupt(f"The tokenizer in {model_dir} cannot be read: {error}.", _DELETE) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _open_session(path: Path, threads: int) -> Any:
    try:
        return open_session(path, threads)
    except Exception as error:  # ONNX Runtime raises classes of its own that share no base but Exception
        raise ModelCorrupt(f"ONNX Runtime cannot open {path}: {error}.", _DELETE) from error
