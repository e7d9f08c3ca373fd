"""The open_clip adapter against open_clip and transformers themselves, on tiny weights made here. Needs torch and open_clip; the parts that
say so need transformers, too."""

from __future__ import annotations

import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rag.documents import ImageData
from rag.encoders.clip import OpenClipEncoder
from rag.errors import BadSetting, ModelCorrupt, ModelMissing
from rag.protocols import PatchEncoder

MOST = 1e-4
TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
_define: list[Any] = []
"""What was defined has to live as long as the tests."""
TEXTS = ["a photo of a cat", "two dogs", "", "many words " * 100]


@pytest.fixture(scope="session")
def open_clip() -> Any:
    torch = pytest.importorskip("torch")
    if "torchvision" not in sys.modules:  # a CPU torch beside the index's torchvision: see test_clip.py
        library = torch.library.Library("torchvision", "DEF")
        try:
            library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass
        _define.append(library)
    return pytest.importorskip("open_clip", exc_type=ImportError)


def pictures() -> list[ImageData]:
    rng, made = np.random.default_rng(3), []
    for height, width in ((90, 60), (31, 200), (32, 32)):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8)).save(buffer, "PNG")
        made.append(ImageData(buffer.getvalue(), "image/png", width, height))
    return made


def save(open_clip: Any, folder: Path, **more: Any) -> Path:
    import torch

    save_file = importlib.import_module("safetensors.torch").save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {**TINY, **more}
    described = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}}
    (folder / "open_clip_config.json").write_text(json.dumps(described), encoding="utf-8")
    torch.manual_seed(0)
    kind = open_clip.model.CustomTextCLIP if "hf_model_name" in config["text_cfg"] else open_clip.model.CLIP
    state = kind(**json.loads(json.dumps(config))).state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "open_clip_model.safetensors")
    return folder


def check_parity(open_clip: Any, folder: Path, texts: list[str]) -> OpenClipEncoder:
    import torch

    encoder = OpenClipEncoder(f"local-dir:{folder}", batch_size=2)
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokenizer, images = open_clip.get_tokenizer(f"local-dir:{folder}"), pictures()
    with torch.inference_mode():
        pixels = torch.stack([preprocess(Image.open(io.BytesIO(image.data))) for image in images])
        theirs = model.eval().encode_image(pixels, normalize=True).numpy()
        said = model.encode_text(tokenizer(texts), normalize=True).numpy()
    assert float(np.abs(encoder.encode_images(images) - theirs).max()) <= MOST
    assert float(np.abs(encoder.encode_texts(texts) - said).max()) <= MOST
    return encoder


def check_patches(encoder: OpenClipEncoder, texts: list[str], patches: int) -> None:
    found = encoder.patches
    assert isinstance(found, PatchEncoder)
    for tokens, vector in zip(found.picture_patches(pictures()), encoder.encode_images(pictures()), strict=True):
        assert tokens.tokens.shape == (patches, 32)
        assert np.linalg.norm(tokens.tokens, axis=1) == pytest.approx(1, abs=1e-5)
        assert np.abs(tokens.pooled - vector).max() <= MOST
    for tokens, vector in zip(found.text_tokens(texts), encoder.encode_texts(texts), strict=True):
        assert np.abs(tokens.pooled - vector).max() <= MOST
    counts = [len(tokens.tokens) for tokens in found.text_tokens([texts[0], "", texts[0] + " x"])]
    assert counts[1] == 0
    assert 0 < counts[0] < counts[2]


@pytest.mark.parametrize("quick", [False, True])
def test_vectors_patches_and_words(open_clip: Any, tmp_path: Path, quick: bool) -> None:
    encoder = check_parity(open_clip, save(open_clip, tmp_path / "tiny", quick_gelu=quick), TEXTS)
    check_patches(encoder, TEXTS, 16)


def test_the_pooled_state_projects_to_the_vector_itself(open_clip: Any, tmp_path: Path) -> None:
    """What is taken for the patches is where the model takes its own vector from: its first state gives that vector."""
    import torch

    encoder = OpenClipEncoder(f"local-dir:{save(open_clip, tmp_path / 'tiny')}")
    states: list[Any] = []
    visual = encoder._model.visual
    hook = visual.ln_post.register_forward_hook(lambda _m, _g, out: states.append(out))
    vector = encoder.encode_images(pictures()[:1])[0]
    hook.remove()
    with torch.inference_mode():
        first = (states[0][0, 0] @ visual.proj).numpy()
    assert np.abs(first / np.linalg.norm(first) - vector).max() <= MOST


