"""Makes the directory that vLLM serves of a GGUF file: run by scripts/vllm, with the Python of vLLM's environment.

vLLM reads safetensors; the models of the manifest that answer are GGUF. Weights are dequantised to bfloat16.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>")
"""What ends an answer. A GGUF file may name `<|endoftext|>`, which a chat model never writes: it would talk until it is cut."""


def main() -> int:
    parser = argparse.ArgumentParser(description="A GGUF file as a directory in the layout of Hugging Face.")
    parser.add_argument("gguf", type=Path)
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    if not given.gguf.is_file():
        sys.stderr.write(f"{given.gguf} is not there. Fetch it: tuwen models pull\n")
        return 1
    # A directory that is there is complete: it gets its name last.
    part = given.directory.with_name(given.directory.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    _convert(given.gguf, part)
    shutil.rmtree(given.directory, ignore_errors=True)
    part.rename(given.directory)
    return 0


def _convert(gguf: Path, directory: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    known = tokenizer.get_vocab()
    if ends := [token for token in END_OF_TURN if token in known]:
        tokenizer.eos_token = ends[0]
        model.config.eos_token_id = tokenizer.eos_token_id
        model.generation_config.eos_token_id = tokenizer.eos_token_id
    # The file said that its weights are quantised; those written here are not.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


if __name__ == "__main__":
    raise SystemExit(main())
