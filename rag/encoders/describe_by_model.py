"""What a vision model writes about a picture, as one more text to find it by.

The option of image summaries: pictures are turned into text once, at ingest, and searched and read as text. Unlike labels, a
description has relations and counts in it, and like them it is a guess: its `source` names the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.answers import Usage
from rag.documents import ImageData, ImageEntry
from rag.encoders.pictures import open_rgb
from rag.errors import BadRequest, BadSetting, CorruptFile, Unavailable
from rag.protocols import GenerationRequest, Generator, Message, Sampling

CHARACTERS = 1200
"""Of a description; the text encoders see about 500 tokens."""
VERSION = "1"
"""Changes whenever the entry of the same reply changes."""

REMEDY = "Start the server, check vision.base_url, vision.model and vision.api_key, or unset vision.model."

_MARKUP = re.compile(r"\*+|`+|^#+\s*", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])")

Ask = Callable[[ImageData, str], tuple[Message, ...]]
"""The prompt for a picture in a language."""
Fit = Callable[[ImageData], ImageData | None]
"""The picture as the server takes it; None where there is nothing to see."""


class ModelDescriber:
    """Satisfies `rag.protocols.ImageDescriber`: an entry of kind `description` for each language.

    Raises CorruptFile for bytes that are no picture, and for one that the model refuses; GeneratorUnavailable where it does not answer; BadSetting for a wrong key or
    model.
    """

    def __init__(
        self,
        generator: Generator,
        ask: Ask,
        *,
        languages: Sequence[str] = ("en",),
        sampling: Sampling | None = None,
        fit: Fit = lambda image: image,
    ) -> None:
        self._generator, self._ask, self._fit = generator, ask, fit
        self._languages = tuple(languages)
        self._sampling = sampling or Sampling(max_tokens=200)

    @property
    def name(self) -> str:
        return self._generator.name

    def describe(self, image: ImageData, known: Sequence[ImageEntry] = ()) -> tuple[ImageEntry, ...]:
        if any(entry.kind == "description" for entry in known):
            return ()
        open_rgb(image)
        shown = self._fit(image)
        if shown is None:
            return ()
        texts = [clean(self._said(shown, language)) for language in self._languages]
        return tuple(ImageEntry("description", text, self.name) for text in dict.fromkeys(texts) if text)

    def _said(self, image: ImageData, language: str) -> str:
        messages = self._ask(image, language)
        request = GenerationRequest(messages[-1].content, language, (), (), messages, self._sampling)
        try:
            return "".join(piece for piece in self._generator.stream(request) if not isinstance(piece, Usage))
        except BadRequest as error:
            raise CorruptFile(
                f"{self.name} does not describe it: {error.message}",
                "Name a vision model (vision.model), or send smaller pictures (vision.pixels).",
            ) from error
        except (Unavailable, BadSetting) as error:
            # The message is of the server; the remedy it names is of the settings of the generator that answers.
            raise type(error)(f"Pictures cannot be described: {error.message}", REMEDY) from error


def clean(reply: str) -> str:
    """One paragraph without emphasis, cut at a sentence where it is too long. Nothing of a reply without words."""
    text = " ".join(_MARKUP.sub("", reply).split())
    if not any(character.isalnum() for character in text):
        return ""
    if len(text) <= CHARACTERS:
        return text
    ends = [found.start() for found in _END.finditer(text, 0, CHARACTERS)]
    return text[: ends[-1] if ends else CHARACTERS].rstrip()
