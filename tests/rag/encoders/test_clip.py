"""The open_clip adapter on a tiny model whose weights are made here. Skipped where the extra `clip` is not installed."""

from __future__ import annotations

import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rag.documents import ImageData
from rag.encoders.clip import OpenClipEncoder
from rag.errors import BadSetting, ExtraMissing, ModelCorrupt, ModelMissing
from tests.rag.encoders.image_contracts import check_image_encoder, picture

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="session")
def open_clip() -> Any:
    torch = pytest.importorskip("torch")
    _define_missing_operators(torch)
    return pytest.importorskip("open_clip", exc_type=ImportError)


def _define_missing_operators(torch: Any) -> None:
    """torchvision's wheel on the index and a CPU torch do not belong together: its operators, which nothing here calls,
    have to be known before it is imported. For tests only; a person installs a pair that fits."""
    if "torchvision" in sys.modules:
        return
    library = torch.library.Library("torchvision", "DEF")
    for signature in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        try:
            library.define(signature)
        except RuntimeError:  # it is there: this torchvision fits
            return
    _define_missing_operators.library = library  # type: ignore[attr-defined]


def save_tiny(
    open_clip: Any, folder: Path, *, seed: int = 0, file: str = "open_clip_model.safetensors", **more: Any
) -> Path:
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {**TINY, **more}
    text = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}}
    (folder / "open_clip_config.json").write_text(json.dumps(text), encoding="utf-8")
    torch.manual_seed(seed)
    model = open_clip.model.CLIP(**json.loads(json.dumps(config)))
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    if file.endswith(".safetensors"):
        save_file(state, folder / file)
    else:
        torch.save(state, folder / file)
    return folder


@pytest.fixture(scope="session")
def tiny(open_clip: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(open_clip, tmp_path_factory.mktemp("tiny-clip"))


@pytest.fixture(scope="session")
def encoder(tiny: Path) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{tiny}", batch_size=2)


def test_random_weights_are_refused_without_importing_torch() -> None:
    with pytest.raises(BadSetting, match="random"):
        OpenClipEncoder("ViT-B-32")


def test_missing_files_are_named_without_importing_torch(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="open_clip_config"):
        OpenClipEncoder(f"local-dir:{tmp_path}")
    (tmp_path / "open_clip_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelMissing, match="no weights"):
        OpenClipEncoder(f"local-dir:{tmp_path}")
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadSetting, match=r"a\.bin, b\.bin"):
        OpenClipEncoder(f"local-dir:{tmp_path}")
    with pytest.raises(ModelMissing, match=r"gone\.safetensors"):
        OpenClipEncoder("ViT-B-32", str(tmp_path / "gone.safetensors"))
    (tmp_path / "x.npz").write_bytes(b"")
    with pytest.raises(BadSetting, match=r"\.npz"):
        OpenClipEncoder("ViT-B-32", str(tmp_path / "x.npz"))


def test_without_the_extra_the_remedy_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    (tmp_path / "open_clip_config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ExtraMissing) as caught:
        OpenClipEncoder(f"local-dir:{tmp_path}")
    assert "tuwen[clip]" in caught.value.remedy


def test_no_line_in_the_log_speaks_of_random_weights(
    open_clip: Any, tiny: Path, caplog: pytest.LogCaptureFixture
) -> None:
    OpenClipEncoder(f"local-dir:{tiny}")
    assert "random" not in caplog.text


def test_contract(encoder: OpenClipEncoder) -> None:
    check_image_encoder(encoder)


def test_vectors_are_those_of_open_clip_itself(open_clip: Any, tiny: Path, encoder: OpenClipEncoder) -> None:
    import torch

    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{tiny}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tiny}")
    rng = np.random.default_rng(3)
    images: list[ImageData] = []
    for size in ((90, 60), (31, 200), (32, 32)):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)).save(buffer, "PNG")
        images.append(ImageData(buffer.getvalue(), "image/png", size[1], size[0]))
    texts = ["a photo of a cat", "两只猫", "", "many words " * 100]
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.open(io.BytesIO(image.data))) for image in images])
        their_images = model.eval().encode_image(pixels, normalize=True).numpy()
        their_texts = model.encode_text(tokenizer(texts), normalize=True).numpy()
    assert float(np.abs(encoder.encode_images(images) - their_images).max()) <= 1e-4
    assert float(np.abs(encoder.encode_texts(texts) - their_texts).max()) <= 1e-4
    assert encoder.space.dimension == 32


