"""Encoders of texts, tokens and pictures, by the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from rag.documents import ImageData
from rag.errors import BadSetting
from rag.protocols import Aligner, ImageEncoder, PatchEncoder, Reranker, TextEncoder, TokenEncoder
from rag.weights.conventions import encoder_convention

PICTURE_TEMPERATURE = 0.1
"""Of the attention of a question's words, where pictures are aligned with it. Not measured: no such weights were at hand."""


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
    if not chosen.base_url or not chosen.model:
        raise BadSetting(
            "encoder.kind = remote has no server or model to ask.",
            "Set encoder.base_url to the address before /embeddings, such as http://127.0.0.1:8001/v1, and encoder.model.",
        )
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


def _onnx_tokens(settings: Settings, centred: bool) -> TokenEncoder:
    from rag.encoders.text_tokens import OnnxTokenEncoder

    return OnnxTokenEncoder(
        _onnx_dir(settings),
        threads=settings.encoder.threads,
        centre_languages=centred and settings.encoder.centre_languages,
    )


def _hashing_tokens(_: Settings, __: bool) -> TokenEncoder:
    from rag.fakes import HashingTextEncoder

    return HashingTextEncoder()


TOKEN_ENCODERS: dict[str, Callable[[Settings, bool], TokenEncoder]] = {"onnx": _onnx_tokens, "hashing": _hashing_tokens}
"""The second argument: whether each language's mean is taken out."""


def text_aligner(settings: Settings) -> Aligner[str] | None:
    """None for an encoder that gives no vectors of tokens."""
    if settings.encoder.kind not in TOKEN_ENCODERS:
        return None
    from rag.rerankers.late_interaction import LateInteraction

    tokens = TOKEN_ENCODERS[settings.encoder.kind](settings, False)
    return LateInteraction(settings.encoder.model, tokens.question_tokens, tokens.passage_tokens, str)


def late_reranker(settings: Settings) -> Reranker:
    """The text encoder's own tokens, matched sentence by sentence. Raises BadSetting for an encoder that gives none."""
    if settings.encoder.kind not in TOKEN_ENCODERS:
        raise BadSetting(
            f"The encoder `{settings.encoder.kind}` gives no vectors of tokens, which retrieval.reranker = late compares.",
            "Set encoder.kind = onnx, or choose another reranker.",
        )
    from rag.rerankers.late_interaction import SENTENCES, WHOLE, LateInteraction

    tokens, model = TOKEN_ENCODERS[settings.encoder.kind](settings, True), settings.encoder.model
    return LateInteraction(model, tokens.question_tokens, tokens.passage_tokens, str, pooled=WHOLE, window=SENTENCES)


def picture_aligner(encoder: ImageEncoder | None) -> Aligner[ImageData] | None:
    """None without an image encoder, or with one that gives no vectors of patches."""
    patches: object = getattr(encoder, "patches", encoder)
    if encoder is None or not isinstance(patches, PatchEncoder):
        return None
    from rag.rerankers.late_interaction import LateInteraction

    def key(image: ImageData) -> str:
        return image.sha256

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


def convert_clip(source: Path, target: Path) -> Path:
    """A CLIP of Hugging Face as a folder for `pictures.image_model`. Raises ExtraMissing, BadSetting, ModelMissing, ModelCorrupt."""
    from rag.encoders.clip_convert import convert_clip as converted

    return converted(source, target)
