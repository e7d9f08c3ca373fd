"""What a real vLLM makes of what Tuwen sends it: sampling, JSON schema, probabilities of the first token, LoRA by name, pictures.

Each line is a statement about the answers of a running server, asked through the generator that answers questions; `-` where the server is not
there to ask. None of them needs a model that knows anything.

    make vllm
    python -m benchmarks.vllm_interface
    python -m benchmarks.vllm_interface --lora noise --vision http://127.0.0.1:8001      # docs/vllm.md says how to make both
"""

from __future__ import annotations

import argparse
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from benchmarks.common import Limit, arguments, report
from benchmarks.vllm_common import Vllm
from rag.answers import Usage
from rag.documents import ImageData
from rag.errors import BadRequest, BadSetting
from rag.generators.openai import OpenAIGenerator
from rag.protocols import GenerationRequest, LabelledImage, Message, Sampling
from rag.retrieval.guarded import GuardedStream

MESSAGES = (
    Message("system", "You are a helpful assistant."),
    Message("user", "Tell a story of a lighthouse and a ship."),
)
SHORT = Sampling(max_tokens=40)
BEGINNING = 30
"""Characters."""
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "green"]}, "count": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}
Checks = Iterator[tuple[str, bool | str]]
"""A statement, and whether it holds or what was seen instead."""


def request(
    sampling: Sampling, messages: Sequence[Message] = MESSAGES, schema: Mapping[str, object] | None = None
) -> GenerationRequest:
    return GenerationRequest(messages[-1].content, "en", (), (), tuple(messages), sampling, schema)


def say(generator: OpenAIGenerator, made: GenerationRequest) -> tuple[str, Usage]:
    *pieces, usage = generator.stream(made)
    assert isinstance(usage, Usage)
    return "".join(str(piece) for piece in pieces), usage


def sampling(generator: OpenAIGenerator) -> Checks:
    def said(**changed: object) -> str:
        return say(generator, request(replace(SHORT, **changed)))[0]  # type: ignore[arg-type]

    greedy, usage = say(generator, request(SHORT))
    yield "temperature 0 repeats itself", said() == greedy
    yield "max_tokens bounds the answer", 0 < usage.completion_tokens <= SHORT.max_tokens
    yield "the prompt's tokens are counted", usage.prompt_tokens > 10
    yield "temperature 1.5 does not repeat itself", len({said(temperature=1.5) for _ in range(3)}) > 1
    # Of the answer's beginning: tokens that are equally likely (weights of 16 bits) part the answers sooner or later.
    yield (
        "top_k 1 is the likeliest token at any temperature",
        said(temperature=1.5, top_k=1)[:BEGINNING] == greedy[:BEGINNING],
    )
    yield "so is a tiny top_p", said(temperature=1.5, top_p=1e-6)[:BEGINNING] == greedy[:BEGINNING]
    yield "repetition_penalty is heard", said(repetition_penalty=1.8) != greedy
    yield "presence_penalty is heard", said(presence_penalty=2.0) != greedy
    word = greedy.split()[3]
    yield "stop ends the answer before its text", said(stop=(word,)) == greedy.partition(word)[0]
    yield (
        "no seed goes along, whoever sets one",
        said(temperature=1.5, extra={"seed": 7}) != said(temperature=1.5, extra={"seed": 7}),
    )


def structured(generator: OpenAIGenerator) -> Checks:
    for heat in (0.0, 1.5):
        text, _ = say(generator, request(replace(SHORT, temperature=heat), schema=SCHEMA))
        try:
            made = json.loads(text)
            holds = (
                made.keys() == {"colour", "count"} and made["colour"] in ("red", "green") and 0 <= made["count"] < 100
            )
        except (ValueError, TypeError, AttributeError):
            holds = False
        yield f"an answer at temperature {heat} is of the schema", holds or text


def probabilities(generator: OpenAIGenerator) -> Checks:
    asked = (Message("user", "Is fire hot? Answer with one word, yes or no."),)
    found = generator.next_token(asked, 30.0)
    total = sum(math.exp(value) for value in found.values())
    likeliest = max(found, key=lambda token: found[token])
    first, _ = say(generator, request(Sampling(max_tokens=1), asked))
    yield "twenty tokens with their probabilities", len(found) >= 20
    yield "which sum to at most one", 0 < total <= 1.001 or f"{total:.3f}"
    yield "the likeliest is what is said", likeliest.strip() == first.strip() or f"{likeliest!r}, {first!r}"
    yield "yes or no are among them", bool({"yes", "no"} & {token.strip().casefold() for token in found})


