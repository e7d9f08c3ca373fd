"""What checks citations beyond words."""

from __future__ import annotations

from collections.abc import Callable

from api.settings import Settings, prompts
from api.wiring.rerankers import Generate
from rag.errors import BadSetting
from rag.protocols import Reranker, Verifier


def _no_verifier(_: Settings, __: Reranker | None, ___: Generate) -> Verifier | None:
    return None


def _reranker_verifier(settings: Settings, ranker: Reranker | None, _: Generate) -> Verifier:
    from rag.verifiers.by_reranker import RerankerVerifier

    if ranker is None:
        raise BadSetting(
            "answer.verifier is reranker, and there is none.", "Set retrieval.reranker, or answer.verifier to lexical."
        )
    if settings.retrieval.reranker in ("auto", "late"):
        raise BadSetting(
            f"answer.verifier is reranker, and retrieval.reranker is {settings.retrieval.reranker}, whose scores are likeness, not probabilities.",
            "Choose another reranker, or set answer.verifier to lexical.",
        )
    return RerankerVerifier(ranker, settings.answer.verifier_threshold)


def _generator_verifier(settings: Settings, _: Reranker | None, generate: Generate) -> Verifier:
    from rag.verifiers.by_generator import GeneratorVerifier

    chosen = settings.answer
    return GeneratorVerifier(generate, threshold=chosen.verifier_threshold, prompts=prompts(settings))


VERIFIERS: dict[str, Callable[[Settings, Reranker | None, Generate], Verifier | None]] = {
    "lexical": _no_verifier,
    "reranker": _reranker_verifier,
    "generator": _generator_verifier,
}
