"""The only place that names concrete adapters: settings in, parts of the engine out.

Each choice of a setting is a line in a mapping below. Adapters are imported where they are made, so that a choice nobody made
costs no start-up time and needs no package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.settings import Settings, prompts
from ingest.protocols import Chunker, Limits, Parser
from ingest.sources.remote import Remote, Sources
from ingest.worker import ParseWorker, Toolbox
from rag.documents import ImageData, ImageEntry
from rag.engine import Engine
from rag.errors import BadSetting
from rag.options import Options
from rag.policy import load_policy
from rag.protocols import (
    Aligner,
    Generator,
    ImageDescriber,
    ImageEncoder,
    LexicalIndex,
    Library,
    Ocr,
    PatchEncoder,
    Reranker,
    Sampling,
    TextEncoder,
    TokenEncoder,
    Vectors,
    VectorStore,
    Verifier,
    Vocabulary,
)
from rag.retrieval.align import Picture, no_picture
from rag.retrieval.illustrate import Look, nothing_to_see
from rag.retrieval.recall import LexicalRetriever, Retriever, VectorRetriever
from rag.weights.conventions import RerankerConvention, encoder_convention

if TYPE_CHECKING:
    from ingest.bulk.farm import Farm

RENDERED = frozenset(
    {"application/pdf", "image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp", "image/gif"}
)
"""Media types whose pages can be shown as pictures."""

LABEL_MODEL = "efficientnet-lite2"

PICTURE_TEMPERATURE = 0.1
"""Of the attention of a question's words, where pictures are aligned with it. Not measured: no such weights were at hand."""


# --- encoders --------------------------------------------------------------------------------------------------------


def _onnx_dir(settings: Settings) -> Path:
    from rag.encoders.e5_build import ensure_e5
    from rag.weights.manifest import Manifest
    from rag.weights.pull import locate

    built = settings.models.dir / "built"
    known = {model.name for model in Manifest.load()}
    if settings.encoder.model not in known and Path(settings.encoder.model).is_dir():
        return _bert_dir(settings, Path(settings.encoder.model), built)
    weights = locate(settings.encoder.model, settings.models.dir)
    if weights.name == "model.safetensors":
        return _bert_dir(settings, weights.parent, built)
    sha256 = Manifest.load().get(settings.encoder.model).files[0].sha256
    return ensure_e5(weights, sha256, settings.models.dir / "built")


def _bert_dir(settings: Settings, source: Path, built: Path) -> Path:
    """Of a model in the layout of Hugging Face, used by the convention of its family."""
    from rag.encoders.bert_build import ensure_bert

    (query, passage), known = _prefixes(settings), encoder_convention(settings.encoder.model)
    pooling = known.pooling if known else "mean"
    return ensure_bert(source, built, pooling=pooling, query_prefix=query, passage_prefix=passage)


def _onnx_encoder(settings: Settings) -> TextEncoder:
    from rag.encoders.text_onnx import OnnxTextEncoder

    return OnnxTextEncoder(
        _onnx_dir(settings), threads=settings.encoder.threads, centre_languages=settings.encoder.centre_languages
    )


def _sentence_transformers_encoder(settings: Settings) -> TextEncoder:
    from rag.encoders.sentence_transformers import SentenceTransformersEncoder

    chosen = settings.encoder
    query, passage = _prefixes(settings)
    known = encoder_convention(chosen.model)
    return SentenceTransformersEncoder(
        chosen.model, query_prefix=query, passage_prefix=passage, pooling=known.pooling if known else None
    )


def _prefixes(settings: Settings) -> tuple[str, str]:
    """Of question and passage: those that are set, or else the ones the model is known to want."""
    chosen, known = settings.encoder, encoder_convention(settings.encoder.model)
    if chosen.query_prefix or chosen.passage_prefix or known is None:
        return chosen.query_prefix, chosen.passage_prefix
    return known.query_prefix, known.passage_prefix