def by_name(make: Callable[[str], OpenAIGenerator], model: str, lora: str) -> Checks:
    base, adapted = make(model), make(lora)
    adapted.ready()
    plain = say(base, request(SHORT))[0]
    yield "a LoRA's name is a model that is ready", True
    yield "it changes the answer", say(adapted, request(SHORT))[0] != plain
    yield "and the model's own answer stays", say(base, request(SHORT))[0] == plain
    with_probabilities = adapted.next_token(MESSAGES, 30.0)
    yield "its probabilities are its own", with_probabilities != base.next_token(MESSAGES, 30.0)


def wrong_name(make: Callable[[str], OpenAIGenerator], model: str) -> Checks:
    for name, ask in (("ready", lambda g: g.ready()), ("an answer", lambda g: say(g, request(SHORT)))):
        try:
            ask(make("no-such-lora"))
            yield f"{name}: an unknown name is refused", False
        except BadSetting as error:
            told = str(error)
            yield f"{name}: an unknown name is refused, and the setting is named", "generator.model" in told or told
            if name == "ready":
                yield "… with the names there are", model in told or told


def picture(width: int, height: int) -> ImageData:
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((width, height)).save(out, "PNG")
    return ImageData(out.getvalue(), "image/png", width, height)


def shown(*pictures: ImageData) -> tuple[Message, ...]:
    labelled = tuple(LabelledImage(f"Picture of passage [{n}]:", image) for n, image in enumerate(pictures, start=1))
    return MESSAGES[0], replace(MESSAGES[1], images=labelled)


def seeing(generator: OpenAIGenerator) -> Checks:
    read = [say(generator, request(SHORT, shown(*[picture(640, 480)] * n)))[1].prompt_tokens for n in range(3)]
    one, two = read[1] - read[0], read[2] - read[1]
    yield f"a picture costs tokens ({one})", 16 <= one <= 4096
    yield "two cost twice as many", abs(two - one) <= 8 or f"{one}, then {two}"
    yield (
        "what is on it counts",
        say(generator, request(SHORT, shown(picture(64, 64))))[0] != say(generator, request(SHORT))[0],
    )
    many = math.ceil(4 * 4096 / one)
    try:
        say(generator, request(SHORT, shown(*[picture(640, 480)] * many)))
        yield f"{many} pictures are too many", False
    except BadRequest as error:
        yield f"{many} pictures are too many, and it is said", "generator." in str(error)
    answered = GuardedStream(generator, request(SHORT, shown(*[picture(640, 480)] * many)))
    "".join(answered)
    yield (
        "a question with too many is answered with fewer",
        answered.shown_pictures and answered.usage.completion_tokens > 0,
    )
    yield "and the answer says so", any("pictures" in note for note in answered.notes)


def blind(generator: OpenAIGenerator) -> Checks:
    answered = GuardedStream(generator, request(SHORT, shown(picture(64, 64))))
    text = "".join(answered)
    yield "a model for text answers without the picture", bool(text) and not answered.shown_pictures
    yield "and the answer says why", any("multimodal" in note for note in answered.notes)


def main() -> int:
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("--vllm", default="http://127.0.0.1:8000", help="a vLLM server of a model for text")
    parser.add_argument("--lora", default="", help="name of a LoRA that it was started with")
    parser.add_argument("--vision", default="", help="a vLLM server of a vision model")
    args = parser.parse_args()
    vllm = Vllm(args.vllm)

    def make(model: str, url: str = vllm.url) -> OpenAIGenerator:
        return OpenAIGenerator(f"{url}/v1", model)

    generator = make(vllm.model)
    rooms: dict[str, Checks | None] = {
        "sampling": sampling(generator),
        "JSON schema": structured(generator),
        "probabilities": probabilities(generator),
        "wrong name": wrong_name(make, vllm.model),
        "LoRA": by_name(make, vllm.model, args.lora) if args.lora else None,
        "pictures, model for text": blind(generator),
        "pictures, vision model": seeing(make(Vllm(args.vision).model, args.vision)) if args.vision else None,
    }
    figures: dict[str, str] = {}
    for room, checks in rooms.items():
        for statement, holds in checks or ():
            figures[f"{room}: {statement}"] = "yes" if holds is True else f"NO ({holds})" if holds else "NO"
        if checks is None:
            figures[room] = "-"
    wrong = sum(value.startswith("NO") for value in figures.values())
    return report("vllm interface", figures, [Limit("statements that do not hold", float(wrong), 0)], args.json)


if __name__ == "__main__":
    sys.exit(main())
