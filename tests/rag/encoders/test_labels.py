from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rag.documents import ImageData
from rag.encoders import efficientnet
from rag.encoders.labels import LabelClassifier, ensure_graph, groups, names, preprocess
from rag.errors import CorruptFile, ModelCorrupt, ModelMissing

SHARED = Path(os.environ.get("TUWEN_SHARED", Path(__file__).parents[4] / "shared"))
PHOTOS = SHARED / "demo-corpus/images"
WEIGHTS = os.environ.get("TUWEN_LABEL_WEIGHTS", "")


def test_a_thousand_classes_in_both_languages() -> None:
    assert len(names()) == 1000
    for name in names():
        assert all(re.fullmatch(r"[A-Za-z][A-Za-z' .-]*", word) for word in name.en), name
        assert all(re.search(r"[\u4e00-\u9fff]", word) for word in name.zh), name


@pytest.mark.parametrize(
    ("index", "word"),
    # Places in the list that other lists of ImageNet's classes agree on, one in each region of it.
    [(0, "tench"), (151, "Chihuahua"), (281, "tabby"), (388, "giant panda"), (528, "dial telephone"), (721, "pillow"),
     (817, "sports car"), (954, "banana"), (963, "pizza"), (999, "toilet tissue")],
)  # fmt: skip
def test_the_order_is_that_of_the_network(index: int, word: str) -> None:
    assert word in names()[index].en


def test_groups_name_classes_that_exist() -> None:
    members = {group.name.en[0]: group.classes for group in groups()}
    assert len(members) == len(groups())
    assert all(0 <= n < 1000 and len(set(classes)) == len(classes) for classes in members.values() for n in classes)
    assert len(members["dog"]) == 118
    assert 285 in members["cat"]
    assert 285 not in members["dog"]


def test_blocks_are_those_of_lite2() -> None:
    found = efficientnet.blocks(1.2)
    assert len(found) == 21
    assert [stride for _, stride in found].count(2) == 4
    assert found[0] == (3, 1)
    assert found[-1] == (3, 1)


def test_preprocessing_is_a_centre_crop_in_the_range_of_the_network() -> None:
    picture = Image.new("RGB", (600, 300), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 100, 300))
    pixels = preprocess(picture)
    assert pixels.shape == (3, 260, 260)
    assert pixels.dtype == np.float32
    # The black strip is outside the square in the middle; (255 - 127) / 128 = 1.
    assert np.allclose(pixels, 1.0)
    assert np.allclose(preprocess(Image.new("RGB", (30, 900))), -127 / 128)


def tiny_network(classes: int = 5) -> dict[str, np.ndarray]:
    """A network of B0's shape with two channels everywhere, its weights random."""
    rng = np.random.default_rng(7)
    tensors: dict[str, np.ndarray] = {}

    def convolution(name: str, norm: str, out: int, per_group: int, kernel: int) -> None:
        tensors[f"{name}.weight"] = rng.normal(size=(out, per_group, kernel, kernel)).astype(np.float32)
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, out).astype(np.float32)

    convolution("_conv_stem", "_bn0", 2, 3, 3)
    for n, (kernel, _) in enumerate(efficientnet.blocks(1.0)):
        if n:
            convolution(f"_blocks.{n}._expand_conv", f"_blocks.{n}._bn0", 4, 2, 1)
        convolution(f"_blocks.{n}._depthwise_conv", f"_blocks.{n}._bn1", 4 if n else 2, 1, kernel)
        convolution(f"_blocks.{n}._project_conv", f"_blocks.{n}._bn2", 2, 4 if n else 2, 1)
    convolution("_conv_head", "_bn1", 6, 2, 1)
    tensors["_fc.weight"] = rng.normal(size=(classes, 6)).astype(np.float32)
    tensors["_fc.bias"] = rng.normal(size=classes).astype(np.float32)
    return tensors


