"""A dual encoder (CLIP, SigLIP, XLM-R CLIP, …) through open_clip: pictures and texts as unit vectors of one space.

Radford et al., "Learning transferable visual models from natural language supervision" (ICML 2021). Needs the extra
`clip`; torch is imported when an encoder is made, and only then.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.documents import ImageData
from rag.encoders.clip_patches import patches_of
from rag.encoders.clip_weights import (
    LOCAL,
    from_hub,
    local_source,
    refuse_random_weights,
    refuse_wrong_activation,
)
from rag.encoders.pictures import MAX_PIXELS, open_rgb
from rag.errors import ExtraMissing, ModelCorrupt, ModelMissing
from rag.hashing import sha256_of
from rag.protocols import PatchEncoder, Space, Vectors

SAFE_TORCH = (2, 6)
"""Since then `torch.load` refuses pickles that name more than tensors, also where open_clip calls it a second time."""


class OpenClipEncoder:
    """Satisfies `rag.protocols.ImageEncoder`.

    `model` and `pretrained` name the weights in one of four ways:

    - `local-dir:PATH`: a folder with `open_clip_config.json`, weights and, where the model needs one, its tokenizer;
    - an architecture of open_clip and the path of a checkpoint file;
    - an architecture and one of open_clip's tags, or `hf-hub:ORG/NAME`: from the hub's cache on this machine, or
      downloaded where `download` is true.

    Raises ExtraMissing without torch and open_clip; BadSetting where there would be random weights, a checkpoint of a kind
    that is not safe to open, or an architecture with the wrong activation; ModelMissing; ModelCorrupt.
    """

    def __init__(
        self,
        model: str,
        pretrained: str = "",
        *,
        device: str = "cpu",
        batch_size: int = 16,
        download: bool = False,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        refuse_random_weights(model, pretrained)
        source, checkpoint = local_source(model, pretrained)
        self._torch, open_clip = _imported()
        if checkpoint is None:
            source, checkpoint = from_hub(open_clip, model, pretrained, download)
        sha256 = sha256_of(checkpoint)
        refuse_wrong_activation(open_clip, source, checkpoint, sha256)
        self._model, config = _loaded(open_clip, source, checkpoint, device)
        self._transform = _evaluation_transform(open_clip, self._model)
        self._tokenizer = _tokenizer(open_clip, source)
        self._device, self._batch_size, self._max_pixels = device, batch_size, max_pixels
        self._tokenizing = threading.Lock()
        preprocessing = json.dumps(self._model.visual.preprocess_cfg, sort_keys=True, default=str)
        rules = f"quick_gelu={bool(config.get('quick_gelu'))}; {preprocessing}"
        name = Path(source.removeprefix(LOCAL)).name if source.startswith(LOCAL) else source
        self._space = Space(f"open_clip {name}", sha256, int(config["embed_dim"]), rules)
        self._patches = patches_of(self._model, self._pixels, self._tokens)

    @property
    def space(self) -> Space:
        return self._space

    def encode_images(self, images: Sequence[ImageData]) -> Vectors:
        return self._in_batches(images, lambda batch: self._model.encode_image(self._pixels(batch), normalize=True))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._in_batches(texts, lambda batch: self._model.encode_text(self._tokens(batch), normalize=True))

    @property
    def patches(self) -> PatchEncoder | None:
        """For fine-grained alignment; None for a model whose patches are not in the space of the text."""
        return self._patches

    def _pixels(self, batch: Sequence[ImageData]) -> Any:
        pixels = [self._transform(open_rgb(image, max_pixels=self._max_pixels)) for image in batch]
        return self._torch.stack(pixels).to(self._device)

    def _tokens(self, batch: Sequence[str]) -> Any:
        with self._tokenizing:  # fast tokenizers of transformers may not be shared between threads
            return self._tokenizer(list(batch)).to(self._device)

    def _in_batches(self, items: Sequence[Any], encode: Any) -> Vectors:
        found = [np.zeros((0, self._space.dimension), dtype=np.float32)]
        with self._torch.inference_mode():
            for start in range(0, len(items), self._batch_size):
                vectors = encode(items[start : start + self._batch_size])
                found.append(vectors.float().cpu().numpy())
        return np.concatenate(found)


def _imported() -> tuple[Any, Any]:
    try:
        import open_clip
        import torch
    except ImportError as error:
        raise ExtraMissing(
            f"The image encoder needs open_clip and torch ({error}).", "Run `pip install 'tuwen[clip]'`."
        ) from error
    except RuntimeError as error:  # torchvision built for another torch: "operator torchvision::nms does not exist"
        raise ExtraMissing(
            f"open_clip cannot be imported: torch and torchvision do not belong together ({error}).",
            "Run `pip install --upgrade 'tuwen[clip]'`, which brings a pair that does.",
        ) from error
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < SAFE_TORCH:
        raise ExtraMissing(
            f"torch {torch.__version__} opens checkpoints unsafely.", "Run `pip install --upgrade 'tuwen[clip]'`."
        )
    return torch, open_clip


def _loaded(open_clip: Any, source: str, checkpoint: Path, device: str) -> tuple[Any, dict[str, Any]]:
    config: dict[str, Any] = open_clip.get_model_config(source)
    if config["text_cfg"].get("hf_model_name") and importlib.util.find_spec("transformers") is None:
        raise ExtraMissing(f"The text tower of {source} needs transformers.", "Run `pip install transformers`.")
    # Made without weights and filled from the one file that was hashed: open_clip's own choice might be another file, and
    # a file that is missing would be a line in the log. That line is kept out here, where it would be wrong.
    root = logging.getLogger()
    root.addFilter(_not_about_random_weights)
    try:
        model = open_clip.create_model(
            source, load_weights=False, pretrained_text=False, device="cpu", **_tower_beside(source, config)
        )
    finally:
        root.removeFilter(_not_about_random_weights)
    try:
        open_clip.load_checkpoint(model, str(checkpoint), strict=True, weights_only=True)
    except Exception as error:  # keys or shapes that do not fit, a pickle of more than tensors, a truncated file
        raise ModelCorrupt(
            f"{checkpoint} cannot be loaded into {source}: {str(error).strip().splitlines()[0]}",
            "Check that weights and architecture belong together; convert TorchScript and pickles to safetensors.",
        ) from error
    return model.eval().to(device), config


def _tower_beside(source: str, config: dict[str, Any]) -> dict[str, Any]:
    """A text tower of transformers that the folder describes itself: open_clip would look for it in the current directory."""
    text = config["text_cfg"]
    if not source.startswith(LOCAL) or text.get("hf_model_name") != ".":
        return {}
    folder = source.removeprefix(LOCAL)
    return {"text_cfg": text | {"hf_model_name": folder, "hf_model_pretrained": False}}


def _not_about_random_weights(record: logging.LogRecord) -> bool:
    return "initialized randomly" not in record.getMessage()


def _evaluation_transform(open_clip: Any, model: Any) -> Any:
    settings = open_clip.transform.PreprocessCfg(**model.visual.preprocess_cfg)
    return open_clip.transform.image_transform_v2(settings, is_train=False)


def _tokenizer(open_clip: Any, source: str) -> Any:
    try:
        return open_clip.get_tokenizer(source)
    except ImportError as error:
        raise ExtraMissing(
            f"The tokenizer of {source} needs transformers.", "Run `pip install transformers`."
        ) from error
    except Exception as error:  # not in the folder, not in the hub's cache
        raise ModelMissing(
            f"The tokenizer of {source} is not on this machine ({type(error).__name__}).",
            "Put tokenizer.json and tokenizer_config.json beside the weights.",
        ) from error
