"""All text that is sent to a generator or shown in place of its answer, in English and Chinese.

The texts are in built_in.toml, under a version; a file of the same shape replaces any of them (templates.py). A prompt is in the
language of the question: an English prompt made a small model answer Chinese questions in English. Passages are data (fencing.py).
"""

from rag.prompts.answering import (
    build_messages,
    condense_messages,
    firmer,
    prompt_tokens,
    self_check_messages,
)
from rag.prompts.examples import Example, Examples, load_examples
from rag.prompts.fencing import TURN_CHARACTERS, defuse, render_passage, source_line
from rag.prompts.history import asked_before, summary_messages
from rag.prompts.judging import relevance_messages, verification_messages, yes_share
from rag.prompts.pictures import picture_messages
from rag.prompts.shown import abstention, spelling_notes
from rag.prompts.templates import BUILT_IN, Prompts, load_prompts
from rag.prompts.variants import Kind, variant_messages

__all__ = [
    "BUILT_IN",
    "TURN_CHARACTERS",
    "Example",
    "Examples",
    "Kind",
    "Prompts",
    "abstention",
    "asked_before",
    "build_messages",
    "condense_messages",
    "defuse",
    "firmer",
    "load_examples",
    "load_prompts",
    "picture_messages",
    "prompt_tokens",
    "relevance_messages",
    "render_passage",
    "self_check_messages",
    "source_line",
    "spelling_notes",
    "summary_messages",
    "variant_messages",
    "verification_messages",
    "yes_share",
]