def test_the_space_follows_the_weights_and_the_rules(open_clip: Any, tmp_path: Path, encoder: OpenClipEncoder) -> None:
    other = OpenClipEncoder(f"local-dir:{save_tiny(open_clip, tmp_path / 'seed', seed=1)}")
    assert other.space.weights_sha256 != encoder.space.weights_sha256
    quick = OpenClipEncoder(f"local-dir:{save_tiny(open_clip, tmp_path / 'quick', quick_gelu=True)}")
    assert quick.space.weights_sha256 == encoder.space.weights_sha256
    assert quick.space.id != encoder.space.id
    image = picture((200, 30, 90))
    assert float(np.abs(quick.encode_images([image]) - encoder.encode_images([image])).max()) > 1e-5


def test_a_checkpoint_file_with_an_architecture(
    open_clip: Any, tiny: Path, encoder: OpenClipEncoder, tmp_path: Path
) -> None:
    (tmp_path / "tuwen-tiny-test.json").write_text(json.dumps(TINY), encoding="utf-8")
    (tmp_path / "tuwen-tiny-test-quickgelu.json").write_text(json.dumps({**TINY, "quick_gelu": True}), encoding="utf-8")
    open_clip.add_model_config(tmp_path)
    by_file = OpenClipEncoder("tuwen-tiny-test", str(tiny / "open_clip_model.safetensors"))
    assert np.allclose(by_file.encode_texts(["x"]), encoder.encode_texts(["x"]), atol=1e-6)
    with pytest.raises(BadSetting, match="no architecture"):
        OpenClipEncoder("no-such-model", str(tiny / "open_clip_model.safetensors"))
    openai = tmp_path / "vit-openai.safetensors"
    openai.write_bytes((tiny / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(BadSetting, match="activation") as caught:
        OpenClipEncoder("tuwen-tiny-test", str(openai))
    assert "tuwen-tiny-test-quickgelu" in caught.value.remedy
    OpenClipEncoder("tuwen-tiny-test-quickgelu", str(openai))


def test_a_local_folder_of_openai_has_to_say_quick_gelu(open_clip: Any, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="quick_gelu"):
        OpenClipEncoder(f"local-dir:{save_tiny(open_clip, tmp_path / 'openai-vit')}")
    OpenClipEncoder(f"local-dir:{save_tiny(open_clip, tmp_path / 'openai-quick', quick_gelu=True)}")


@pytest.mark.parametrize(
    ("model", "tag", "right"),
    [("ViT-B-32", "openai", "ViT-B-32-quickgelu"), ("ViT-B-32-quickgelu", "laion2b_s34b_b79k", "ViT-B-32")],
)
def test_tags_with_the_other_activation(open_clip: Any, model: str, tag: str, right: str) -> None:
    with pytest.raises(BadSetting) as caught:
        OpenClipEncoder(model, tag)
    if tag in open_clip.list_pretrained_tags_by_model(model):
        assert caught.value.remedy.endswith(f"{right}.")


def test_the_hub_is_not_asked_unless_told(open_clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelMissing, match="not downloaded") as caught:
        OpenClipEncoder("ViT-B-32-quickgelu", "openai")
    assert "tuwen models pull" in caught.value.remedy
    with pytest.raises(BadSetting, match="no weights 'nonsense'"):
        OpenClipEncoder("ViT-B-32", "nonsense")


class Payload:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_a_pickle_with_a_payload_is_not_run(open_clip: Any, tmp_path: Path) -> None:
    import torch

    folder, mark = save_tiny(open_clip, tmp_path / "evil", file="open_clip_pytorch_model.bin"), tmp_path / "ran"
    OpenClipEncoder(f"local-dir:{folder}")
    torch.save({"logit_scale": Payload(mark)}, folder / "open_clip_pytorch_model.bin")
    with pytest.raises(ModelCorrupt):
        OpenClipEncoder(f"local-dir:{folder}")
    (folder / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ModelCorrupt):
        OpenClipEncoder(f"local-dir:{folder}")
    assert not mark.exists()


def test_weights_that_do_not_fit_are_refused(open_clip: Any, tmp_path: Path) -> None:
    folder = save_tiny(open_clip, tmp_path / "cut")
    file = folder / "open_clip_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelCorrupt, match="cannot be loaded"):
        OpenClipEncoder(f"local-dir:{folder}")