def _remote_encoder(settings: Settings) -> TextEncoder:
    from rag.encoders.remote import RemoteTextEncoder

    chosen = settings.encoder
    query, passage = _prefixes(settings)
    return RemoteTextEncoder(
        chosen.base_url,
        chosen.model,
        dimension=chosen.dimension,
        api_key=chosen.api_key,
        query_prefix=query,
        passage_prefix=passage,
    )


def _hashing_encoder(_: Settings) -> TextEncoder:
    from rag.fakes import HashingTextEncoder

    return HashingTextEncoder()


TEXT_ENCODERS: dict[str, Callable[[Settings], TextEncoder]] = {
    "onnx": _onnx_encoder,
    "sentence-transformers": _sentence_transformers_encoder,
    "remote": _remote_encoder,
    "hashing": _hashing_encoder,
}


def text_encoder(settings: Settings) -> TextEncoder:
    """Raises ModelMissing, ModelCorrupt, ExtraMissing, EncoderUnavailable."""
    return TEXT_ENCODERS[settings.encoder.kind](settings)


def _onnx_tokens(settings: Settings) -> TokenEncoder:
    from rag.encoders.text_tokens import OnnxTokenEncoder

    return OnnxTokenEncoder(_onnx_dir(settings), threads=settings.encoder.threads)


def _hashing_tokens(_: Settings) -> TokenEncoder:
    from rag.fakes import HashingTextEncoder

    return HashingTextEncoder()


TOKEN_ENCODERS: dict[str, Callable[[Settings], TokenEncoder]] = {"onnx": _onnx_tokens, "hashing": _hashing_tokens}


def text_aligner(settings: Settings) -> Aligner[str] | None:
    """None for an encoder that gives no vectors of tokens."""
    if settings.encoder.kind not in TOKEN_ENCODERS:
        return None
    from rag.rerankers.late_interaction import LateInteraction

    tokens = TOKEN_ENCODERS[settings.encoder.kind](settings)
    return LateInteraction(settings.encoder.model, tokens.question_tokens, tokens.passage_tokens, str)


def picture_aligner(encoder: ImageEncoder | None) -> Aligner[ImageData] | None:
    """None without an image encoder, or with one that gives no vectors of patches."""
    patches: object = getattr(encoder, "patches", encoder)
    if encoder is None or not isinstance(patches, PatchEncoder):
        return None
    from rag.rerankers.late_interaction import LateInteraction

    def key(image: ImageData) -> str:
        return hashlib.sha256(image.data).hexdigest()

    name, temperature = encoder.space.model, PICTURE_TEMPERATURE
    return LateInteraction(name, patches.text_tokens, patches.picture_patches, key, temperature=temperature)


def serving(settings: Settings, encoder: TextEncoder) -> TextEncoder:
    """The encoder as questions of many callers use it."""
    from rag.encoders.batching import BatchingEncoder
    from rag.encoders.query_cache import QueryCachedEncoder

    if settings.encoder.batch_queries:
        encoder = BatchingEncoder(encoder)
    return QueryCachedEncoder(encoder, settings.encoder.query_cache) if settings.encoder.query_cache else encoder


@dataclass(frozen=True, slots=True)
class Reuse:
    """Where services that are opened one after another over the same documents keep what none of them has to do twice.

    `documents` names the set of documents: what is parsed of a file may depend on the files it refers to. For the bench only: what
    is kept here outlives a document that is deleted.
    """

    folder: Path
    documents: str


def remembering(encoder: TextEncoder, reuse: Reuse) -> TextEncoder:
    """The encoder, encoding no passage twice."""
    from rag.encoders.cached import CachedTextEncoder

    return CachedTextEncoder(encoder, reuse.folder / "vectors.sqlite3")


