from __future__ import annotations

from pathlib import Path

import pytest

from eval.metrics.cost import EXAMPLE, Price, cost, load_prices, price_of, tokens
from eval.metrics.latency import latency
from rag.answers import Usage
from rag.errors import BadRequest


def test_cost_by_hand() -> None:
    used = tokens([Usage(1_000_000, 2_000), Usage(500_000, 0)])
    assert used == Usage(1_500_000, 2_000)
    assert cost(used, Price(0.5, 10.0)) == pytest.approx(0.75 + 0.02)
    assert tokens([]) == Usage()


def test_prices_come_from_the_user(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    prices = load_prices(file)
    assert prices == {"my-model": Price(0.15, 0.6, "USD")}
    assert price_of("openai my-model", prices) == price_of("my-model", prices) == prices["my-model"]
    assert price_of("llamacpp other", prices) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[m", "cannot be read"),
        ("[m]\nprompt = 1", "prompt and completion"),
        ("m = 3", "prompt and completion"),
        ('[m]\nprompt = "1"\ncompletion = 2', "no price"),
        ("[m]\nprompt = -1\ncompletion = 2", "no price"),
        ("[m]\nprompt = nan\ncompletion = 2", "no price"),
        ("[m]\nprompt = 1\ncompletion = 2\nimage = 3", "prompt and completion"),
    ],
)
def test_a_bad_price_table_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest, match=said) as caught:
        load_prices(file)
    assert str(file) in caught.value.message


def test_latency_by_hand() -> None:
    assert latency([float(n) for n in range(101)]) == {
        "p50": 50.0,
        "p95": 95.0,
        "p99": 99.0,
        "mean": 50.0,
        "max": 100.0,
    }
    assert latency([]) == {}
