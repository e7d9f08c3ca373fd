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
        import torch

        with torch.inference_mode():  # one at a time: a picture's vector must not depend on its batch
            return [self._patches(image) for image in images]

    def text_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        import torch

        with torch.inference_mode():
            return [self._said(text) for text in texts]

    def _patches(self, image: ImageData) -> Tokens:
        visual = self._model.visual
        pooled, states = self._caught(visual.ln_post, self._model.encode_image, self._pixels([image]))
        patches = states[0, 1:] if visual.proj is None else states[0, 1:] @ visual.proj
        return _tokens(patches, pooled[0])

    def _said(self, text: str) -> Tokens:
        tower, given = getattr(self._model, "text", self._model), self._words([text])
        layer = getattr(tower, "ln_final", None) or tower.transformer
        pooled, states = self._caught(layer, self._model.encode_text, given)
        if hasattr(tower, "ln_final"):
            # Between the mark of the beginning and that of the end, which has the highest id.
            said, project = slice(1, int(given[0].argmax())), tower.text_projection
            words = states if project is None else project(states) if callable(project) else states @ project
        else:  # a tower of transformers (XLM-RoBERTa, BERT)
            said = slice(1, max(1, int((given[0] != tower.config.pad_token_id).sum()) - 1))
            words = tower.proj(states.last_hidden_state)
        return _tokens(words[0][said], pooled[0])

    def _caught(self, layer: Any, encode: Callable[[Any], Any], given: Any) -> tuple[Any, Any]:
        caught: list[Any] = []
        with self._guard:
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
