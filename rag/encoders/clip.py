"""A dual encoder (CLIP, SigLIP, XLM-R CLIP, …) through open_clip: pictures and texts as unit vectors of one space.

Radford et al., "Learning transferable visual models from natural language supervision" (ICML 2021). Needs the extra
`clip`; torch is imported when an encoder is made, and only then.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.documents import ImageData
from rag.encoders.pictures import MAX_PIXELS, open_rgb
from rag.errors import BadSetting, ExtraMissing, ModelCorrupt, ModelMissing
from rag.protocols import Space, Vectors

LOCAL = "local-dir:"
HUB = "hf-hub:"
CONFIG = "open_clip_config.json"
QUICK = "-quickgelu"
SAFE = (".safetensors", ".bin", ".pt", ".pth")
PREFERRED = ("open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin", "pytorch_model.bin")
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
        _refuse_random_weights(model, pretrained)
        source, checkpoint = _local_source(model, pretrained)
        self._torch, open_clip = _imported()
        if checkpoint is None:
            source, checkpoint = _from_hub(open_clip, model, pretrained, download)
        sha256 = _sha256(checkpoint)
        _refuse_wrong_activation(open_clip, source, checkpoint, sha256)
        self._model, config = _loaded(open_clip, source, checkpoint, device)
        self._transform = _evaluation_transform(open_clip, self._model)
        self._tokenizer = _tokenizer(open_clip, source)
        self._device, self._batch_size, self._max_pixels = device, batch_size, max_pixels
        self._tokenizing = threading.Lock()
        preprocessing = json.dumps(self._model.visual.preprocess_cfg, sort_keys=True, default=str)
        rules = f"quick_gelu={bool(config.get('quick_gelu'))}; {preprocessing}"
        name = Path(source.removeprefix(LOCAL)).name if source.startswith(LOCAL) else source
        self._space = Space(f"open_clip {name}", sha256, int(config["embed_dim"]), rules)

    @property
    def space(self) -> Space:
        return self._space

    def encode_images(self, images: Sequence[ImageData]) -> Vectors:
        def encode(batch: Sequence[ImageData]) -> Any:
            pixels = [self._transform(open_rgb(image, max_pixels=self._max_pixels)) for image in batch]
            return self._model.encode_image(self._torch.stack(pixels).to(self._device), normalize=True)

        return self._in_batches(images, encode)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        def encode(batch: Sequence[str]) -> Any:
            with self._tokenizing:  # fast tokenizers of transformers may not be shared between threads
                tokens = self._tokenizer(list(batch))
            return self._model.encode_text(tokens.to(self._device), normalize=True)

        return self._in_batches(texts, encode)

    def _in_batches(self, items: Sequence[Any], encode: Any) -> Vectors:
        found = [np.zeros((0, self._space.dimension), dtype=np.float32)]
        with self._torch.inference_mode():
            for start in range(0, len(items), self._batch_size):
                vectors = encode(items[start : start + self._batch_size])
                found.append(vectors.float().cpu().numpy())
        return np.concatenate(found)


def _refuse_random_weights(model: str, pretrained: str) -> None:
    if not model.startswith((LOCAL, HUB)) and not pretrained:
        raise BadSetting(
            f"The image encoder {model} has no weights named: open_clip would fill it with random numbers.",
            "Name a checkpoint file or a tag as `pretrained`, or a folder as `local-dir:PATH`.",
        )


def _local_source(model: str, pretrained: str) -> tuple[str, Path | None]:
    """What names the architecture, and the checkpoint where it is a file on this machine."""
    if model.startswith(LOCAL):
        return model, _checkpoint_in(Path(model.removeprefix(LOCAL)))
    file = Path(pretrained)
    if file.suffix and not model.startswith(HUB):
        if not file.is_file():
            raise ModelMissing(f"The weights {pretrained} are not there.", "Check the path of `pretrained`.")
        if file.suffix not in SAFE:
            raise BadSetting(f"Weights of the kind {file.suffix} are not loaded.", "Convert them to safetensors.")
        return model, file
    return model, None


def _checkpoint_in(folder: Path) -> Path:
    if not (folder / CONFIG).is_file():
        raise ModelMissing(f"{folder} has no {CONFIG}.", f"Name a folder that has it after `{LOCAL}`.")
    found = sorted(file for suffix in SAFE for file in folder.glob(f"*{suffix}"))
    named = [folder / name for name in PREFERRED if folder / name in found]
    if not found:
        raise ModelMissing(f"{folder} has no weights ({', '.join(SAFE)}).", "Put open_clip_model.safetensors there.")
    if not named and len(found) > 1:
        raise BadSetting(
            f"{folder} has several weights: {', '.join(f.name for f in found)}.",
            f"Keep one, or call it {PREFERRED[0]}.",
        )
    return named[0] if named else found[0]


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


def _from_hub(open_clip: Any, model: str, pretrained: str, download: bool) -> tuple[str, Path]:
    """The hub's snapshot of a model as a local folder."""
    from huggingface_hub import snapshot_download

    if model.startswith(HUB):
        repository = model.removeprefix(HUB)
    else:
        _known(open_clip, model)
        tag = open_clip.get_pretrained_cfg(model, pretrained)
        if not tag:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
            raise BadSetting(
                f"open_clip has no weights {pretrained!r} for {model}.", f"Its tags are: {tags}. Or name a file."
            )
        _refuse_activation_of_tag(open_clip, model, pretrained, tag)
        repository = str(tag.get("hf_hub", "")).rstrip("/")
    if not repository:
        raise BadSetting(f"{model} {pretrained} is not on the hub.", "Download it and name its file as `pretrained`.")
    patterns = ["*.json", "*.txt", "*.model", "open_clip_*.safetensors", "open_clip_*.bin"]
    try:
        folder = snapshot_download(repository, local_files_only=not download, allow_patterns=patterns)
    except Exception as error:  # offline, not found, not allowed: each with a type of its own
        raise ModelMissing(
            f"The image encoder {repository} is not on this machine and was not downloaded ({type(error).__name__}).",
            f"Run `tuwen models pull`, or copy its folder here and name it as `{LOCAL}PATH`.",
        ) from error
    return f"{LOCAL}{folder}", _checkpoint_in(Path(folder))


