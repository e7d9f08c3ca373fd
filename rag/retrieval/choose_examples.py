"""Which answered examples stand in a prompt: those nearest to the question (Liu et al. 2022, arXiv:2101.06804), or always the first.

Nearest ones change with the question, and with them the beginning of the prompt: a server that keeps the state of a prefix then shares no
more than the instructions. The first ones stay, and are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from rag.prompts import BUILT_IN, Prompts, prompt_tokens
from rag.prompts.examples import Example, example_messages
from rag.protocols import TextEncoder

Choice = Literal["nearest", "fixed"]


def choose_examples(
    question: str,
    language: str,
    examples: Sequence[Example],
    encoder: TextEncoder,
    *,
    most: int,
    choice: Choice,
    count_tokens: Callable[[str], int],
    budget: int,
    prompts: Prompts = BUILT_IN,
) -> tuple[Example, ...]:
    """At most `most` examples in the question's language that have at most `budget` tokens together, the nearest last: what stands next to
    the question is followed most."""
    own = [example for example in examples if example.language == language]
    if choice == "nearest" and len(own) > 1:
        # Their vectors come from the encoder's cache of questions, where there is one.
        vectors = encoder.encode_queries([question, *(example.question for example in own)])
        likeness = vectors[1:] @ vectors[0]
        own = [own[place] for place in np.argsort(-likeness, kind="stable")]
    chosen: list[Example] = []
    left = budget
    for example in own:
        tokens = prompt_tokens(example_messages([example], prompts), count_tokens)
        if len(chosen) < most and tokens <= left:
            chosen.append(example)
            left -= tokens
    return tuple(reversed(chosen)) if choice == "nearest" else tuple(chosen)
