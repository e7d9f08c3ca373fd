"""Where the weights of an open_clip encoder are, and the ways in which they would be wrong without anybody noticing.

open_clip fills a model without weights with random numbers and a line in the log, and loads OpenAI's weights into an
architecture with the other activation without an error: both are refused here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.errors import BadSetting, ModelMissing

LOCAL = "local-dir:"
HUB = "hf-hub:"
CONFIG = "open_clip_config.json"
QUICK = "-quickgelu"
SAFE = (".safetensors", ".bin", ".pt", ".pth")
PREFERRED = ("open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin", "pytorch_model.bin")


def refuse_random_weights(model: str, pretrained: str) -> None:
    if not model.startswith((LOCAL, HUB)) and not pretrained:
        raise BadSetting(
            f"The image encoder {model} has no weights named: open_clip would fill it with random numbers.",
            "Name a checkpoint file or a tag as `pretrained`, or a folder as `local-dir:PATH`.",
        )


def local_source(model: str, pretrained: str) -> tuple[str, Path | None]:
    """What names the architecture, and the checkpoint where it is a file on this machine."""
    if model.startswith(LOCAL):
        return model, _checkpoint_in(Path(model.removeprefix(LOCAL)))
    file = Path(pretrained)
    if file.suffix and not model.startswith(HUB):
        if not file.is_file():
            raise ModelMissing(f"The weights {pretrained} are not there.", "Check the path of `pretrained`.")
        if file.suffix not in SAFE:
            raise BadSetting(f"Weights of the kind {file.suffix} are not loaded.", "Convert them to safetensors.")
        return model, file
    return model, None


def _checkpoint_in(folder: Path) -> Path:
    if not (folder / CONFIG).is_file():
        raise ModelMissing(f"{folder} has no {CONFIG}.", f"Name a folder that has it after `{LOCAL}`.")
    found = sorted(file for suffix in SAFE for file in folder.glob(f"*{suffix}"))
    named = [folder / name for name in PREFERRED if folder / name in found]
    if not found:
        raise ModelMissing(f"{folder} has no weights ({', '.join(SAFE)}).", "Put open_clip_model.safetensors there.")
    if not named and len(found) > 1:
        raise BadSetting(
            f"{folder} has several weights: {', '.join(f.name for f in found)}.",
            f"Keep one, or call it {PREFERRED[0]}.",
        )
    return named[0] if named else found[0]


def from_hub(open_clip: Any, model: str, pretrained: str, download: bool) -> tuple[str, Path]:
    """The hub's snapshot of a model as a local folder."""
    from huggingface_hub import snapshot_download

    if model.startswith(HUB):
        repository = model.removeprefix(HUB)
    else:
        _known(open_clip, model)
        tag = open_clip.get_pretrained_cfg(model, pretrained)
        if not tag:
            tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
            raise BadSetting(
                f"open_clip has no weights {pretrained!r} for {model}.", f"Its tags are: {tags}. Or name a file."
            )
        _refuse_activation_of_tag(open_clip, model, pretrained, tag)
        repository = str(tag.get("hf_hub", "")).rstrip("/")
    if not repository:
        raise BadSetting(f"{model} {pretrained} is not on the hub.", "Download it and name its file as `pretrained`.")
    patterns = ["*.json", "*.txt", "*.model", "open_clip_*.safetensors", "open_clip_*.bin"]
    try:
        folder = snapshot_download(repository, local_files_only=not download, allow_patterns=patterns)
    except Exception as error:  # offline, not found, not allowed: each with a type of its own
        raise ModelMissing(
            f"The image encoder {repository} is not on this machine and was not downloaded ({type(error).__name__}).",
            f"Run `tuwen models pull`, or copy its folder here and name it as `{LOCAL}PATH`.",
        ) from error
    return f"{LOCAL}{folder}", _checkpoint_in(Path(folder))


def _refuse_activation_of_tag(open_clip: Any, model: str, pretrained: str, tag: dict[str, Any]) -> None:
    config = open_clip.get_model_config(model) or {}
    if bool(tag.get("quick_gelu")) != bool(config.get("quick_gelu")):
        other = model.removesuffix(QUICK) if model.endswith(QUICK) else model + QUICK
        raise _wrong_activation(model, pretrained, other)


def refuse_wrong_activation(open_clip: Any, source: str, checkpoint: Path, sha256: str) -> None:
    """OpenAI's weights were trained with QuickGELU; with GELU they load without an error and their vectors are wrong."""
    config = open_clip.get_model_config(source) if source.startswith(LOCAL) else _known(open_clip, source)
    # Not the whole path: it may lie in a folder of a person or a project of that name.
    from_openai = "openai" in f"{checkpoint.parent.name}/{checkpoint.name}".lower() or any(
        sha256 in str((open_clip.get_pretrained_cfg(name, "openai") or {}).get("url"))
        for name in open_clip.list_pretrained_models_by_tag("openai")
    )
    if from_openai and not config.get("quick_gelu"):
        if source.startswith(LOCAL):
            raise BadSetting(
                f"{source} holds OpenAI's weights, but its {CONFIG} does not say quick_gelu: the vectors would be wrong.",
                f'Write `"quick_gelu": true` into `model_cfg` of {CONFIG}.',
            )
        raise _wrong_activation(source, checkpoint.name, source + QUICK)


def _wrong_activation(model: str, weights: str, other: str) -> BadSetting:
    return BadSetting(
        f"The weights {weights} were trained with another activation than {model} has: the vectors would be wrong.",
        f"Use the model name {other}.",
    )


def _known(open_clip: Any, model: str) -> dict[str, Any]:
    config: dict[str, Any] | None = open_clip.get_model_config(model)
    if config is None:
        raise BadSetting(f"open_clip knows no architecture {model}.", "`open_clip.list_models()` lists them.")
    return config