def _refuse_activation_of_tag(open_clip: Any, model: str, pretrained: str, tag: dict[str, Any]) -> None:
    config = open_clip.get_model_config(model) or {}
    if bool(tag.get("quick_gelu")) != bool(config.get("quick_gelu")):
        other = model.removesuffix(QUICK) if model.endswith(QUICK) else model + QUICK
        raise _wrong_activation(model, pretrained, other)


def _refuse_wrong_activation(open_clip: Any, source: str, checkpoint: Path, sha256: str) -> None:
    """OpenAI's weights were trained with QuickGELU; with GELU they load without an error and their vectors are wrong."""
    config = open_clip.get_model_config(source) if source.startswith(LOCAL) else _known(open_clip, source)
    # Not the whole path: it may lie in a folder of a person or a project of that name.
    from_openai = "openai" in f"{checkpoint.parent.name}/{checkpoint.name}".lower() or any(
        sha256 in str((open_clip.get_pretrained_cfg(name, "openai") or {}).get("url"))
        for name in open_clip.list_pretrained_models_by_tag("openai")
    )
    if from_openai and not config.get("quick_gelu"):
        if source.startswith(LOCAL):
            raise BadSetting(
                f"{source} holds OpenAI's weights, but its {CONFIG} does not say quick_gelu: the vectors would be wrong.",
                f'Write `"quick_gelu": true` into `model_cfg` of {CONFIG}.',
            )
        raise _wrong_activation(source, checkpoint.name, source + QUICK)


def _wrong_activation(model: str, weights: str, other: str) -> BadSetting:
    return BadSetting(
        f"The weights {weights} were trained with another activation than {model} has: the vectors would be wrong.",
        f"Use the model name {other}.",
    )


def _known(open_clip: Any, model: str) -> dict[str, Any]:
    config: dict[str, Any] | None = open_clip.get_model_config(model)
    if config is None:
        raise BadSetting(f"open_clip knows no architecture {model}.", "`open_clip.list_models()` lists them.")
    return config


def _loaded(open_clip: Any, source: str, checkpoint: Path, device: str) -> tuple[Any, dict[str, Any]]:
    config: dict[str, Any] = open_clip.get_model_config(source)
    # Made without weights and filled from the one file that was hashed: open_clip's own choice might be another file, and
    # a file that is missing would be a line in the log.
    model = open_clip.create_model(
        source, load_weights=False, pretrained_text=False, pretrained_image=False, device="cpu"
    )
    try:
        open_clip.load_checkpoint(model, str(checkpoint), strict=True, weights_only=True)
    except Exception as error:  # keys or shapes that do not fit, a pickle of more than tensors, a truncated file
        raise ModelCorrupt(
            f"{checkpoint} cannot be loaded into {source}: {str(error).strip().splitlines()[0]}",
            "Check that weights and architecture belong together; convert TorchScript and pickles to safetensors.",
        ) from error
    return model.eval().to(device), config


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


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
