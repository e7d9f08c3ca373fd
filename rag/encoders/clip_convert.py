"""A CLIP in the layout of Hugging Face (`CLIPModel`) -> a folder that `local-dir:` opens with open_clip; the numbers stay the same.

The names differ, the three attention matrices are stacked, and the projections are transposed. Which activation the weights were
trained with (`quick_gelu` for OpenAI's) goes into the configuration, where open_clip reads it.
"""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

from rag.errors import ModelCorrupt, ModelMissing

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json")
_ACTIVATIONS = {"quick_gelu": True, "gelu": False}


def convert_clip(source: Path, target: Path) -> Path:
    """Writes `open_clip_config.json`, `open_clip_model.safetensors` and what there is of a tokenizer into `target`.

    Needs the extra `clip` (safetensors). Raises ModelMissing without config.json or model.safetensors, ModelCorrupt for another kind
    of model.
    """
    safetensors = importlib.import_module("safetensors.torch")
    config = _config(source)
    if not (source / "model.safetensors").is_file():
        raise ModelMissing(f"{source} holds no model.safetensors.", "Weights in pickles are not loaded: convert them.")
    tensors = safetensors.load_file(source / "model.safetensors")
    try:
        converted = _tensors(tensors, config)
    except KeyError as error:
        raise ModelCorrupt(f"{source} has no weights {error}: it is no CLIPModel.", "Choose another model.") from error
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER:
        if (source / name).is_file():
            shutil.copy(source / name, target / name)
    (target / "open_clip_config.json").write_text(json.dumps(_described(config, source), indent=1), encoding="utf-8")
    safetensors.save_file(converted, target / "open_clip_model.safetensors")
    return target


def _config(source: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((source / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"{source} holds no config.json.", "Name the directory of a CLIP model.") from error
    kinds = {
        config["text_config"].get("hidden_act", "quick_gelu"),
        config["vision_config"].get("hidden_act", "quick_gelu"),
    }
    if config.get("model_type") != "clip" or len(kinds) != 1 or kinds - set(_ACTIVATIONS):
        raise ModelCorrupt(
            f"{source} is a {config.get('model_type')} with {', '.join(sorted(kinds))}, which is not converted.",
            "Only CLIPModel with gelu or quick_gelu in both towers is.",
        )
    return config


def _described(config: dict[str, Any], source: Path) -> dict[str, Any]:
    text, vision = config["text_config"], config["vision_config"]
    model: dict[str, Any] = {
        "embed_dim": config["projection_dim"],
        "quick_gelu": _ACTIVATIONS[text.get("hidden_act", "quick_gelu")],
        "vision_cfg": {
            "image_size": vision["image_size"],
            "layers": vision["num_hidden_layers"],
            "width": vision["hidden_size"],
            "head_width": vision["hidden_size"] // vision["num_attention_heads"],
            "mlp_ratio": vision["intermediate_size"] / vision["hidden_size"],
            "patch_size": vision["patch_size"],
        },
        "text_cfg": {
            "context_length": text["max_position_embeddings"],
            "vocab_size": text["vocab_size"],
            "width": text["hidden_size"],
            "heads": text["num_attention_heads"],
            "layers": text["num_hidden_layers"],
            "mlp_ratio": text["intermediate_size"] / text["hidden_size"],
        },
    }
    described: dict[str, Any] = {"model_cfg": model}
    if (source / "preprocessor_config.json").is_file():
        pixels = json.loads((source / "preprocessor_config.json").read_text(encoding="utf-8"))
        described["preprocess_cfg"] = {"mean": pixels["image_mean"], "std": pixels["image_std"]}
    return described


def _tensors(given: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    made = {
        "logit_scale": given["logit_scale"],
        "token_embedding.weight": given["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": given["text_model.embeddings.position_embedding.weight"],
        "text_projection": given["text_projection.weight"].T.contiguous(),
        "visual.class_embedding": given["vision_model.embeddings.class_embedding"],
        "visual.conv1.weight": given["vision_model.embeddings.patch_embedding.weight"],
        "visual.positional_embedding": given["vision_model.embeddings.position_embedding.weight"],
        "visual.proj": given["visual_projection.weight"].T.contiguous(),
    }
    for theirs, ours in (
        ("text_model.final_layer_norm", "ln_final"),
        ("vision_model.pre_layrnorm", "visual.ln_pre"),  # sic
        ("vision_model.post_layernorm", "visual.ln_post"),
    ):
        made |= {f"{ours}.{part}": given[f"{theirs}.{part}"] for part in ("weight", "bias")}
    for tower, ours, layers in (
        ("text_model", "transformer", config["text_config"]["num_hidden_layers"]),
        ("vision_model", "visual.transformer", config["vision_config"]["num_hidden_layers"]),
    ):
        for index in range(layers):
            made |= _layer(given, f"{tower}.encoder.layers.{index}", f"{ours}.resblocks.{index}")
    return made


_PARTS = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def _layer(given: dict[str, Any], theirs: str, ours: str) -> dict[str, Any]:
    import torch

    made = {
        f"{ours}.{new}.{part}": given[f"{theirs}.{old}.{part}"]
        for old, new in _PARTS.items()
        for part in ("weight", "bias")
    }
    for part in ("weight", "bias"):
        stacked = [given[f"{theirs}.self_attn.{which}_proj.{part}"] for which in "qkv"]
        made[f"{ours}.attn.in_proj_{part}"] = torch.cat(stacked)
    return made
