"""What is counted, against what the public cards and reports say, and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BadRequest
from rag.planning.architecture import Experts, Latent
from rag.planning.catalogue import find_device, find_model, model_names, published
from rag.planning.config import from_config
from rag.planning.memory import measure, weight_bytes


@pytest.mark.parametrize("name", model_names())
def test_parameters_are_those_of_the_card(name: str) -> None:
    """Within one percent: cards round to two or three digits."""
    card = published(name)
    model, notes = find_model(name)
    assert notes == ()
    assert model.parameters / 1e9 == pytest.approx(card["published"], rel=0.01)
    if "active" in card:
        assert model.active_parameters / 1e9 == pytest.approx(card["active"], rel=0.02)


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("llama-3-8b", 8_030_261_248),
        ("llama-3-70b", 70_553_706_496),
        ("mixtral-8x7b", 46_702_792_704),
        ("qwen2.5-7b", 7_615_616_512),
        ("qwen2.5-0.5b", 494_032_768),
        ("qwen3-8b", 8_190_735_360),
        ("qwen3-30b-a3b", 30_532_122_624),
    ],
)
def test_parameters_to_the_last_one(name: str, exact: int) -> None:
    """As the published checkpoints have them (the number that Hugging Face shows beside the weights)."""
    assert find_model(name)[0].parameters == exact


@pytest.mark.parametrize(
    ("name", "kilobytes"), [("deepseek-v3", 70.272), ("qwen2.5-72b", 327.680), ("llama-3.1-405b", 516.096)]
)
def test_cache_of_a_token(name: str, kilobytes: float) -> None:
    """Table 1 of "Insights into DeepSeek-V3" (Zhao et al. 2025, arXiv:2505.09343), bf16, in kB."""
    assert find_model(name)[0].cached_numbers(1) * 2 / 1000 == pytest.approx(kilobytes, abs=0.0005)


def test_weights_of_deepseek_r1() -> None:
    """Published as about 640 GB in FP8: 673 · 10⁹ bytes, or 627 · 2³⁰. Both readings are within 6 percent."""
    size = weight_bytes(find_model("deepseek-r1")[0], "fp8")
    assert size / 1e9 == pytest.approx(640, rel=0.06)
    assert size / 2**30 == pytest.approx(640, rel=0.06)


def test_a_tied_embedding_is_counted_once_and_read_as_the_output() -> None:
    model = find_model("qwen2.5-0.5b")[0]
    assert model.embedding_parameters == 151936 * 896
    assert model.head_parameters == 0
    assert model.read_parameters(1) == model.parameters
    untied = find_model("qwen2.5-7b")[0]
    assert untied.read_parameters(1) == untied.parameters - untied.embedding_parameters


def test_which_experts_a_batch_reads() -> None:
    """Two tokens that choose 2 of 8 read 1 − (6/8)² = 7/16 of them."""
    experts = Experts(8, 2, 10)
    assert experts.coverage(1) == 0.25
    assert experts.coverage(2) == 0.4375
    assert experts.coverage(1000) == pytest.approx(1.0)


@given(st.integers(1, 500), st.integers(1, 500))
def test_a_larger_batch_reads_more_and_never_more_than_all(one: int, more: int) -> None:
    model = find_model("deepseek-r1")[0]
    assert (
        model.active_parameters * 0.9
        < model.read_parameters(one)
        <= model.read_parameters(one + more)
        < model.parameters
    )


def test_latent_attention_by_hand() -> None:
    """h = 4, one head, ranks 3 (keys) and 0 (queries), 2 + 1 wide, values 2: 4·3 + 4·(3+1) + 3 + 3·(2+2) + 2·4 = 51."""
    assert Latent(1, 3, 0, 2, 1, 2).parameters(4) == 51


def test_a_latent_cache_is_on_every_device_and_a_grouped_one_is_split_by_heads() -> None:
    h200 = find_device("h200")
    for name, share in (("deepseek-r1", 1), ("llama-3-70b", 8)):
        model = find_model(name)[0]
        one = measure(model, h200, 1, "fp8", 1000, 1).cache_per_user
        assert measure(model, h200, 8, "fp8", 1000, 1).cache_per_user == pytest.approx(one / share)
    assert measure(model, h200, 16, "fp8", 1000, 1).cache_per_user == pytest.approx(one / 8)


def test_a_window_bounds_the_cache() -> None:
    config = {
        "model_type": "mistral",
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 16,
        "vocab_size": 10,
        "sliding_window": 100,
    }
    model = from_config(config, "tiny", "a test")[0]
    assert model.cached_numbers(50) == 2 * 2 * 4 * 50
    assert model.cached_numbers(1000) == 2 * 2 * 4 * 100
    mixed = from_config(
        config | {"model_type": "qwen3", "layer_types": ["full_attention", "sliding_attention"]}, "tiny", "a test"
    )[0]
    assert mixed.cached_numbers(1000) == 2 * 4 * (1000 + 100)


# --- what people give ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["Qwen/Qwen2.5-7B-Instruct", "qwen2.5_7b", "meta-llama/Meta-Llama-3-8B", "DeepSeek-R1-0528", "mixtral-8x7b-instruct-v0.1"]
)  # fmt: skip
def test_names_as_people_write_them(given: str) -> None:
    assert find_model(given)[0].parameters > 0


def test_a_config_file_and_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(published("llama-3-8b")["config"]))
    assert find_model(str(file))[0].parameters == find_model(str(tmp_path))[0].parameters == 8_030_261_248


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "cannot be read"),
        ("[]", "no model's config.json"),
        ('{"model_type": "llama"}', "num_hidden_layers"),
        ('{"model_type": "llama", "num_hidden_layers": "many"}', "many"),
    ],
)
def test_a_wrong_config_is_named(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(BadRequest, match=named) as caught:
        find_model(str(file))
    assert caught.value.remedy


def test_a_family_that_is_not_known_is_read_with_a_note() -> None:
    config = dict(published("llama-3-8b")["config"]) | {"model_type": "newcomer"}
    model, notes = from_config({"text_config": config, "torch_dtype": "bfloat16"}, "new", "a test")
    assert model.parameters == 8_030_261_248
    assert len(notes) == 2


def test_what_a_config_says_of_its_precision() -> None:
    config = dict(published("llama-3-8b")["config"])
    assert from_config(config, "x", "a test")[0].precision == "bf16"
    assert from_config(config | {"quantization_config": {"quant_method": "awq"}}, "x", "a test")[0].precision == "int4"
    del config["torch_dtype"]
    assert from_config(config, "x", "a test")[0].precision == ""


def test_gemma_is_tied_though_it_does_not_say_so() -> None:
    config = dict(published("llama-3-8b")["config"]) | {"model_type": "gemma2"}
    assert from_config(config, "x", "a test")[0].tied
    assert not from_config(config | {"tie_word_embeddings": False}, "x", "a test")[0].tied


def test_unknown_names_are_told_with_near_ones() -> None:
    with pytest.raises(BadRequest) as caught:
        find_model("qwen25-7")
    assert "qwen2.5-7b" in caught.value.remedy
    with pytest.raises(BadRequest, match="h300"):
        find_device("h300")


@pytest.mark.parametrize("given", ["1,2", "a,b,c", "0,1,1", "-1,2,3", "tpu:1,2,3", "cpu:"])
def test_wrong_numbers_of_a_device(given: str) -> None:
    with pytest.raises(BadRequest, match="no device"):
        find_device(given)


def test_a_device_of_ones_own() -> None:
    assert find_device("48,864,362").flops("fp8") == 362e12
    assert find_device("cpu:32,60,1.5").shared
    assert not find_device("custom:32,60,1.5").shared