def image_encoder(settings: Settings) -> ImageEncoder | None:
    """The dual encoder of pictures and text, where one is set. Raises ExtraMissing, ModelMissing, BadSetting."""
    if settings.pictures.image_encoder == "none":
        return None
    from rag.encoders.clip import OpenClipEncoder

    return OpenClipEncoder(settings.pictures.image_model, settings.pictures.image_weights)


# --- what reads files ------------------------------------------------------------------------------------------------


def ocr(settings: Settings, threads: int = 1) -> Ocr | None:
    if not settings.pictures.ocr:
        return None
    from rag.encoders.ocr import RapidOcr

    return RapidOcr(threads=threads, max_pixels=settings.ingest.limits.pixels)


def describer(settings: Settings, reads: Ocr | None = None) -> ImageDescriber | None:
    if settings.pictures.describer == "none":
        return None
    from rag.encoders.describe import BundledDescriber
    from rag.encoders.labels import LabelClassifier
    from rag.weights.pull import locate

    labels = None
    if settings.pictures.labels:
        weights = locate(LABEL_MODEL, settings.models.dir)
        labels = LabelClassifier(weights, settings.models.dir / "built", threads=1)
    return BundledDescriber(reads or ocr(settings), labels)


def parsers(reads: Ocr | None, passwords: Sequence[str] = ()) -> dict[str, Parser]:
    from ingest.parsers.archive import ArchiveParser
    from ingest.parsers.converted import ConvertedParser
    from ingest.parsers.csv_table import CsvParser
    from ingest.parsers.docx import DocxParser
    from ingest.parsers.epub import EpubParser
    from ingest.parsers.html import HtmlParser
    from ingest.parsers.image import ImageParser
    from ingest.parsers.json_file import JsonParser
    from ingest.parsers.mailbox import MailboxParser
    from ingest.parsers.markdown import MarkdownParser
    from ingest.parsers.message import MessageParser
    from ingest.parsers.outlook import OutlookParser
    from ingest.parsers.pdf import PdfParser
    from ingest.parsers.pptx import PptxParser
    from ingest.parsers.svg import SvgParser
    from ingest.parsers.text import TextParser
    from ingest.parsers.xlsx import XlsxParser

    made: Sequence[Parser] = (
        PdfParser(ocr=reads, passwords=passwords),
        DocxParser(),
        PptxParser(),
        XlsxParser(),
        EpubParser(),
        CsvParser(),
        JsonParser(),
        MessageParser(),
        OutlookParser(),
        MailboxParser(),
        ArchiveParser(passwords=passwords),
        HtmlParser(),
        MarkdownParser(),
        TextParser(),
        SvgParser(),
        ImageParser(ocr=reads),
        ConvertedParser(),
    )
    return {media_type: parser for parser in made for media_type in parser.media_types}


def toolbox(settings: Settings) -> Toolbox:
    """What a parse worker works with; called inside its process."""
    reads = ocr(settings)
    locked = passwords(settings)
    return Toolbox(parsers(reads, locked), describer(settings, reads), locked)


def passwords(settings: Settings) -> list[str]:
    """What locked files are tried with."""
    return [password.get_secret_value() for password in settings.ingest.passwords]


def toolbox_version(settings: Settings) -> str:
    """What the output of parsing depends on, without opening a model: another version, and every file is parsed again."""
    from rag.encoders.describe import VERSION

    versions = {media_type: parser.version for media_type, parser in sorted(parsers(None).items())}
    return f"{versions} describer={VERSION} {settings.pictures.model_dump_json()}"


def parse_worker(settings: Settings, reuse: Reuse | None = None) -> ParseWorker:
    """A process that parses files; with `reuse`, one that remembers what it parsed."""
    build, memory = partial(toolbox, settings), settings.ingest.worker_memory
    if reuse is None:
        return ParseWorker(build, memory=memory)
    from ingest.parse_cache import CachingParseWorker, ParseCache

    key = f"{toolbox_version(settings)} {reuse.documents}"
    return CachingParseWorker(build, ParseCache(reuse.folder / "parsed", key), memory=memory)


