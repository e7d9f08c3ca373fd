"""What a model takes of the memory of its devices: weights, cache, and what is needed to run at all."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from rag.planning.architecture import Architecture
from rag.planning.catalogue import Device

BYTES = {"fp32": 4.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.53125}
"""Of a parameter. int4 in groups of 128 with a 16-bit scale and zero point each (GPTQ, AWQ): 4.25 bits."""
UNPACKED = frozenset({"int4", "int8", "fp8"})
"""Precisions in which embedding, output matrix and norms stay in 16 bits, as the published checkpoints have them."""
CACHE_BYTES = {"bf16": 2.0, "fp8": 1.0}

USABLE = 0.9
"""Of a card's memory: what vLLM takes by default (`gpu_memory_utilization`)."""
USABLE_SHARED = 0.75
"""Of a machine's memory without a card: the rest is the system's, and the service's own (2 to 3 GB with its encoder)."""
RUNTIME_GB = 1.0
"""Driver context, graphs and buffers of a card: an assumption; vLLM on one card takes 0.5 to 2."""
BATCHED_TOKENS = 2048
"""Tokens of prompts that are read at a time (vLLM's `max_num_batched_tokens` for chunked prefill)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on each of `devices` devices, and over all of them where it is said so."""

    weights_total: float
    weights: float
    activations: float
    runtime: float
    usable: float
    cache_per_token: float
    """Of all layers, as it would be on one device."""
    cache_per_user: float

    @property
    def free(self) -> float:
        """Left for the cache."""
        return self.usable - self.weights - self.activations - self.runtime

    @property
    def fits(self) -> bool:
        return self.free >= self.cache_per_user

    @property
    def users(self) -> int:
        """Whose context fits whole at the same time."""
        return max(0, floor(self.free / self.cache_per_user))


def weight_bytes(model: Architecture, precision: str, parameters: float | None = None) -> float:
    """Bytes of all weights, or of so many parameters of the layers."""
    size = BYTES[precision]
    if parameters is not None:
        return parameters * size
    ends = model.embedding_parameters + model.head_parameters
    end_size = 2.0 if precision in UNPACKED else size
    return (model.parameters - ends) * size + ends * end_size


def measure(
    model: Architecture,
    device: Device,
    devices: int,
    precision: str,
    context: int,
    users: int,
    cache: str = "bf16",
    usable_share: float | None = None,
) -> Memory:
    """With tensor parallelism over the devices: weights are split evenly, the cache by KV heads, and a latent cache not at all.

    Activations: for each token read at a time, two hidden states and twice the feed-forward's width, in 16 bits, and the logits of every user
    in 32 bits; a bound from above on what the largest layer holds at once, not a measurement.
    """
    widest = max(
        model.width, model.experts.chosen * model.experts.width + model.experts.shared_width if model.experts else 0
    )
    activations = (
        BATCHED_TOKENS * (2 * model.hidden + 2 * widest / devices) * 2.0 + users * model.vocabulary * 4.0 / devices
    )
    per_user = model.cached_numbers(context) * CACHE_BYTES[cache]
    total = weight_bytes(model, precision)
    share = usable_share if usable_share is not None else USABLE_SHARED if device.shared else USABLE
    return Memory(
        weights_total=total,
        weights=total / devices,
        activations=activations,
        runtime=0.0 if device.shared else RUNTIME_GB * 1e9,
        usable=device.memory * 1e9 * share,
        cache_per_token=model.cached_numbers(1) * CACHE_BYTES[cache],
        cache_per_user=per_user / min(devices, model.attention.shards),
    )
