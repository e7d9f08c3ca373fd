"""The prompt that asks a vision model what is on a picture, in the language that the description is to be in."""

from __future__ import annotations

from rag.documents import ImageData
from rag.prompts.templates import BUILT_IN, Prompts
from rag.protocols import LabelledImage, Message


def picture_messages(image: ImageData, language: str, prompts: Prompts = BUILT_IN) -> tuple[Message, ...]:
    shown = LabelledImage(prompts.text(language, "describing.picture"), image)
    return (
        Message("system", prompts.text(language, "describing.system")),
        Message("user", prompts.text(language, "describing.user"), (shown,)),
    )
