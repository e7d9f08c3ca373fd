"""Models of sentence-transformers, opened from this machine: no network, no pickles, no code of the model's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.errors import ExtraMissing, ModelCorrupt, ModelMissing

_REMEDY = "Download it (`hf download NAME --local-dir DIRECTORY`) and let the setting name that directory."


def open_local(kind: str, model: str, device: str | None, **options: Any) -> Any:
    """An object of the class `kind` (SentenceTransformer, CrossEncoder) for a directory, or a hub name in the local hub cache.

    Raises ExtraMissing without the packages, ModelMissing and ModelCorrupt for weights that are not there or not readable.
    """
    try:
        import sentence_transformers
    except ImportError as error:
        raise ExtraMissing(
            "sentence-transformers is not installed.", "Install it with `pip install 'tuwen[rerank]'`."
        ) from error
    if Path(model).is_dir() and not any(Path(model).rglob("*.safetensors")):
        raise ModelMissing(
            f"{model} holds no safetensors.", "Weights in pickles (.bin, .pt) are not loaded: convert them."
        )
    try:
        return getattr(sentence_transformers, kind)(
            model,
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
            **options,
        )
    except OSError as error:
        raise ModelMissing(f"The model {model} is not on this machine.", _REMEDY) from error
    except (ValueError, KeyError, RuntimeError) as error:
        raise ModelCorrupt(f"The model {model} cannot be opened: {error}.", _REMEDY) from error