def test_a_model_that_pools_otherwise_has_no_patches(open_clip: Any, tmp_path: Path) -> None:
    vision = {**TINY["vision_cfg"], "pool_type": "avg"}  # type: ignore[dict-item]
    assert OpenClipEncoder(f"local-dir:{save(open_clip, tmp_path / 'avg', vision_cfg=vision)}").patches is None


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_a_clip_of_hugging_face_converted(open_clip: Any, tmp_path: Path, activation: str) -> None:
    transformers = pytest.importorskip("transformers")
    import torch

    from rag.encoders.clip_convert import convert_clip

    sizes = {"intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_act": activation}
    config = transformers.CLIPConfig(
        text_config={**sizes, "hidden_size": 32, "vocab_size": 49408, "eos_token_id": 49407, "bos_token_id": 49406},
        vision_config={**sizes, "hidden_size": 64, "image_size": 32, "patch_size": 8},
        projection_dim=32,
    )
    torch.manual_seed(1)
    theirs = transformers.CLIPModel(config).eval()
    theirs.save_pretrained(tmp_path / "hf")
    mean = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
    (tmp_path / "hf" / "preprocessor_config.json").write_text(json.dumps(mean))
    encoder = OpenClipEncoder(f"local-dir:{convert_clip(tmp_path / 'hf', tmp_path / 'converted')}")
    assert ("quick_gelu=True" in encoder.space.rules) == (activation == "quick_gelu")
    pixels, ids = encoder._pixels(pictures()), encoder._tokens(TEXTS)
    with torch.inference_mode():
        # Their text tower takes the state of the first end mark, so that ids padded by 0 are what it wants as well.
        seen = theirs.visual_projection(theirs.vision_model(pixel_values=pixels).pooler_output).numpy()
        said = theirs.text_projection(theirs.text_model(input_ids=ids).pooler_output).numpy()
    seen, said = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (seen, said))
    assert float(np.abs(encoder.encode_images(pictures()) - seen).max()) <= MOST
    assert float(np.abs(encoder.encode_texts(TEXTS) - said).max()) <= MOST
    check_patches(encoder, TEXTS, 16)


@pytest.mark.slow
def test_a_chinese_clip_converted(open_clip: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    import torch

    from rag.encoders.clip_convert import convert_clip

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"一只猫两狗在草地上", "photo", "cat", "##s"]
    sizes = {"intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.ChineseCLIPConfig(
        text_config={**sizes, "hidden_size": 48, "vocab_size": len(words), "max_position_embeddings": 64, "hidden_act": "gelu"},
        vision_config={**sizes, "hidden_size": 64, "image_size": 32, "patch_size": 8, "hidden_act": "quick_gelu"},
        projection_dim=32,
    )  # fmt: skip
    torch.manual_seed(1)
    theirs = transformers.ChineseCLIPModel(config).eval()
    theirs.save_pretrained(tmp_path / "hf")
    # As published: a vocabulary, no tokenizer.json.
    (tmp_path / "hf" / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    converted = convert_clip(tmp_path / "hf", tmp_path / "converted")
    # The folder may be moved: nothing in it names where it was made.
    converted = converted.rename(tmp_path / "elsewhere")
    encoder = OpenClipEncoder(f"local-dir:{converted}")
    assert "quick_gelu=True" in encoder.space.rules
    texts = ["一只猫在草地上", "两狗 photo cats", "猫" * 100]
    ids = encoder._tokens(texts)
    assert ids[1].tolist()[:8] == [2, words.index("两"), words.index("狗"), *range(13, 16), 3, 0]
    with torch.inference_mode():
        seen = theirs.visual_projection(theirs.vision_model(pixel_values=encoder._pixels(pictures())).pooler_output)
        states = theirs.text_model(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
        said = theirs.text_projection(states[:, 0])
    for found, expected in ((encoder.encode_images(pictures()), seen), (encoder.encode_texts(texts), said)):
        expected = expected.numpy()
        assert float(np.abs(found - expected / np.linalg.norm(expected, axis=1, keepdims=True)).max()) <= MOST
    check_patches(encoder, ["一只猫", "猫"], 16)


@pytest.mark.slow
def test_a_multilingual_text_tower(open_clip: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = [
        "<s>",
        "<pad>",
        "</s>",
        "<unk>",
        *"abcdefghijklmnopqrstuvwxyz",
        "cat",
        "dog",
        "dogs",
        "两",
        "只",
        "猫",
        "photo",
    ]
    tower = tmp_path / "xlmr"
    transformers.XLMRobertaConfig(
        vocab_size=len(words), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=80, pad_token_id=1,
    ).save_pretrained(tower)  # fmt: skip
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, **marks).save_pretrained(tower)
    text = {
        "hf_model_name": str(tower), "hf_tokenizer_name": str(tower), "hf_model_pretrained": False,
        "hf_proj_type": "mlp", "hf_pooler_type": "mean_pooler", "context_length": 70,
    }  # fmt: skip
    folder = save(open_clip, tmp_path / "multilingual", text_cfg=text)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tower / name).read_bytes())
    texts = ["a photo of a cat", "两 只 猫", "dog dogs " * 100, "x"]
    check_patches(check_parity(open_clip, folder, texts), texts, 16)


def test_what_is_no_clip_is_not_converted(tmp_path: Path) -> None:
    from rag.encoders.clip_convert import convert_clip

    with pytest.raises(ModelMissing, match=r"config\.json"):
        convert_clip(tmp_path, tmp_path / "to")
    config = {"model_type": "siglip", "text_config": {}, "vision_config": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelCorrupt, match="siglip"):
        convert_clip(tmp_path, tmp_path / "to")
    with pytest.raises(BadSetting, match="another folder"):
        convert_clip(tmp_path, tmp_path / "." / "")
    assert not (tmp_path / "to").exists()


def test_weights_that_are_no_clip_or_no_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from rag.encoders.clip_convert import convert_clip

    config = {"model_type": "chinese_clip", "text_config": {}, "vision_config": {"hidden_act": "quick_gelu"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelMissing, match=r"pytorch_model\.bin"):
        convert_clip(tmp_path, tmp_path / "to")
    (tmp_path / "pytorch_model.bin").write_bytes(b"<!doctype html>")
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        convert_clip(tmp_path, tmp_path / "to")
    torch.save({"logit_scale": torch.ones(())}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelCorrupt, match="no ChineseCLIPModel"):
        convert_clip(tmp_path, tmp_path / "to")
