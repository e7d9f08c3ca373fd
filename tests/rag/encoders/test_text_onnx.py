from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.encoders.text_onnx import OnnxTextEncoder, batches, cut
from rag.errors import ModelCorrupt, ModelMissing


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 3000))
def test_batches_hold_every_text_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    made = list(batches(lengths, budget))
    assert sorted(index for batch in made for index in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


def test_a_long_text_keeps_its_end_mark() -> None:
    assert cut([0, 5, 6, 7, 2], 4) == [0, 5, 6, 2]
    assert cut([0, 5, 2], 4) == [0, 5, 2]


def test_more_texts_than_a_window(tiny_encoder: OnnxTextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"cat {'a' * (index % 7)}" for index in range(25)]
    expected = tiny_encoder.encode_passages(texts)
    monkeypatch.setattr("rag.encoders.text_onnx.WINDOW", 4)
    assert (tiny_encoder.encode_passages(texts) * expected).sum(axis=1).min() > 0.97


def test_max_tokens_leave_room_for_prefix_and_marks(tiny_encoder: OnnxTextEncoder) -> None:
    text = "cat " * 40
    fits = text[: text.index("cat", 20)]
    while tiny_encoder.count_tokens([fits])[0] < tiny_encoder.max_tokens:
        fits += "a"
    room = 48 - 2  # positions of the tiny model, less <s> and </s>
    assert max(tiny_encoder.count_tokens([f"query: {fits}", f"passage: {fits}"])) <= room


def test_centring_is_part_of_the_space(tiny_model_dir: Path) -> None:
    plain = OnnxTextEncoder(tiny_model_dir, threads=1, centre_languages=False)
    centred = OnnxTextEncoder(tiny_model_dir, threads=1)
    assert plain.space.id != centred.space.id
    assert "centred" in centred.space.rules
    assert not np.allclose(plain.encode_passages(["cat"]), centred.encode_passages(["cat"]), atol=1e-3)


def test_no_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="tuwen models pull"):
        OnnxTextEncoder(tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "encoder.json"])
def test_a_damaged_directory_is_named(tiny_model_dir: Path, tmp_path: Path, name: str) -> None:
    directory = tmp_path / "model"
    shutil.copytree(tiny_model_dir, directory)
    (directory / name).write_bytes(b"{broken")
    with pytest.raises(ModelCorrupt, match="model"):
        OnnxTextEncoder(directory)
