"""A CLIP in the layout of Hugging Face -> a folder that `local-dir:` opens with open_clip; the numbers stay the same.

`CLIPModel` (Radford et al., 2021) and `ChineseCLIPModel` (Yang et al., "Chinese CLIP", 2022), whose text tower is a BERT that
open_clip runs through transformers. The names differ, the three attention matrices are stacked, and projections are transposed.
Which activation the weights were trained with (`quick_gelu` for OpenAI's) goes into the configuration, where open_clip reads it.
"""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

from rag.errors import BadSetting, ExtraMissing, ModelCorrupt, ModelMissing

TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "special_tokens_map.json",
)
CHINESE_CONTEXT = 52
"""Tokens of a text in Chinese-CLIP's training; its table of positions is longer."""
_KINDS = {"clip": "CLIPModel", "chinese_clip": "ChineseCLIPModel"}
_ACTIVATIONS = {"quick_gelu": True, "gelu": False}
_BERT = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id",
)  # fmt: skip


def convert_clip(source: Path, target: Path) -> Path:
    """Writes `open_clip_config.json`, `open_clip_model.safetensors` and what there is of a tokenizer into `target`.

    The folder may be moved afterwards. Raises ExtraMissing without the extra `clip`; BadSetting where `target` is `source`;
    ModelMissing without config.json or weights; ModelCorrupt for another kind of model.
    """
    if source.resolve() == target.resolve():
        raise BadSetting(f"{target} is what is converted.", "Name another folder to write to.")
    config = _config(source)
    save, given = _safetensors().save_file, _weights(source)
    chinese = config["model_type"] == "chinese_clip"
    try:
        towers = _pictures(given, config["vision_config"])
        towers |= _bert(given) if chinese else _words(given, config["text_config"])
    except KeyError as error:
        raise ModelCorrupt(
            f"{source} has no weights {error}: it is no {_KINDS[config['model_type']]}.", "Choose another model."
        ) from error
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER:
        if (source / name).is_file():
            shutil.copy(source / name, target / name)
    text = _chinese_text(config["text_config"], target) if chinese else _text(config["text_config"])
    model = {"embed_dim": config["projection_dim"], **_vision(config["vision_config"]), "text_cfg": text}
    described = {"model_cfg": model, **_preprocessing(source)}
    (target / "open_clip_config.json").write_text(json.dumps(described, indent=1), encoding="utf-8")
    save(towers, target / "open_clip_model.safetensors")
    return target


def _safetensors() -> Any:
    try:
        return importlib.import_module("safetensors.torch")
    except ImportError as error:
        raise ExtraMissing(f"Converting needs torch ({error}).", "Run `pip install 'tuwen[clip]'`.") from error