def reference(tensors: dict[str, np.ndarray], pixels: np.ndarray) -> np.ndarray:
    """The same network in plain NumPy, batch norms not folded."""

    def convolve(x: np.ndarray, name: str, norm: str, stride: int = 1, clip: bool = True) -> np.ndarray:
        weight = tensors[f"{name}.weight"].astype(np.float64)
        kernel, size = weight.shape[2], x.shape[1]
        out = -(-size // stride)
        pad = max(0, (out - 1) * stride + kernel - size)
        x = np.pad(x, ((0, 0), (pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
        depthwise = weight.shape[1] == 1 and x.shape[0] == weight.shape[0]
        y = (
            np.einsum("chwij,cij->chw", windows, weight[:, 0])
            if depthwise
            else np.einsum("chwij,ocij->ohw", windows, weight)
        )
        mean, var, scale, bias = (
            tensors[f"{norm}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        y = (y - mean) / np.sqrt(var + 1e-3) * scale + bias
        return np.clip(y, 0, 6) if clip else y

    x = convolve(pixels.astype(np.float64), "_conv_stem", "_bn0", 2)
    for n, (_, stride) in enumerate(efficientnet.blocks(1.0)):
        begin, name = x, f"_blocks.{n}"
        if n:
            x = convolve(x, f"{name}._expand_conv", f"{name}._bn0")
        x = convolve(x, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        x = convolve(x, f"{name}._project_conv", f"{name}._bn2", clip=False)
        x = x + begin if stride == 1 else x
    x = convolve(x, "_conv_head", "_bn1").mean(axis=(1, 2))
    logits = tensors["_fc.weight"] @ x + tensors["_fc.bias"]
    grown = np.exp(logits - logits.max())
    return grown / grown.sum()


def test_the_graph_computes_the_network() -> None:
    import onnxruntime

    tensors = tiny_network()
    session = onnxruntime.InferenceSession(efficientnet.build(tensors, 1.0, 66), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(1).uniform(-1, 1, (2, 3, 66, 66)).astype(np.float32)
    (found,) = session.run(None, {"pixels": pixels})
    for row, picture in zip(found, pixels, strict=True):
        assert np.allclose(row, reference(tensors, picture), atol=1e-5)


def test_weights_of_another_network_are_refused() -> None:
    tensors = tiny_network()
    del tensors["_blocks.3._bn1.bias"]
    with pytest.raises(ModelCorrupt, match=r"_blocks\.3\._bn1\.bias"):
        efficientnet.build(tensors, 1.0)
    with pytest.raises(ModelCorrupt):
        efficientnet.build(tiny_network(), 1.2)


def test_missing_and_wrong_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"gone\.pth"):
        LabelClassifier(tmp_path / "gone.pth", tmp_path / "cache")
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match="sha256"):
        ensure_graph(tmp_path / "other.pth", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def weights() -> Path:
    path = Path(WEIGHTS)
    if not WEIGHTS or not path.is_file():
        pytest.skip("TUWEN_LABEL_WEIGHTS does not name efficientnet-lite2-9656183e.pth")
    return path


def photo(name: str) -> ImageData:
    if not PHOTOS.is_dir():
        pytest.skip("the development corpora are not on this machine")
    return ImageData((PHOTOS / name).read_bytes(), "image/jpeg", 1, 1)


@pytest.mark.model
@pytest.mark.parametrize(
    ("file", "label", "at_least"),
    [("coco-000000002149.jpg", "Granny Smith", 0.7), ("coco-000000000285.jpg", "brown bear", 0.6),
     ("coffee.png", "espresso", 0.7), ("coco-000000012667.jpg", "dial telephone", 0.06)],
)  # fmt: skip
def test_real_photographs(tmp_path: Path, file: str, label: str, at_least: float) -> None:
    found = LabelClassifier(weights(), tmp_path, threads=1).probabilities(photo(file))
    assert found.shape == (1000,)
    assert abs(float(found.sum()) - 1) < 1e-4
    best = int(found.argmax())
    assert label in names()[best].en
    assert found[best] > at_least


@pytest.mark.model
def test_the_graph_is_written_once_and_bad_bytes_are_named(tmp_path: Path) -> None:
    first = ensure_graph(weights(), tmp_path)
    written = first.stat().st_mtime_ns
    assert ensure_graph(weights(), tmp_path) == first
    assert first.stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    classifier = LabelClassifier(weights(), tmp_path, threads=1)
    with pytest.raises(CorruptFile):
        classifier.probabilities(ImageData(b"no picture", "image/png", 1, 1))
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    assert classifier.probabilities(ImageData(buffer.getvalue(), "image/png", 1, 1)).shape == (1000,)
