"""A BERT or XLM-RoBERTa text encoder in the layout of Hugging Face -> a directory for `OnnxTextEncoder`, once per machine; no torch.

Which states become the vector, and what stands before a text, is the convention of the model's family (rag/weights/conventions.toml).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from rag import bert_graph
from rag.bert_graph import Pooling, Precision
from rag.bert_weights import read_bert
from rag.errors import BadSetting, ModelCorrupt
from rag.hashing import sha256_of

BUILDER = 1
"""Part of the directory's name and of the space: raise it whenever the vectors change."""


def ensure_bert(
    source: Path,
    cache_dir: Path,
    *,
    name: str = "",
    pooling: str = "mean",
    query_prefix: str = "",
    passage_prefix: str = "",
    precision: Precision = "int8",
) -> Path:
    """The directory in `cache_dir`, built when it is not there. Safe to call from several processes: the first to rename wins.

    Raises ModelMissing and ModelCorrupt for a source that is no BERT, BadSetting for a pooling that the graph has not.
    """
    if pooling not in ("mean", "cls"):
        raise BadSetting(
            f"{source} is pooled by {pooling}, which encoder.kind = onnx does not do.",
            "Set encoder.kind to sentence-transformers or remote.",
        )
    if not (source / "tokenizer.json").is_file():
        raise ModelCorrupt(f"{source} has no tokenizer.json.", "Download the whole repository.")
    found = read_bert(source)
    sha256 = sha256_of(source / "model.safetensors")
    build = f"{precision} v{BUILDER} {pooling}"
    stamp = {
        "model": name or source.name,
        "weights_sha256": sha256,
        "build": build,
        "dimension": found.bert.positions.shape[1],
        "positions": min(found.positions, _longest(source)),
        "pad_id": found.pad_id,
        "query_prefix": query_prefix,
        "passage_prefix": passage_prefix,
    }
    text = json.dumps(stamp, indent=1)
    rules = _digest(text)
    target = cache_dir / f"{stamp['model']}-{build.replace(' ', '-')}-{rules}"
    if (target / "encoder.json").is_file():
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=cache_dir))
    try:
        chosen: Pooling = "cls" if pooling == "cls" else "mean"
        bert_graph.save(found.bert, folder / "model.onnx", precision, chosen)
        shutil.copy(source / "tokenizer.json", folder / "tokenizer.json")
        (folder / "encoder.json").write_text(text, encoding="utf-8")
        try:
            folder.rename(target)
        except OSError:
            if not (target / "encoder.json").is_file():
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _longest(source: Path) -> int:
    """Tokens that the model was trained to see, where sentence-transformers' file says so."""
    try:
        return int(json.loads((source / "sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1_000_000