def _config(source: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((source / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"{source} holds no config.json.", "Name the directory of a CLIP model.") from error
    kind, text, vision = config.get("model_type"), config.get("text_config") or {}, config.get("vision_config") or {}
    kinds = {vision.get("hidden_act", "quick_gelu")}
    if kind == "clip":  # open_clip has one activation for both towers; a BERT has its own
        kinds.add(text.get("hidden_act", "quick_gelu"))
    if kind not in _KINDS or len(kinds) != 1 or kinds - set(_ACTIVATIONS):
        raise ModelCorrupt(
            f"{source} is a {kind} with {', '.join(sorted(kinds))}, which is not converted.",
            f"Only {' and '.join(_KINDS.values())} with gelu or quick_gelu are.",
        )
    return config


def _weights(source: Path) -> dict[str, Any]:
    """Also out of a pickle, by the loader of torch that makes nothing but tensors of it."""
    if (source / "model.safetensors").is_file():
        found: dict[str, Any] = _safetensors().load_file(source / "model.safetensors")
        return found
    pickled = source / "pytorch_model.bin"
    if not pickled.is_file():
        raise ModelMissing(f"{source} holds no model.safetensors and no pytorch_model.bin.", "Download the weights.")
    try:
        found = importlib.import_module("torch").load(pickled, map_location="cpu", weights_only=True)
    except Exception as error:  # more than tensors in it, or cut off
        raise ModelCorrupt(
            f"{pickled} cannot be read: {str(error).strip().splitlines()[0]}", "Download it again."
        ) from error
    return found


def _vision(vision: dict[str, Any]) -> dict[str, Any]:
    return {
        "quick_gelu": _ACTIVATIONS[vision.get("hidden_act", "quick_gelu")],
        "vision_cfg": {
            "image_size": vision["image_size"],
            "layers": vision["num_hidden_layers"],
            "width": vision["hidden_size"],
            "head_width": vision["hidden_size"] // vision["num_attention_heads"],
            "mlp_ratio": vision["intermediate_size"] / vision["hidden_size"],
            "patch_size": vision["patch_size"],
        },
    }


def _text(text: dict[str, Any]) -> dict[str, Any]:
    return {
        "context_length": text["max_position_embeddings"],
        "vocab_size": text["vocab_size"],
        "width": text["hidden_size"],
        "heads": text["num_attention_heads"],
        "layers": text["num_hidden_layers"],
        "mlp_ratio": text["intermediate_size"] / text["hidden_size"],
    }


def _chinese_text(text: dict[str, Any], target: Path) -> dict[str, Any]:
    """Beside the weights, in the words of transformers: the BERT's configuration, and which tokenizer reads its vocabulary."""
    bert = {"model_type": "bert", "pad_token_id": 0} | {name: text[name] for name in _BERT if name in text}
    (target / "config.json").write_text(json.dumps(bert, indent=1), encoding="utf-8")
    if not (target / "tokenizer_config.json").is_file():
        tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
        (target / "tokenizer_config.json").write_text(json.dumps(tokenizer, indent=1), encoding="utf-8")
    return {
        "hf_model_name": ".",
        "hf_tokenizer_name": ".",
        "hf_proj_type": "linear",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": min(CHINESE_CONTEXT, text.get("max_position_embeddings", 512)),
    }


def _preprocessing(source: Path) -> dict[str, Any]:
    if not (source / "preprocessor_config.json").is_file():
        return {}
    pixels = json.loads((source / "preprocessor_config.json").read_text(encoding="utf-8"))
    return {"preprocess_cfg": {"mean": pixels["image_mean"], "std": pixels["image_std"]}}


def _pictures(given: dict[str, Any], vision: dict[str, Any]) -> dict[str, Any]:
    made = {
        "logit_scale": given["logit_scale"],
        "visual.class_embedding": given["vision_model.embeddings.class_embedding"],
        "visual.conv1.weight": given["vision_model.embeddings.patch_embedding.weight"],
        "visual.positional_embedding": given["vision_model.embeddings.position_embedding.weight"],
        "visual.proj": given["visual_projection.weight"].T.contiguous(),
    }
    made |= _norm(given, "vision_model.pre_layrnorm", "visual.ln_pre")  # sic
    made |= _norm(given, "vision_model.post_layernorm", "visual.ln_post")
    for index in range(vision["num_hidden_layers"]):
        made |= _layer(given, f"vision_model.encoder.layers.{index}", f"visual.transformer.resblocks.{index}")
    return made


def _words(given: dict[str, Any], text: dict[str, Any]) -> dict[str, Any]:
    made = {
        "token_embedding.weight": given["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": given["text_model.embeddings.position_embedding.weight"],
        "text_projection": given["text_projection.weight"].T.contiguous(),
    }
    made |= _norm(given, "text_model.final_layer_norm", "ln_final")
    for index in range(text["num_hidden_layers"]):
        made |= _layer(given, f"text_model.encoder.layers.{index}", f"transformer.resblocks.{index}")
    return made


def _bert(given: dict[str, Any]) -> dict[str, Any]:
    """The tower as it is; older files hold the row of positions as well, which is no weight."""
    parts = {
        name.removeprefix("text_model."): tensor for name, tensor in given.items() if name.startswith("text_model.")
    }
    made = {
        f"text.transformer.{name}": tensor
        for name, tensor in parts.items()
        if not name.endswith("position_ids") and not name.startswith("pooler.")
    }
    return made | {"text.proj.weight": given["text_projection.weight"]}


def _norm(given: dict[str, Any], theirs: str, ours: str) -> dict[str, Any]:
    return {f"{ours}.{part}": given[f"{theirs}.{part}"] for part in ("weight", "bias")}


_PARTS = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def _layer(given: dict[str, Any], theirs: str, ours: str) -> dict[str, Any]:
    import torch

    made: dict[str, Any] = {}
    for old, new in _PARTS.items():
        made |= _norm(given, f"{theirs}.{old}", f"{ours}.{new}")
    for part in ("weight", "bias"):
        stacked = [given[f"{theirs}.self_attn.{which}_proj.{part}"] for which in "qkv"]
        made[f"{ours}.attn.in_proj_{part}"] = torch.cat(stacked)
    return made
