"""Any sentence-transformers model, from a local directory or a hub; needs the extra `rerank` (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import BadSetting
from rag.local_models import open_local
from rag.protocols import Space, Vectors


class SentenceTransformersEncoder:
    """`model` is a directory, or a hub name that is in the local hub cache: nothing is downloaded here.

    Only safetensors are loaded, never pickles. The prefixes are the model's own (`query: ` for E5, an instruction for
    Qwen3-Embedding, none for bge-m3). `weights_sha256` goes into the space; empty where it is not known.
    `pooling` (mean, cls, last) is what the model is known to want: a directory without sentence-transformers' own files is pooled by
    the mean without a word, which is wrong for the others, and refused with BadSetting.
    Raises ExtraMissing without the packages, ModelMissing and ModelCorrupt for weights that are not there or not readable.
    """

    def __init__(
        self,
        model: str,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
        weights_sha256: str = "",
        pooling: str | None = None,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        self._model = open_local("SentenceTransformer", model, device)
        _check_pooling(self._model, model, pooling)
        self._query_prefix, self._passage_prefix, self._batch_size = query_prefix, passage_prefix, batch_size
        dimension = int(self._model.encode(["."], show_progress_bar=False).shape[1])
        rules = f"sentence-transformers; query={query_prefix!r} passage={passage_prefix!r}"
        self._space = Space(Path(model).name if Path(model).is_dir() else model, weights_sha256, dimension, rules)
        longest = int(self._model.max_seq_length or 512)
        self._max_tokens = longest - 2 - max(self.count_tokens([query_prefix, passage_prefix]))

    @property
    def space(self) -> Space:
        return self._space

    @property
    def max_tokens(self) -> int:
        return self._max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        tokens = self._model.tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
        return [len(ids) for ids in tokens["input_ids"]]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._query_prefix + text for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._passage_prefix + text for text in texts])

    def _encode(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._space.dimension), np.float32)
        # Sorts by length itself. Normalising by hand: some models end in a layer that does not.
        vectors = self._model.encode(texts, batch_size=self._batch_size, show_progress_bar=False, convert_to_numpy=True)
        vectors = np.asarray(vectors, np.float32)
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


_MODES = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
"""By sentence-transformers' names."""


def _check_pooling(loaded: Any, model: str, wanted: str | None) -> None:
    modes = [layer.pooling_mode for layer in loaded if hasattr(layer, "pooling_mode")]
    found = ",".join(modes[0]) if modes and not isinstance(modes[0], str) else (modes[0] if modes else "")
    if wanted and found and found != _MODES[wanted]:
        raise BadSetting(
            f"{model} is pooled by {found} here, but its family by {wanted}: its vectors would be wrong.",
            "Download the whole repository: modules.json and 1_Pooling/config.json say how it is pooled.",
        )