def _encoders(settings: Settings) -> tuple[TextEncoder, ImageEncoder | None]:
    return text_encoder(settings), image_encoder(settings)


def farm(settings: Settings) -> Farm:
    """The Ray cluster of `ingest.ray`. Raises ExtraMissing, BadSetting, Unavailable."""
    from ingest.bulk.farm import Farm, Recipe

    chosen = settings.ingest
    # Several actors may share a machine: none of them takes all of its processors.
    threads = settings.encoder.threads or max(1, int(chosen.ray_encoder_cpus))
    there = settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"threads": threads})})
    recipe = Recipe(
        partial(toolbox, settings),
        partial(_encoders, there),
        partial(parse_worker, settings),
        chosen.worker_memory,
        chosen.workers,
        chosen.ray_encoders,
        chosen.ray_encoder_cpus,
        chosen.ray_encoder_gpus,
    )
    return Farm(chosen.ray, recipe)


def _web(settings: Settings) -> Remote:
    from ingest.sources.web import WebRemote

    return WebRemote(private_addresses=settings.ingest.sources.private_addresses)


def _objects(scheme: str) -> Remote:
    from ingest.sources.objects import FsspecRemote

    return FsspecRemote(scheme)


def sources(settings: Settings) -> Sources:
    """Where files may come from beside this machine."""
    chosen = settings.ingest.sources
    openers: dict[str, Callable[[], Remote]] = {scheme: partial(_objects, scheme) for scheme in chosen.schemes}
    for scheme in ("http", "https"):
        # fsspec would read these, too, from any network.
        openers.pop(scheme, None)
        if chosen.http:
            openers[scheme] = partial(_web, settings)
    return Sources(openers)


# --- how text is cut into chunks --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextTools:
    """What chunkers ask of the text encoder; the first call of either may open it."""

    count: Callable[[Sequence[str]], list[int]]
    encode: Callable[[Sequence[str]], Vectors]


def _headings(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.headings import HeadingChunker

    chosen = settings.ingest
    return HeadingChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        overlap_tokens=chosen.chunk_overlap,
        stable=chosen.stable_chunks,
    )


