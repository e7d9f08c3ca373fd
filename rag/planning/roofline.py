"""Speed by a roofline: a step takes what its bytes take to come from memory, or its multiplications, whichever is longer (Williams,
Waterman and Patterson 2009, "Roofline"; for transformers Pope et al. 2022, arXiv:2211.05102), and what the devices need to talk.

Writing reads all weights, of experts those that the batch chose, and every user's cache for one token each; reading a prompt multiplies every
token with every weight. The shares below are assumptions with their evidence; `PEAK` leaves all of them out and is what no engine can beat.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.planning.architecture import Architecture
from rag.planning.catalogue import Device
from rag.planning.memory import CACHE_BYTES, weight_bytes


@dataclass(frozen=True, slots=True)
class Assumptions:
    bandwidth: float = 0.7
    """Share of the peak that decoding reaches. gpt-fast on an A100: .69 (Llama-2-7B, bf16, its README); vLLM 0.23 on an A100 of 40 GB: .77
    (Llama-3.1-8B, johnmusgrave.com); llama.cpp and vLLM on cards with quantised weights are below it."""
    compute: float = 0.5
    """Share of the peak that reading prompts reaches: not checked here. Pope et al. report .76 at its best."""
    link_seconds: float = 25e-6
    """Of one all-reduce within a machine; two a layer (Megatron-LM, arXiv:1909.08053). From gpt-fast's Llama-2 on 2 to 8 A100: 10 to 29 µs."""


PEAK = Assumptions(1.0, 1.0, 0.0)
EXPECTED = Assumptions()


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds of one step over a batch, by what they go to."""

    weights: float
    cache: float
    compute: float
    links: float

    @property
    def seconds(self) -> float:
        return max(self.weights + self.cache, self.compute) + self.links

    @property
    def limit(self) -> str:
        """What takes most of it."""
        if self.links > max(self.weights + self.cache, self.compute):
            return "links between devices"
        if self.compute > self.weights + self.cache:
            return "multiplications"
        return "reading weights" if self.weights >= self.cache else "reading the cache"


def writing(
    model: Architecture,
    device: Device,
    devices: int,
    precision: str,
    users: int,
    tokens: float,
    cache: str = "bf16",
    assumed: Assumptions = EXPECTED,
) -> Step:
    """One token for each of `users`, whose contexts hold `tokens` on average."""
    bandwidth = device.bandwidth * 1e9 * assumed.bandwidth
    head = model.embedding_parameters if model.tied else model.head_parameters
    head_bytes = head * (2.0 if precision != "fp32" else 4.0)
    read = weight_bytes(model, precision, model.read_parameters(users) - head) + head_bytes
    cached = users * model.cached_numbers(round(tokens)) * CACHE_BYTES[cache] / min(devices, model.attention.shards)
    scores = model.layers * model.attention.score_width * tokens
    work = users * 2 * (model.multiplied_parameters + scores) / devices
    return Step(
        weights=read / devices / bandwidth,
        cache=cached / bandwidth,
        compute=work / (device.flops(precision) * assumed.compute),
        links=_links(model, devices, assumed),
    )


def reading(
    model: Architecture,
    device: Device,
    devices: int,
    precision: str,
    tokens: int,
    assumed: Assumptions = EXPECTED,
) -> Step:
    """A prompt of so many tokens at once: 2 multiplications and additions for each parameter and token (Kaplan et al. 2020, arXiv:2001.08361),
    and half of the square of attention."""
    scores = model.layers * model.attention.score_width * tokens / 2
    work = tokens * 2 * (model.multiplied_parameters + scores) / devices
    read = weight_bytes(model, precision, model.read_parameters(tokens)) / devices
    return Step(
        weights=read / (device.bandwidth * 1e9 * assumed.bandwidth),
        cache=0.0,
        compute=work / (device.flops(precision) * assumed.compute),
        links=_links(model, devices, assumed),
    )


def _links(model: Architecture, devices: int, assumed: Assumptions) -> float:
    return 2 * model.layers * assumed.link_seconds if devices > 1 else 0.0
