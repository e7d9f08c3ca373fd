"""Rerankers, their conventions and their gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.settings import LATE_GATES, Settings, prompts
from api.wiring.encoders import TOKEN_ENCODERS, late_reranker
from rag.errors import BadSetting
from rag.protocols import Generator, Reranker
from rag.retrieval.rerank import CLOSED, FOREIGN, Gate
from rag.weights.conventions import RerankerConvention

Generate = Callable[[], Generator]


def _no_reranker(_: Settings, __: Generate) -> Reranker | None:
    return None


def _cross_encoder(settings: Settings, _: Generate) -> Reranker:
    _runs_here(settings)
    from rag.rerankers.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(settings.retrieval.reranker_model)


def _onnx_cross_encoder(settings: Settings, _: Generate) -> Reranker:
    _runs_here(settings)
    from rag.rerankers.onnx_cross_encoder import OnnxCrossEncoder

    model = Path(settings.retrieval.reranker_model)
    return OnnxCrossEncoder(model, settings.models.dir / "built", threads=settings.encoder.threads)


def _runs_here(settings: Settings) -> None:
    """Raises BadSetting without a model, and for one that is known not to be a plain cross-encoder."""
    if not settings.retrieval.reranker_model:
        raise BadSetting(
            f"retrieval.reranker = {settings.retrieval.reranker} has no model to run.",
            "Set retrieval.reranker_model to the directory of a cross-encoder (docs/reranking.md), or choose another reranker.",
        )
    known = _convention(settings)
    if known is not None and (known.unsupported or known.kind == "yes-no"):
        why = known.unsupported or "it is a language model that says yes or no: serve it by vLLM"
        raise BadSetting(
            f"{settings.retrieval.reranker_model} is no cross-encoder: {why}.",
            "Set retrieval.reranker = remote with retrieval.reranker_url, or choose another model.",
        )


def _convention(settings: Settings) -> RerankerConvention | None:
    from rag.weights.conventions import reranker_convention

    return reranker_convention(settings.retrieval.reranker_model)


def _llm_reranker(settings: Settings, generate: Generate) -> Reranker:
    from rag.rerankers.llm import LlmReranker

    return LlmReranker(generate, budget=settings.retrieval.rerank_seconds, prompts=prompts(settings))


def _remote_reranker(settings: Settings, _: Generate) -> Reranker:
    from rag.rerankers.remote import RemoteReranker

    chosen, known = settings.retrieval, _convention(settings)
    if not chosen.reranker_url:
        raise BadSetting(
            "retrieval.reranker = remote has no server to ask.",
            "Set retrieval.reranker_url to the address before /rerank, such as http://127.0.0.1:8001/v1.",
        )
    # Only vLLM passes texts to the model as they come; the others apply a model's prompt themselves.
    prompted = known is not None and chosen.reranker_shape == "vllm"
    return RemoteReranker(
        chosen.reranker_url,
        chosen.reranker_model,
        shape=chosen.reranker_shape,
        api_key=chosen.reranker_api_key,
        query_template=known.asked if known and prompted else "{query}",
        document_template=known.document_template if known and prompted else "{document}",
    )


def _late_interaction(settings: Settings, _: Generate) -> Reranker:
    return late_reranker(settings)


def _automatic(settings: Settings, _: Generate) -> Reranker | None:
    return late_reranker(settings) if settings.encoder.kind in TOKEN_ENCODERS else None


RERANKERS: dict[str, Callable[[Settings, Generate], Reranker | None]] = {
    "none": _no_reranker,
    "auto": _automatic,
    "late": _late_interaction,
    "cross-encoder": _cross_encoder,
    "onnx": _onnx_cross_encoder,
    "llm": _llm_reranker,
    "remote": _remote_reranker,
}


LOGITS = {"cross-encoder", "onnx"}
"""Rerankers whose scores are what the model gives; servers apply its convention themselves."""


def rerank_weight(settings: Settings) -> float:
    """Where no gate says otherwise. `auto` lets nothing through but by a gate."""
    return 0.0 if settings.retrieval.reranker == "auto" else settings.retrieval.rerank_weight


def rerank_gates(settings: Settings) -> dict[str, Gate]:
    """Those that were measured of the reranker that is set."""
    chosen = settings.retrieval
    automatic = chosen.reranker == "auto"
    own = "late" if automatic else f"{chosen.reranker} {chosen.reranker_model}".strip()
    measured = chosen.rerank_by_language
    gates = {
        language: Gate(gate.weight, gate.depth) for language, gate in measured.items() if gate.reranker in ("", own)
    }
    if not automatic or measured != LATE_GATES:
        return gates
    return dict.fromkeys(gates, CLOSED) | {FOREIGN: gates[FOREIGN]}


def reranker(settings: Settings, generate: Generate) -> Reranker | None:
    """None also where the gate leaves the coarse order: nothing is loaded that is not used."""
    chosen = settings.retrieval
    let_through = rerank_weight(settings) > 0 or any(gate.open for gate in rerank_gates(settings).values())
    if chosen.rerank_gate == "leave" or not let_through:
        return None
    made = RERANKERS[chosen.reranker](settings, generate)
    platt = chosen.reranker_platt
    if platt is None and chosen.reranker in LOGITS and (known := _convention(settings)) is not None:
        platt = known.platt
    if made is None or platt is None:
        return made
    from rag.rerankers.probability import ProbabilityReranker

    if platt[0] <= 0:
        raise BadSetting(
            f"retrieval.reranker_platt has the slope {platt[0]}: better passages would get smaller probabilities.",
            "Fit it again with `tuwen eval calibrate`, or set retrieval.rerank_gate = leave.",
        )
    return ProbabilityReranker(made, *platt)
