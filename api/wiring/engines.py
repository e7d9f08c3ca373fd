"""The parts put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from api.settings import Settings, examples, prompts
from api.wiring.encoders import picture_aligner, serving, text_aligner
from api.wiring.generators import sampling
from api.wiring.rerankers import rerank_gates, rerank_weight, reranker
from api.wiring.verifiers import VERIFIERS
from rag.documents import ImageData, ImageEntry
from rag.engine import Engine
from rag.errors import BadSetting
from rag.options import Options
from rag.plug_in import load
from rag.policy import load_policy
from rag.protocols import (
    Generator,
    ImageDescriber,
    ImageEncoder,
    LexicalIndex,
    Library,
    TextEncoder,
    VectorStore,
    Vocabulary,
)
from rag.retrieval.align import Picture, no_picture
from rag.retrieval.illustrate import Look, nothing_to_see
from rag.retrieval.recall import LexicalRetriever, Retriever, VectorRetriever
from rag.retrieval.self_check import WEIGHTS, Weights


def vector_store(settings: Settings, folder: Path) -> VectorStore:
    """Raises StoreCorrupt for a folder that cannot be opened, Unavailable for a server that does not answer."""
    from rag.stores.chroma import ChromaVectorStore

    chosen = settings.index
    if chosen.host:
        return ChromaVectorStore(host=chosen.host, port=chosen.port, ssl=chosen.ssl)
    if chosen.apart:
        from rag.stores.apart import StoreApart

        return StoreApart(folder, ChromaVectorStore)
    return ChromaVectorStore(folder)


def engine(
    settings: Settings,
    *,
    library: Library,
    lexical: LexicalIndex,
    store: VectorStore,
    encoder: TextEncoder,
    image_encoder: ImageEncoder | None,
    describe: Callable[[], ImageDescriber | None],
    generate: Callable[[], Generator],
    picture: Picture = no_picture,
    look: Look = nothing_to_see,
    vocabulary: Vocabulary | None = None,
) -> Engine:
    """`describe` and `generate` are called when a question first needs them: a search in words loads neither."""
    chosen = settings.retrieval
    text = encoder.space.id
    retrievers: dict[str, Retriever] = {
        "lexical": LexicalRetriever(lexical),
        "dense": VectorRetriever("dense", "text", text, store, library),
        "entries": VectorRetriever("entries", "entries", text, store, library),
    }
    if image_encoder is not None:
        retrievers["pixels"] = VectorRetriever("pixels", "pixels", image_encoder.space.id, store, library)
    further = [_further(name, made, library) for name, made in chosen.further.items()]
    answer, generation = settings.answer, settings.generator
    return Engine(
        library=library,
        encoder=serving(settings, encoder),
        retrievers=[*(retrievers[name] for name in chosen.retrievers if name in retrievers), *further],
        generate=generate,
        describer=_LazyDescriber(describe),
        image_encoder=image_encoder,
        reranker=(ranker := reranker(settings, generate)),
        verifier=VERIFIERS[answer.verifier](settings, ranker, generate),
        policy=load_policy(answer.policy),
        prompts=prompts(settings),
        aligner=text_aligner(settings),
        picture_aligner=picture_aligner(image_encoder),
        picture=picture,
        look=look,
        vocabulary=vocabulary,
        options=Options(
            scheme=chosen.scheme,
            aligned_depth=chosen.aligned_depth,
            depth=chosen.depth,
            depths={str(name): depth for name, depth in chosen.depths.items()},
            fusion=chosen.fusion,
            rrf_k=chosen.rrf_k,
            rocchio=chosen.rocchio,
            regularise=chosen.regularise,
            variants=chosen.variants,
            variant_count=chosen.variant_count,
            rewrite=chosen.rewrite,
            spelling=chosen.spelling,
            exclusions=chosen.exclusions,
            fold=chosen.fold,
            least_score=chosen.least_score,
            diversity=chosen.diversity,
            weights={str(name): weight for name, weight in chosen.weights.items()},
            rerank_depth=chosen.rerank_depth,
            rerank_weight=rerank_weight(settings),
            rerank_by_language=rerank_gates(settings),
            passages=generation.passages,
            merge=generation.merge,
            compress=generation.compress,
            order=generation.order,
            images=generation.images if generation.kind in ("openai", "langchain") else 0,
            image_pixels=generation.image_pixels,
            passage_tokens=generation.passage_tokens,
            sampling=sampling(settings),
            abstain=answer.abstain,
            abstain_below=answer.abstain_below,
            unsupported=answer.unsupported,
            tell_date=answer.tell_date,
            self_check=answer.self_check,
            self_check_weights={
                **WEIGHTS,
                **{language: Weights(*given) for language, given in answer.self_check_weights.items()},
            },
            examples=examples(settings),
            example_count=answer.example_count,
            example_choice=answer.example_choice,
            example_tokens=answer.example_tokens,
        ),
    )


def _further(name: str, reference: str, library: Library) -> Retriever:
    """Somebody else's retriever. Raises BadSetting."""
    setting = f"retrieval.further.{name}"
    made: Retriever = load(reference, setting)(library)
    if getattr(made, "name", None) != name or not callable(getattr(made, "recall", None)):
        raise BadSetting(
            f"{reference} made no retriever called {name}: {made!r}.",
            f"Have it return an object whose `name` is {name!r} and that has `recall` (rag/retrieval/recall.py), or correct {setting}.",
        )
    return made


class _LazyDescriber:
    """An ImageDescriber that is made at the first picture."""

    def __init__(self, make: Callable[[], ImageDescriber | None]) -> None:
        self._make = make

    @property
    def name(self) -> str:
        made = self._make()
        return made.name if made else "none"

    def describe(self, image: ImageData, known: Sequence[ImageEntry] = ()) -> tuple[ImageEntry, ...]:
        made = self._make()
        return made.describe(image, known) if made else ()