def _fixed(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.fixed import FixedChunker

    chosen = settings.ingest
    return FixedChunker(count_tokens=tools.count, max_tokens=chosen.chunk_tokens, overlap_tokens=chosen.chunk_overlap)


def _recursive(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.recursive import RecursiveChunker

    chosen = settings.ingest
    return RecursiveChunker(
        count_tokens=tools.count, max_tokens=chosen.chunk_tokens, overlap_tokens=chosen.chunk_overlap
    )


def _sentence_window(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.sentences import SentenceWindowChunker

    chosen = settings.ingest
    return SentenceWindowChunker(
        count_tokens=tools.count, max_tokens=chosen.chunk_tokens, reach=chosen.window_sentences
    )


def _semantic(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.semantic import SemanticChunker

    chosen, encoder = settings.ingest, settings.encoder
    return SemanticChunker(
        count_tokens=tools.count,
        encode=tools.encode,
        encoder=f"{encoder.kind} {encoder.model} {encoder.centre_languages}",
        max_tokens=chosen.chunk_tokens,
        percentile=chosen.semantic_percentile,
    )


def _parent_child(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.parents import ParentChildChunker

    chosen = settings.ingest
    return ParentChildChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        parent_tokens=chosen.parent_tokens,
        overlap_tokens=chosen.chunk_overlap,
    )


def _table_rows(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.parents import TableRowsChunker

    chosen = settings.ingest
    return TableRowsChunker(
        count_tokens=tools.count,
        max_tokens=chosen.chunk_tokens,
        rows=chosen.table_rows,
        parent_tokens=chosen.parent_tokens,
        overlap_tokens=chosen.chunk_overlap,
    )


def _page(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.pages import PageChunker

    return PageChunker(count_tokens=tools.count, max_tokens=settings.ingest.chunk_tokens)


def _langchain(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.splitters import SplitterChunker, langchain_recursive

    chosen = settings.ingest
    splitter, name = langchain_recursive(tools.count, chosen.chunk_tokens, chosen.chunk_overlap)
    return SplitterChunker(splitter, name=name, count_tokens=tools.count, max_tokens=chosen.chunk_tokens)


def _llama_index(settings: Settings, tools: TextTools) -> Chunker:
    from ingest.chunkers.splitters import SplitterChunker, llama_index_sentences

    chosen = settings.ingest
    splitter, name = llama_index_sentences(tools.count, chosen.chunk_tokens, chosen.chunk_overlap)
    return SplitterChunker(splitter, name=name, count_tokens=tools.count, max_tokens=chosen.chunk_tokens)


CHUNKERS: dict[str, Callable[[Settings, TextTools], Chunker]] = {
    "headings": _headings,
    "fixed": _fixed,
    "recursive": _recursive,
    "sentence-window": _sentence_window,
    "semantic": _semantic,
    "parent-child": _parent_child,
    "table-rows": _table_rows,
    "page": _page,
    "langchain": _langchain,
    "llama-index": _llama_index,
}


def chunker(settings: Settings, tools: TextTools) -> Chunker:
    """Raises BadSetting for sizes that contradict each other, ExtraMissing."""
    try:
        return CHUNKERS[settings.ingest.strategy](settings, tools)
    except ValueError as error:
        raise BadSetting(
            f"The settings of `ingest` make no chunks: {error}.",
            "Correct ingest.chunk_tokens, chunk_overlap, parent_tokens or the number that is named.",
        ) from error


def limits(settings: Settings) -> Limits:
    chosen = settings.ingest.limits
    return Limits(**chosen.model_dump())


# --- stores ----------------------------------------------------------------------------------------------------------


def vector_store(settings: Settings, folder: Path) -> VectorStore:
    """Raises StoreCorrupt for a folder that cannot be opened, Unavailable for a server that does not answer."""
    from rag.stores.chroma import ChromaVectorStore

    chosen = settings.index
    if chosen.host:
        return ChromaVectorStore(host=chosen.host, port=chosen.port, ssl=chosen.ssl)
    return ChromaVectorStore(folder)


# --- rerankers and generators ----------------------------------------------------------------------------------------


Generate = Callable[[], Generator]


def _no_reranker(_: Settings, __: Generate) -> Reranker | None:
    return None


def _cross_encoder(settings: Settings, _: Generate) -> Reranker:
    from rag.rerankers.cross_encoder import CrossEncoderReranker

    _runs_here(settings)
    return CrossEncoderReranker(settings.retrieval.reranker_model)


def _onnx_cross_encoder(settings: Settings, _: Generate) -> Reranker:
    from rag.rerankers.onnx_cross_encoder import OnnxCrossEncoder

    _runs_here(settings)
    model = Path(settings.retrieval.reranker_model)
    return OnnxCrossEncoder(model, settings.models.dir / "built", threads=settings.encoder.threads)


def _runs_here(settings: Settings) -> None:
    """Raises BadSetting for a model that is known not to be a plain cross-encoder."""
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


RERANKERS: dict[str, Callable[[Settings, Generate], Reranker | None]] = {
    "none": _no_reranker,
    "cross-encoder": _cross_encoder,
    "onnx": _onnx_cross_encoder,
    "llm": _llm_reranker,
    "remote": _remote_reranker,
}


LOGITS = {"cross-encoder", "onnx"}
"""Rerankers whose scores are what the model gives; servers apply its convention themselves."""


def reranker(settings: Settings, generate: Generate) -> Reranker | None:
    """None also where the gate leaves the coarse order: nothing is loaded that is not used."""
    chosen = settings.retrieval
    if chosen.rerank_gate == "leave" or chosen.rerank_weight == 0:
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


def _llamacpp(settings: Settings) -> Generator:
    from rag.generators.llamacpp import LlamaCppGenerator
    from rag.weights.pull import locate

    chosen = settings.generator
    weights = locate(chosen.model, settings.models.dir)
    return LlamaCppGenerator(weights, threads=chosen.threads, context_tokens=chosen.context_tokens)


def _extractive(_: Settings) -> Generator:
    from rag.generators.extractive import ExtractiveGenerator

    return ExtractiveGenerator()


def _openai(settings: Settings) -> Generator:
    from rag.generators.openai import OpenAIGenerator
    from rag.generators.pool import ServerPool

    chosen = settings.generator
    servers = [
        OpenAIGenerator(
            url,
            chosen.model,
            api_key=chosen.api_key,
            timeout_s=chosen.timeout_seconds,
            context_tokens=chosen.context_tokens,
        )
        for url in dict.fromkeys((chosen.base_url, *chosen.servers))
    ]
    return ServerPool(servers, retries=chosen.retries)


def _langchain_chat(settings: Settings) -> Generator:
    from rag.generators.langchain_chat import LangChainGenerator, load_chat_model

    chosen = settings.generator
    given = {"api_key": chosen.api_key} if chosen.api_key else {}
    if "base_url" in chosen.model_fields_set:
        given["base_url"] = chosen.base_url
    chat = load_chat_model(chosen.chat_class, {"model": chosen.model, **given})
    return LangChainGenerator(chat, chosen.model, context_tokens=chosen.context_tokens)


GENERATORS: dict[str, Callable[[Settings], Generator]] = {
    "llamacpp": _llamacpp,
    "extractive": _extractive,
    "openai": _openai,
    "langchain": _langchain_chat,
}


def generator(settings: Settings) -> Generator:
    """Raises ModelMissing, ExtraMissing."""
    return GENERATORS[settings.generator.kind](settings)


def _sampling(settings: Settings) -> Sampling:
    chosen = settings.generator
    return Sampling(
        chosen.temperature,
        chosen.top_p,
        chosen.max_tokens,
        chosen.stop,
        top_k=chosen.top_k,
        repetition_penalty=chosen.repetition_penalty,
        presence_penalty=chosen.presence_penalty,
    )


# --- what checks citations --------------------------------------------------------------------------------------------


def _no_verifier(_: Settings, __: Reranker | None, ___: Generate) -> Verifier | None:
    return None


def _reranker_verifier(settings: Settings, ranker: Reranker | None, _: Generate) -> Verifier:
    from rag.verifiers.by_reranker import RerankerVerifier

    if ranker is None:
        raise BadSetting(
            "answer.verifier is reranker, and there is none.", "Set retrieval.reranker, or answer.verifier to lexical."
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


# --- the engine ------------------------------------------------------------------------------------------------------


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
    answer, generation = settings.answer, settings.generator
    return Engine(
        library=library,
        encoder=serving(settings, encoder),
        retrievers=[retrievers[name] for name in chosen.retrievers if name in retrievers],
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
            fold=chosen.fold,
            least_score=chosen.least_score,
            diversity=chosen.diversity,
            weights={str(name): weight for name, weight in chosen.weights.items()},
            rerank_depth=chosen.rerank_depth,
            rerank_weight=chosen.rerank_weight,
            passages=generation.passages,
            merge=generation.merge,
            compress=generation.compress,
            order=generation.order,
            images=generation.images if generation.kind in ("openai", "langchain") else 0,
            image_pixels=generation.image_pixels,
            passage_tokens=generation.passage_tokens,
            sampling=_sampling(settings),
            abstain=answer.abstain,
            abstain_below=answer.abstain_below,
            unsupported=answer.unsupported,
        ),
    )


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
