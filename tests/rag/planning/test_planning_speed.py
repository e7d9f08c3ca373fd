"""The roofline against published figures, with the tolerance that they are met in, and where they are missed, by how much."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import BadRequest
from rag.planning.catalogue import find_device, find_model
from rag.planning.plan import Plan, Wish, make_plan
from rag.planning.roofline import PEAK, reading, writing


def plan(name: str, device: str, **wish: object) -> Plan:
    return make_plan(find_model(name)[0], find_device(device), Wish(**wish))  # type: ignore[arg-type]


def each(made: Plan) -> float:
    assert made.speed is not None
    return made.speed.each


GPT_FAST = [
    ("llama-2-7b", "bf16", 1, 104.9),
    ("llama-2-7b", "int8", 1, 155.58),
    ("llama-2-7b", "bf16", 2, 168.84),
    ("llama-2-7b", "bf16", 4, 254.02),
    ("llama-2-7b", "bf16", 8, 328.43),
    ("llama-2-70b", "bf16", 4, 38.01),
    ("llama-2-70b", "bf16", 8, 62.50),
    ("llama-2-70b", "int8", 1, 19.13),
    ("llama-2-70b", "int8", 8, 80.44),
]


@pytest.mark.parametrize(("model", "precision", "devices", "tokens"), GPT_FAST)
def test_one_user_on_a100(model: str, precision: str, devices: int, tokens: float) -> None:
    """gpt-fast's README, A100 of 80 GB, one user, prompts of five tokens. Within 35 percent, most within 15; eight bits are slower than
    their bytes (unpacking), which the roofline does not know."""
    made = plan(model, "a100", precision=precision, devices=devices, context=210, answer=200)
    assert made.speed is not None
    assert made.speed.ceiling > tokens
    assert each(made) == pytest.approx(tokens, rel=0.35)


def test_int4_is_missed() -> None:
    """gpt-fast gives 196.8 tokens/s for Llama-2-7B in 4 bits; the roofline expects more: unpacking 4 bits costs more than reading them."""
    made = plan("llama-2-7b", "a100", precision="int4", context=210, answer=200)
    assert 196.8 * 1.5 < each(made) < 196.8 * 2


def test_one_user_on_a100_with_vllm() -> None:
    """vLLM 0.23, Llama-3.1-8B in bf16 on an A100 of 40 GB, 1,024 tokens read and 128 written: about 75 tokens/s (johnmusgrave.com)."""
    assert each(plan("llama-3.1-8b", "a100-40gb", context=1152, answer=128)) == pytest.approx(75, rel=0.15)


@pytest.mark.parametrize(("users", "milliseconds"), [(8, 12.8), (16, 17.2), (32, 25.6), (64, 34.6)])
def test_deepseek_r1_on_eight_h200(users: int, milliseconds: float) -> None:
    """SGLang 0.5.7, DeepSeek-R1-0528 in FP8, TP 8, 1,024 tokens read and 1,024 written: mean time per token
    (github.com/SemiAnalysisAI/InferenceX/issues/870). Always faster than measured, by less than 40 percent."""
    made = plan("deepseek-r1", "h200", devices=8, context=2048, answer=1024, users=users)
    assert 1 < each(made) * milliseconds / 1000 < 1.4


@pytest.mark.parametrize(("users", "tokens", "factor"), [(128, 11, 3.2), (256, 7, 4.2)])
def test_deepseek_r1_as_it_was_first_published_is_missed(users: int, tokens: float, factor: float) -> None:
    """128 users at about 11 tokens/s each and 256 at about 7, on the same cards with the engines of early 2025: the memory is right, the
    speed is not. Engines have become 2.8 times as fast since (64 users: 10.4 tokens/s with SGLang 0.4.3, 28.9 with 0.5.7)."""
    made = plan("deepseek-r1", "h200", devices=8, context=2048, answer=1024, users=users)
    assert made.memory.users >= 256
    assert tokens * 1.5 < each(made) < tokens * factor


def test_a_step_by_hand() -> None:
    """Llama-3-8B on 100 GB/s at its peak, one user, empty context: (8.030 − 0.525) · 10⁹ parameters · 2 bytes in 0.15 s."""
    model = find_model("llama-3-8b")[0]
    step = writing(model, find_device("100,100,1000"), 1, "bf16", 1, 0, assumed=PEAK)
    assert step.seconds == pytest.approx((8_030_261_248 - 525_336_576) * 2 / 100e9)
    assert step.limit == "reading weights"
    read = reading(model, find_device("100,100,1"), 1, "bf16", 1000, PEAK)
    scores = 32 * 2 * 4096 * 500
    assert read.seconds == pytest.approx(1000 * 2 * (8_030_261_248 - 525_336_576 + scores) / 1e12)
    assert read.limit == "multiplications"


@given(st.integers(1, 200), st.sampled_from(["llama-3-8b", "mixtral-8x7b", "qwen3-30b-a3b"]))
def test_more_users_get_more_in_all_and_less_each(users: int, model: str) -> None:
    one, more = (plan(model, "mi300x", users=n, context=1000) for n in (users, users + 1))
    assert one.speed is not None
    assert more.speed is not None
    assert more.speed.each <= one.speed.each
    assert more.speed.total >= one.speed.total * 0.999
    assert one.speed.each <= one.speed.ceiling


def test_who_does_not_fit_waits() -> None:
    made = plan("qwen2.5-7b", "l4", users=100)
    assert made.speed is not None
    assert made.speed.users == made.memory.users < 100
    assert any("fp8 cache" in line for line in made.advice)


def test_what_does_not_fit_says_what_would() -> None:
    made = plan("llama-3-70b", "a100", users=4)
    assert made.speed is None
    assert made.least_devices == 4
    assert plan("llama-3-70b", "a100", users=4, devices=4).memory.users >= 4
    assert any(line.startswith("4 devices") for line in made.advice)
    assert plan("llama-3.1-405b", "t4").least_devices == 64


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"context": 10, "answer": 10}, "leaves nothing"),
        ({"context": 9000}, "8192 tokens at most"),
        ({"precision": "int3"}, "int3"),
        ({"cache": "int4"}, "int4"),
        ({"devices": 3}, "cannot be split"),
    ],
)
def test_wishes_without_meaning(wish: dict[str, object], named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        plan("llama-3-8b", "h100", **wish)
