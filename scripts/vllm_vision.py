"""Makes a vision-language model that is blind: to try whether a server takes the pictures which go along with a question.

    .venv-vllm/bin/python scripts/vllm_vision.py .venv-vllm/models/smollm2-135m-instruct .venv-vllm/models/blind

A given text model with an eye of random weights before it, in SmolVLM's shape (`Idefics3ForConditionalGeneration`; A. Marafioti and others, 2025,
arXiv:2504.05299): pictures are read, cut into tiles of 512 pixels and paid for with 64 tokens a tile as by a model that sees, but what it says of them
means nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

TILE, PATCH, SCALE = 512, 16, 4
"""Pixels of a tile's edge and of a patch's; patches along the edge of what becomes one token."""
SPECIAL = ("<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>")


def main() -> int:
    parser = argparse.ArgumentParser(description="A vision-language model of a text model and random weights.")
    parser.add_argument("model", type=Path, help="directory of the text model")
    parser.add_argument("directory", type=Path)
    parser.add_argument(
        "--longest-edge",
        type=int,
        default=1024,
        help="pixels that every picture's longer side is given (SmolVLM: 2048)",
    )
    given = parser.parse_args()
    if not (given.model / "config.json").is_file():
        sys.stderr.write(f"{given.model} has no config.json: name the directory of a model.\n")
        return 1
    _make(given.model, given.directory, given.longest_edge)
    return 0


def _make(text: Path, directory: Path, longest_edge: int) -> None:
    import torch
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3Processor,
        Idefics3VisionConfig,
    )
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(text)
    rows = (longest_edge + TILE - 1) // TILE
    places = [f"<row_{row + 1}_col_{column + 1}>" for row in range(rows) for column in range(rows)]
    tokenizer.add_special_tokens({"additional_special_tokens": [*SPECIAL, *places]})
    language = AutoModelForCausalLM.from_pretrained(text, dtype=torch.bfloat16)
    language.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    eye = Idefics3VisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=TILE,
        patch_size=PATCH,
    )
    config = Idefics3Config(
        vision_config=eye,
        text_config=language.config,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SCALE,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=language.config.tie_word_embeddings,
    )
    model = Idefics3ForConditionalGeneration(config).to(torch.bfloat16)
    model.model.text_model.load_state_dict(language.model.state_dict())
    model.lm_head.load_state_dict(language.lm_head.state_dict())
    model.generation_config = language.generation_config
    pictures = Idefics3ImageProcessorPil(size={"longest_edge": longest_edge}, max_image_size={"longest_edge": TILE})
    processor = Idefics3Processor(
        pictures, tokenizer, image_seq_len=(TILE // PATCH // SCALE) ** 2, chat_template=tokenizer.chat_template
    )
    model.save_pretrained(directory)
    processor.save_pretrained(directory)


if __name__ == "__main__":
    raise SystemExit(main())
