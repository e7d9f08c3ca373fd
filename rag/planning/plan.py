"""A plan: what fits, how fast, what limits it, and what to change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from rag.errors import BadRequest
from rag.planning.architecture import Architecture
from rag.planning.catalogue import Device
from rag.planning.memory import BYTES, CACHE_BYTES, Memory, measure
from rag.planning.roofline import EXPECTED, PEAK, Assumptions, Step, reading, writing

MOST_DEVICES = 64


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `context` is what a user's prompt and answer take together, in tokens; `answer` those of it that are written."""

    precision: str = ""
    """Empty takes the one that the model is published in, bf16 where that is not said."""
    cache: str = "bf16"
    context: int = 4096
    answer: int = 300
    users: int = 1
    devices: int = 1
    assumed: Assumptions = EXPECTED


@dataclass(frozen=True, slots=True)
class Speed:
    """For `users` who are answered at the same time; seconds and tokens a second."""

    users: int
    step: Step
    ceiling: float
    """Tokens a second of one user if nothing were lost: no engine is faster."""
    prompt: Step
    """One prompt, with nobody else there."""
    answer: int

    @property
    def each(self) -> float:
        return 1 / self.step.seconds

    @property
    def total(self) -> float:
        return self.users * self.each

    @property
    def questions_per_minute(self) -> float:
        """When prompts are read between the steps of writing, and every user asks again at once."""
        return 60 * self.users / (self.users * self.prompt.seconds + self.answer * self.step.seconds)


@dataclass(frozen=True, slots=True)
class Plan:
    model: Architecture
    device: Device
    wish: Wish
    precision: str
    memory: Memory
    speed: Speed | None
    """None where the weights do not fit."""
    least_devices: int | None
    """Of this kind, a power of two, for the weights and one user; None where no number up to MOST_DEVICES does."""
    advice: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        model, memory = self.model, self.memory
        shown: dict[str, Any] = {
            "model": {
                "name": model.name,
                "parameters": model.parameters,
                "active_parameters": model.active_parameters,
                "attention": model.attention.name,
                "layers": model.layers,
                "tied": model.tied,
            },
            "device": asdict(self.device),
            "asked": asdict(self.wish) | {"precision": self.precision},
            "memory_bytes": asdict(memory) | {"free": memory.free},
            "fits": memory.fits,
            "users_that_fit": memory.users,
            "least_devices": self.least_devices,
            "speed": None,
            "advice": list(self.advice),
        }
        if self.speed:
            speed = self.speed
            shown["speed"] = {
                "users": speed.users,
                "tokens_per_second_each": speed.each,
                "tokens_per_second_total": speed.total,
                "ceiling_each": speed.ceiling,
                "limit": speed.step.limit,
                "prompt_seconds": speed.prompt.seconds,
                "prompt_limit": speed.prompt.limit,
                "questions_per_minute": speed.questions_per_minute,
                "step_seconds": asdict(speed.step),
            }
        return shown


def make_plan(model: Architecture, device: Device, wish: Wish) -> Plan:
    """Raises BadRequest for what makes no sense."""
    _check(model, wish)
    precision = wish.precision or model.precision or "bf16"
    memory = _memory(model, device, wish, precision)
    least = next(
        (
            n
            for n in (1 << power for power in range(MOST_DEVICES.bit_length()))
            if measure(model, device, n, precision, wish.context, 1, wish.cache).fits
        ),
        None,
    )
    speed = None
    if memory.free > 0:
        # Who does not fit waits: those who are answered at the same time are those who fit.
        users = max(1, min(wish.users, memory.users))
        mean = wish.context - wish.answer / 2
        told = (model, device, wish.devices, precision)
        step = writing(*told, users, mean, wish.cache, wish.assumed)
        ceiling = 1 / writing(*told, users, mean, wish.cache, PEAK).seconds
        speed = Speed(users, step, ceiling, reading(*told, wish.context - wish.answer, wish.assumed), wish.answer)
    return Plan(
        model,
        device,
        wish,
        precision,
        memory,
        speed,
        least,
        _advice(model, device, wish, precision, memory, speed, least),
    )


def _check(model: Architecture, wish: Wish) -> None:
    if wish.precision and wish.precision not in BYTES:
        raise BadRequest(f"The precision {wish.precision!r} is not known.", f"Choose one of {', '.join(BYTES)}.")
    if wish.cache not in CACHE_BYTES:
        raise BadRequest(f"The cache cannot be kept in {wish.cache!r}.", f"Choose one of {', '.join(CACHE_BYTES)}.")
    if not 0 < wish.answer < wish.context:
        raise BadRequest(
            f"An answer of {wish.answer} tokens leaves nothing of a context of {wish.context} for the prompt.",
            "Give a longer context, or a shorter answer.",
        )
    if model.longest and wish.context > model.longest:
        raise BadRequest(
            f"{model.name} reads {model.longest} tokens at most, not {wish.context}.", "Give a shorter context."
        )
    if wish.devices > 1 and model.attention.heads % wish.devices:
        raise BadRequest(
            f"{model.attention.heads} attention heads cannot be split over {wish.devices} devices.",
            "Give a number of devices that divides them; 2, 4 and 8 are usual.",
        )


def _memory(model: Architecture, device: Device, wish: Wish, precision: str) -> Memory:
    return measure(model, device, wish.devices, precision, wish.context, wish.users, wish.cache)


def _advice(
    model: Architecture,
    device: Device,
    wish: Wish,
    precision: str,
    memory: Memory,
    speed: Speed | None,
    least: int | None,
) -> tuple[str, ...]:
    """What would bring what was asked for, checked by planning it."""
    if memory.users >= wish.users and speed is not None:
        return _faster(speed, wish, precision, device)
    found = []
    if wish.cache == "bf16" and not device.shared:
        with_fp8 = _memory(model, device, replace(wish, cache="fp8"), precision)
        if with_fp8.users > memory.users:
            found.append(f"an fp8 cache (--kv fp8): {with_fp8.users} users fit")
    for other in ("fp8", "int8", "int4"):
        if BYTES[other] < BYTES[precision]:
            smaller = _memory(model, device, wish, other)
            if smaller.users > memory.users:
                found.append(f"weights in {other}: {smaller.users} users fit")
    shorter = wish.context // 2
    if memory.free > 0 and shorter > wish.answer:
        found.append(
            f"a context of {shorter} tokens: {_memory(model, device, replace(wish, context=shorter), precision).users} users fit"
        )
    more = wish.devices * 2
    while more <= MOST_DEVICES and not device.shared and model.attention.heads % more == 0:
        bigger = _memory(model, device, replace(wish, devices=more), precision)
        if bigger.users >= wish.users:
            found.append(f"{more} devices: {bigger.users} users fit")
            break
        more *= 2
    if not found and least is None:
        found.append("a smaller model: this one does not fit on any number of these devices")
    return tuple(found)


def _faster(speed: Speed, wish: Wish, precision: str, device: Device) -> tuple[str, ...]:
    if speed.step.limit == "reading weights" and BYTES[precision] > 1:
        return ("for more tokens a second each: weights in fewer bits, since reading them takes most of a step",)
    if speed.step.limit == "reading the cache" and wish.cache == "bf16":
        return ("for more tokens a second each: an fp8 cache (--kv fp8) or a shorter context",)
    if speed.step.limit == "multiplications":
        return ("more users cost speed now: a step is as long as its multiplications",)
    if device.shared and speed.prompt.seconds > 5:
        return ("for an earlier first word: fewer tokens of passages (generator.passage_tokens)",)
    return ()
