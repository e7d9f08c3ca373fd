"""A model's public config.json (the fields of Hugging Face's transformers) as an Architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import BadRequest
from rag.planning.architecture import Architecture, Experts, Grouped, Latent

PLAIN = frozenset({"llama", "mistral", "qwen2", "qwen3"})
KNOWN = PLAIN | {"mixtral", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3"}
"""Read as their own checkpoints have them, to the parameter. Gemma, which leaves out that its embedding is tied, is not among them."""
_TYPES = {"bfloat16": "bf16", "float16": "bf16", "float32": "fp32"}
_METHODS = {"fp8": "fp8", "awq": "int4", "gptq": "int4", "compressed-tensors": "int8"}


def read_config(path: Path) -> tuple[Architecture, tuple[str, ...]]:
    """The architecture and what a person should know of how it was read. Raises BadRequest."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Give a model's config.json, or a name.") from error
    if not isinstance(given, dict):
        raise BadRequest(f"{path} is no model's config.json.", "Give one, or a name.")
    name = str(given.get("_name_or_path") or path.parent.name or path.name)
    return from_config(given, name, str(path))


def from_config(given: Mapping[str, Any], name: str, source: str) -> tuple[Architecture, tuple[str, ...]]:
    """`source` is what errors call the file. Raises BadRequest, which names the missing field."""
    notes = []
    outer, given = given, given.get("text_config") or given
    if given is not outer:
        notes.append("Only the language part is counted: what reads pictures is not.")
    kind = str(given.get("model_type", ""))
    if kind not in KNOWN:
        notes.append(f"The family {kind or 'without a name'!r} is not known; it is read as one of Llama's shape.")
    fields = _Fields(given, source)
    layers = fields.number("num_hidden_layers")
    experts, dense = _experts(fields, kind)
    window, windowed = _window(fields, kind, layers)
    made = Architecture(
        name=name,
        hidden=fields.number("hidden_size"),
        layers=layers,
        vocabulary=fields.number("vocab_size"),
        width=fields.number("intermediate_size", 0 if experts and not dense else None),
        attention=_attention(fields, kind),
        experts=experts,
        dense_layers=dense,
        tied=bool(given.get("tie_word_embeddings", outer.get("tie_word_embeddings", kind.startswith("gemma")))),
        longest=fields.number("max_position_embeddings", 0) or None,
        window=window,
        windowed_layers=windowed,
        precision=_precision(outer),
    )
    return made, tuple(notes)


class _Fields:
    def __init__(self, given: Mapping[str, Any], source: str) -> None:
        self.given, self._source = given, source

    def number(self, name: str, default: int | None = None) -> int:
        value = self.given.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise BadRequest(
                f"{self._source} has no whole number `{name}` (it has {value!r}).",
                "Give the config.json of a decoder-only language model.",
            )
        return value


def _attention(fields: _Fields, kind: str) -> Grouped | Latent:
    heads = fields.number("num_attention_heads")
    if fields.given.get("kv_lora_rank"):
        return Latent(
            heads,
            fields.number("kv_lora_rank"),
            fields.number("q_lora_rank", 0),
            fields.number("qk_nope_head_dim"),
            fields.number("qk_rope_head_dim"),
            fields.number("v_head_dim"),
        )
    return Grouped(
        heads,
        fields.number("num_key_value_heads", heads),
        fields.number("head_dim", fields.number("hidden_size") // max(1, heads)),
        bias=bool(fields.given.get("attention_bias", kind in ("qwen2", "qwen2_moe"))),
        normed=kind in ("qwen3", "qwen3_moe"),
    )


def _experts(fields: _Fields, kind: str) -> tuple[Experts | None, int]:
    """The experts, and how many of the first layers have none."""
    given = fields.given
    count = next(
        (given[name] for name in ("n_routed_experts", "num_local_experts", "num_experts") if given.get(name)), 0
    )
    if not count:
        return None, 0
    width = fields.number("moe_intermediate_size", fields.number("intermediate_size", 0))
    shared = fields.number("shared_expert_intermediate_size", 0) or fields.number("n_shared_experts", 0) * width
    made = Experts(
        int(count),
        fields.number("num_experts_per_tok"),
        width,
        shared,
        shared_gate=kind == "qwen2_moe",
        router_bias=kind == "deepseek_v3",
    )
    return made, fields.number("first_k_dense_replace", 0)


def _window(fields: _Fields, kind: str, layers: int) -> tuple[int, int]:
    size = fields.given.get("sliding_window") or 0
    kinds = fields.given.get("layer_types")
    if isinstance(kinds, list):
        return size, sum(one == "sliding_attention" for one in kinds) if size else 0
    return (size, layers) if size and kind == "mistral" else (0, 0)


def _precision(given: Mapping[str, Any]) -> str:
    method = (given.get("quantization_config") or {}).get("quant_method", "")
    return _METHODS.get(method) or _TYPES.get(str(given.get("torch_dtype") or given.get("dtype") or ""), "")
