"""The shape of a decoder-only transformer, and what follows from it by counting: parameters, those read for a token, cache per token.

Counted as the public checkpoints are: Llama (Touvron et al. 2023, arXiv:2302.13971) with grouped-query attention (Ainslie et al. 2023,
arXiv:2305.13245), Qwen2.5 and Qwen3 (arXiv:2412.15115, arXiv:2505.09388), Mixtral (arXiv:2401.04088), DeepSeek's latent attention and shared
experts (arXiv:2405.04434, arXiv:2412.19437).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grouped:
    """Multi-head attention where `heads` share `kv_heads` keys and values; `kv_heads = heads` is the plain kind, 1 is multi-query."""

    heads: int
    kv_heads: int
    head_dim: int
    bias: bool = False
    """Of queries, keys and values (Qwen2)."""
    normed: bool = False
    """Whether queries and keys are normalised in each head (Qwen3)."""

    @property
    def name(self) -> str:
        return (
            "MHA" if self.kv_heads == self.heads else "MQA" if self.kv_heads == 1 else f"GQA, {self.kv_heads} KV heads"
        )

    def parameters(self, hidden: int) -> int:
        """h·(H·d) for queries and for the output, h·(K·d) for keys and for values."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        extra = (queries + 2 * keys if self.bias else 0) + (2 * self.head_dim if self.normed else 0)
        return 2 * hidden * queries + 2 * hidden * keys + extra

    @property
    def cached(self) -> int:
        """Numbers kept for a token in a layer: 2·K·d."""
        return 2 * self.kv_heads * self.head_dim

    @property
    def shards(self) -> int:
        """Over how many devices the cache can be split: by heads."""
        return self.kv_heads

    @property
    def score_width(self) -> int:
        """Multiplications and additions of a token with one cached token, over two: H·d for the scores and as much for the values."""
        return 2 * self.heads * self.head_dim


@dataclass(frozen=True, slots=True)
class Latent:
    """Multi-head latent attention (DeepSeek-V2, section 2.1): one compressed vector and one rotary key for all heads are kept."""

    heads: int
    kv_rank: int
    query_rank: int
    """0 where queries are not compressed."""
    plain_dim: int
    rotary_dim: int
    value_dim: int

    @property
    def name(self) -> str:
        return "MLA"

    def parameters(self, hidden: int) -> int:
        width = self.plain_dim + self.rotary_dim
        if self.query_rank:
            queries = hidden * self.query_rank + self.query_rank + self.query_rank * self.heads * width
        else:
            queries = hidden * self.heads * width
        down = hidden * (self.kv_rank + self.rotary_dim) + self.kv_rank
        up = self.kv_rank * self.heads * (self.plain_dim + self.value_dim)
        return queries + down + up + self.heads * self.value_dim * hidden

    @property
    def cached(self) -> int:
        return self.kv_rank + self.rotary_dim

    @property
    def shards(self) -> int:
        """All heads need the whole vector: every device of a tensor-parallel group keeps it."""
        return 1

    @property
    def score_width(self) -> int:
        """In the absorbed form, in which decoding is done: each head against the compressed vector."""
        return self.heads * (2 * self.kv_rank + self.rotary_dim)


@dataclass(frozen=True, slots=True)
class Experts:
    """The feed-forward part of a mixture-of-experts layer."""

    count: int
    chosen: int
    """For a token, of `count`."""
    width: int
    shared_width: int = 0
    """Of what every token goes through besides (DeepSeek: shared experts together)."""
    shared_gate: bool = False
    router_bias: bool = False

    def coverage(self, tokens: int) -> float:
        """Expected share of experts that a batch of tokens reads, where routing is even and independent: 1 − (1 − k/E)^n. Real
        routing is uneven, so that a batch reads somewhat fewer."""
        return 1.0 - (1.0 - self.chosen / self.count) ** tokens


@dataclass(frozen=True, slots=True)
class Architecture:
    """`width` is that of the dense feed-forward; the first `dense_layers` have it where the others have experts."""

    name: str
    hidden: int
    layers: int
    vocabulary: int
    width: int
    attention: Grouped | Latent
    experts: Experts | None = None
    dense_layers: int = 0
    tied: bool = False
    """Whether the output matrix is the embedding."""
    longest: int | None = None
    """Tokens of context that the model was made for."""
    window: int = 0
    windowed_layers: int = 0
    """Layers that keep only the last `window` tokens."""
    precision: str = ""
    """In which the weights are published."""

    @property
    def expert_layers(self) -> int:
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def embedding_parameters(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def head_parameters(self) -> int:
        """Of an output matrix of its own."""
        return 0 if self.tied else self.vocabulary * self.hidden

    @property
    def routed_parameters(self) -> int:
        """Of the experts that are chosen among: three matrices each."""
        return self.expert_layers * self.experts.count * 3 * self.hidden * self.experts.width if self.experts else 0

    @property
    def common_parameters(self) -> int:
        """Of the layers, what every token goes through."""
        norms = 2 * self.hidden * self.layers + self.hidden
        dense = (self.layers - self.expert_layers) * 3 * self.hidden * self.width
        return self.layers * self.attention.parameters(self.hidden) + norms + dense + self._beside_experts

    @property
    def _beside_experts(self) -> int:
        if self.experts is None:
            return 0
        router = self.experts.count * (self.hidden + self.experts.router_bias)
        shared = 3 * self.hidden * self.experts.shared_width + (self.hidden if self.experts.shared_gate else 0)
        return self.expert_layers * (router + shared)

    @property
    def parameters(self) -> int:
        """All, as the checkpoint has them (without layers for drafting: DeepSeek's MTP is 11.5 billion more)."""
        return self.embedding_parameters + self.head_parameters + self.common_parameters + self.routed_parameters

    @property
    def active_parameters(self) -> int:
        """Used for one token, embeddings included, as model cards count them."""
        share = self.experts.chosen / self.experts.count if self.experts else 0.0
        return self.parameters - self.routed_parameters + round(self.routed_parameters * share)

    @property
    def multiplied_parameters(self) -> int:
        """Used in multiplications for one token: the embedding is looked up, and multiplied only where it is the output matrix, too."""
        return self.active_parameters - (0 if self.tied else self.embedding_parameters)

    def read_parameters(self, tokens: int) -> float:
        """Read from memory in a step over a batch of tokens: all but the embedding, of the experts those that any token chose."""
        routed = self.routed_parameters * self.experts.coverage(tokens) if self.experts else 0.0
        head = self.embedding_parameters if self.tied else self.head_parameters
        return self.common_parameters + head + routed

    def cached_numbers(self, tokens: int) -> int:
        """Kept for a sequence of so many tokens, over all layers."""
        inside = min(tokens, self.window) if self.windowed_layers else 0
        return self.attention.cached * ((self.layers - self.windowed_layers) * tokens + self.windowed_layers * inside)
