"""multilingual-e5-small, from its packed 4-bit file to an ONNX model directory, once per machine.

The directory holds `model.onnx`, `tokenizer.json` and `encoder.json`, the same three files that any model directory for
`OnnxTextEncoder` has. Wang et al., "Multilingual E5 Text Embeddings" (2024).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rag import bert_graph
from rag.bert_graph import Bert, Layer, Linear, Norm, Precision, Table
from rag.encoders import e5_file
from rag.encoders.e5_file import E5File
from rag.encoders.text_onnx import OnnxTextEncoder

NAME = "multilingual-e5-small"
BUILDER = 3
"""Part of the directory's name and of the space: raise it whenever the vectors change."""


def ensure_e5(source: Path, sha256: str, cache_dir: Path, precision: Precision = "int8") -> Path:
    """The model directory in `cache_dir`, built when it is not there (about ten seconds).

    `sha256` is that of `source`, already verified by the manifest. Safe to call from several processes: each builds in a
    directory of its own, and the first to rename wins. Raises ModelCorrupt for a file of another layout.
    """
    target = cache_dir / f"{NAME}-{precision}-v{BUILDER}-{sha256[:12]}"
    if (target / "encoder.json").is_file():
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache_dir))
    try:
        build_e5(source, sha256, temporary, precision)
        OnnxTextEncoder(temporary)  # proves that it opens, and leaves the languages' means beside it
        try:
            temporary.rename(target)
        except OSError:
            if not (target / "encoder.json").is_file():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def build_e5(source: Path, sha256: str, directory: Path, precision: Precision = "int8") -> None:
    """Writes the three files into an existing directory; `encoder.json` last."""
    file = e5_file.read(source)
    bert_graph.save(_bert(file), directory / "model.onnx", precision)
    tokenizer(file).save(str(directory / "tokenizer.json"), pretty=False)
    stamp = {
        "model": NAME,
        "weights_sha256": sha256,
        "build": f"{precision} v{BUILDER}",
        "dimension": file.hidden,
        "positions": file.positions,
        "pad_id": file.pad_id,
        "query_prefix": "query: ",
        "passage_prefix": "passage: ",
    }
    with (directory / "encoder.json").open("w", encoding="utf-8") as out:
        json.dump(stamp, out, indent=1)
        out.flush()
        os.fsync(out.fileno())


def tokenizer(file: E5File) -> Any:
    """XLM-RoBERTa's Unigram tokenizer as a `tokenizers.Tokenizer`; pieces are ids in their order."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    result = Tokenizer(Unigram(list(file.pieces), unk_id=file.unknown_id, byte_fallback=False))
    result.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    result.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    begin, end = file.pieces[file.begin_id][0], file.pieces[file.end_id][0]
    result.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, file.begin_id), (end, file.end_id)]
    )
    return result


def _bert(file: E5File) -> Bert:
    words = file.packed["emb.word"]
    hidden = file.hidden
    positions = file.plain["emb.pos"].reshape(file.positions, hidden)
    kind = file.plain["emb.type"].reshape(-1, hidden)[0]
    return Bert(
        Table(words.values, words.scales),
        np.asarray(positions + kind, np.float32),
        _norm(file, "emb.ln"),
        [_layer(file, f"l{index}") for index in range(file.layers)],
        file.heads,
        file.epsilon,
    )


def _layer(file: E5File, name: str) -> Layer:
    return Layer(
        _linear(file, f"{name}.q"),
        _linear(file, f"{name}.k"),
        _linear(file, f"{name}.v"),
        _linear(file, f"{name}.ao"),
        _norm(file, f"{name}.aln"),
        _linear(file, f"{name}.fi"),
        _linear(file, f"{name}.fo"),
        _norm(file, f"{name}.oln"),
    )


def _linear(file: E5File, name: str) -> Linear:
    return Linear(np.ascontiguousarray(file.matrix(f"{name}.w").T), file.plain[f"{name}.b"])


def _norm(file: E5File, name: str) -> Norm:
    return Norm(file.plain[f"{name}.w"], file.plain[f"{name}.b"])
