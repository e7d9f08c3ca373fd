"""The embedded generator as judge, against 24 statements labelled by hand: `pytest -m model -s tests/eval/test_judge_model.py` tells how
far it agrees (docs/metrics.md has the figures: not far)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from eval.judge.agreement import agreement
from eval.judge.asker import Asker
from eval.judge.faithfulness import supported
from rag.errors import ModelMissing

ITEMS = Path(__file__).with_name("judge_items.jsonl")


@pytest.mark.model
@pytest.mark.slow
def test_the_embedded_generator_can_be_understood() -> None:
    from rag.generators.llamacpp import LlamaCppGenerator
    from rag.weights.pull import locate

    labelled = [json.loads(line) for line in ITEMS.read_text(encoding="utf-8").splitlines()]
    try:
        generator = LlamaCppGenerator(
            locate("qwen2.5-coder-1.5b-instruct-q4_k_m", Path(os.environ["TUWEN_MODELS__DIR"]))
        )
    except ModelMissing as error:
        pytest.skip(str(error))
    asker = Asker(generator)
    try:
        judged = [supported(asker, [item["statement"]], [item["context"]]).verdicts[0].said for item in labelled]
    finally:
        generator.close()
    found = agreement(judged, [item["label"] for item in labelled])
    wrong = [item["statement"] for item, said in zip(labelled, judged, strict=True) if said != item["label"]]
    sys.stdout.write(f"\n{found}\n{asker.usage}\njudged wrongly: {wrong}\n")
    assert found.unread == 0
    assert found.accuracy > 0.5
