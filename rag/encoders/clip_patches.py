"""Vectors of patches and words of an open_clip model, in the space of its pooled vectors, for fine-grained alignment.

The states that the model itself pools are taken where it pools them and put through its own projection, as FILIP (Yao et al., ICLR
2022) and MaskCLIP (Zhou et al., ECCV 2022) do. CLIP was trained on pooled vectors only: its patches are usable, not trained for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rag.documents import ImageData
from rag.protocols import Tokens


class ClipPatches:
    """Satisfies `rag.protocols.PatchEncoder` for a loaded model. Calls wait for each other: the states are caught on their way."""

    def __init__(
        self, model: Any, pixels: Callable[[Sequence[ImageData]], Any], words: Callable[[Sequence[str]], Any]
    ) -> None:
        """`pixels` and `words` give what the model's own encode_image and encode_text want. See `patches_of`."""
        self._model, self._pixels, self._words = model, pixels, words
        self._guard = threading.Lock()

    def picture_patches(self, images: Sequence[ImageData]) -> list[Tokens]:
        visual, found = self._model.visual, []
        for image in images:  # one at a time: a picture's vector must not depend on its batch
            pooled, states = self._caught(visual.ln_post, self._model.encode_image, self._pixels([image]))
            patches = states[:, 1:] if visual.proj is None else states[:, 1:] @ visual.proj
            found.append(_tokens(patches[0], pooled[0]))
        return found

    def text_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        found, tower = [], getattr(self._model, "text", self._model)
        for text in texts:
            given = self._words([text])
            layer = getattr(tower, "ln_final", None) or tower.transformer
            pooled, states = self._caught(layer, self._model.encode_text, given)
            if hasattr(tower, "ln_final"):
                # Between the mark of the beginning and that of the end, which has the highest id.
                said = slice(1, int(given[0].argmax()))
                project = tower.text_projection
                words = states if project is None else project(states) if callable(project) else states @ project
            else:  # a tower of transformers (XLM-RoBERTa, BERT)
                said = slice(1, max(1, int((given[0] != tower.config.pad_token_id).sum()) - 1))
                words = tower.proj(states.last_hidden_state)
            found.append(_tokens(words[0][said], pooled[0]))
        return found

    def _caught(self, layer: Any, encode: Callable[[Any], Any], given: Any) -> tuple[Any, Any]:
        import torch

        caught: list[Any] = []
        with self._guard, torch.inference_mode():
            hook = layer.register_forward_hook(lambda _module, _given, result: caught.append(result))
            try:
                return encode(given), caught[-1]
            finally:
                hook.remove()


def patches_of(
    model: Any, pixels: Callable[[Sequence[ImageData]], Any], words: Callable[[Sequence[str]], Any]
) -> ClipPatches | None:
    """None for a model that pools in another way than by its first token (SigLIP's attention, ResNets): its patches are in no
    space of the text's."""
    visual = model.visual
    pooled_by_token = (
        type(visual).__name__ == "VisionTransformer"
        and visual.attn_pool is None
        and visual.pool_type == "tok"
        and not visual.final_ln_after_pool
    )
    return ClipPatches(model, pixels, words) if pooled_by_token else None


def _tokens(tokens: Any, pooled: Any) -> Tokens:
    vectors, whole = tokens.float().cpu().numpy(), pooled.float().cpu().numpy()
    lengths = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return Tokens(
        np.asarray(vectors / lengths, np.float32),
        np.asarray(whole / max(float(np.linalg.norm(whole)), 1e-12), np.float32),
    )
