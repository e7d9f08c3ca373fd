"""The only place that names concrete adapters: settings in, parts of the engine out.

Each choice of a setting is a line in a mapping of these files. Adapters are imported where they are made, so that a choice nobody made
costs no start-up time and needs no package.
"""

from __future__ import annotations

from api.wiring.chunkers import CHUNKERS, TextTools, chunker
from api.wiring.cluster import farm
from api.wiring.encoders import (
    TEXT_ENCODERS,
    TOKEN_ENCODERS,
    Reuse,
    convert_clip,
    image_encoder,
    picture_aligner,
    remembering,
    serving,
    text_aligner,
    text_encoder,
)
from api.wiring.engines import engine, vector_store
from api.wiring.generators import GENERATORS, generator, sampling
from api.wiring.reading import (
    LABEL_MODEL,
    RENDERED,
    describer,
    limits,
    ocr,
    parse_worker,
    parsers,
    passwords,
    toolbox,
    toolbox_version,
)
from api.wiring.remotes import sources
from api.wiring.rerankers import RERANKERS, reranker
from api.wiring.verifiers import VERIFIERS

__all__ = [
    "CHUNKERS",
    "GENERATORS",
    "LABEL_MODEL",
    "RENDERED",
    "RERANKERS",
    "TEXT_ENCODERS",
    "TOKEN_ENCODERS",
    "VERIFIERS",
    "Reuse",
    "TextTools",
    "chunker",
    "convert_clip",
    "describer",
    "engine",
    "farm",
    "generator",
    "image_encoder",
    "limits",
    "ocr",
    "parse_worker",
    "parsers",
    "passwords",
    "picture_aligner",
    "remembering",
    "reranker",
    "sampling",
    "serving",
    "sources",
    "text_aligner",
    "text_encoder",
    "toolbox",
    "toolbox_version",
    "vector_store",
]
