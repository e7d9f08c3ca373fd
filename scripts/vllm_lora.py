"""Makes a LoRA adapter of random weights for a model in the layout of Hugging Face: to try whether a server chooses adapters by name.

    .venv-vllm/bin/python scripts/vllm_lora.py .venv-vllm/models/smollm2-135m-instruct .venv-vllm/loras/noise

The layout is PEFT's (`adapter_config.json` and `adapter_model.safetensors`), which vLLM reads. What it does to the answers is to spoil them: with it the
same prompt at temperature 0 is answered differently, and so it is seen whose weights answered.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

RANK, ALPHA = 8, 16
TARGETS = {"q_proj": "num_attention_heads", "v_proj": "num_key_value_heads"}
"""Layers of the attention that are changed, and what of the configuration says how many heads come out of them."""


def main() -> int:
    parser = argparse.ArgumentParser(description="A LoRA adapter of random weights.")
    parser.add_argument("model", type=Path, help="directory of the model it is for")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strength", type=float, default=1.0, help="0 changes nothing")
    given = parser.parse_args()
    try:
        config = json.loads((given.model / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.stderr.write(f"{given.model} has no config.json: name the directory of a model.\n")
        return 1
    _write(config, given.model, given.directory, given.seed, given.strength)
    return 0


def _write(config: dict[str, int], model: Path, directory: Path, seed: int, strength: float) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    hidden = config["hidden_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        for target, heads in TARGETS.items():
            name = f"base_model.model.model.layers.{layer}.self_attn.{target}"
            # B is not zero, as it is before training: the adapter has to do something.
            weights[f"{name}.lora_A.weight"] = torch.randn(RANK, hidden) * hidden**-0.5
            weights[f"{name}.lora_B.weight"] = torch.randn(config[heads] * head, RANK) * RANK**-0.5 * strength
    directory.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}, directory / "adapter_model.safetensors"
    )
    about = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(model),
        "r": RANK,
        "lora_alpha": ALPHA,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(TARGETS),
    }
    (directory / "adapter_config.json").write_text(json.dumps(about, indent=1), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
