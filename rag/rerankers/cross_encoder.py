"""A cross-encoder reads question and passage together (Nogueira and Cho, "Passage re-ranking with BERT", 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import ModelCorrupt
from rag.local_models import open_local


class CrossEncoderReranker:
    """`model` is a directory, or a hub name that is in the local hub cache: nothing is downloaded here, and no pickle loaded.

    Scores are the model's logits, higher is better: the activation that its configuration names is left out, because some name one and
    others of the same training do not. rag/rerankers/probability.py makes them probabilities.
    Raises ExtraMissing without the packages, ModelMissing and ModelCorrupt for weights that are not there or not readable.
    """

    def __init__(self, model: str, *, device: str | None = None, max_tokens: int = 512, batch_size: int = 16) -> None:
        self._name = Path(model).name if Path(model).is_dir() else model
        self._batch_size = batch_size
        self._model = _load(model, device, max_tokens)

    @property
    def name(self) -> str:
        return f"cross-encoder {self._name}"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        import torch

        pairs = [(question, text) for text in texts]
        scores = self._model.predict(
            pairs,
            batch_size=self._batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
            activation_fn=torch.nn.Identity(),
        )
        return [float(score) for score in scores]


def _load(model: str, device: str | None, max_tokens: int) -> Any:
    loaded = open_local("CrossEncoder", model, device, max_length=max_tokens)
    if loaded.num_labels != 1:
        raise ModelCorrupt(
            f"{model} gives {loaded.num_labels} scores for a pair, not one: it is no reranker.",
            "Choose a model trained for relevance.",
        )
    return loaded
