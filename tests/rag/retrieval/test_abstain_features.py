from __future__ import annotations

from dataclasses import asdict
from math import exp, log

import pytest

from rag.answers import Hit, Likeness
from rag.documents import Chunk, DocumentRef
from rag.language import language_of
from rag.retrieval import abstain
from rag.retrieval.abstain_features import evidence


def hit(number: int, text: str) -> Hit:
    chunk = Chunk(f"c{number}", "d", number, "text", text, language=language_of(text))
    return Hit(chunk, DocumentRef("d", "notes", "text/plain", "default"), 1.0, {"lexical": number})


def test_shares_by_hand() -> None:
    found = evidence(
        "Who repaired the bridge?", [hit(1, "Masons repaired it. The bridge is old."), hit(2, "A bridge.")]
    )
    # `repaired` is in one of two passages, `bridge` in both: ln(1 + 3 / 1.5) and ln(1 + 3 / 2.5).
    repaired, bridge = log(3), log(2.2)
    assert found.best_passage == pytest.approx(1)
    assert found.best_sentences == pytest.approx(1)
    assert found.best_sentence == pytest.approx(repaired / (repaired + bridge))
    assert found.second_sentence == pytest.approx(bridge / (repaired + bridge))
    assert found.window == pytest.approx(1)
    assert found.rarest_missing == 0
    assert found.absent == 0


@pytest.mark.parametrize(
    ("question", "text", "feature", "expected"),
    [
        ("Which tribes did not sign the treaty?", "Four tribes signed the treaty.", "negated_alone", 1),
        ("Which tribes did not sign the treaty?", "Two tribes did not sign the treaty.", "negated_alone", 0),
        ("哪些部落没有签署条约？", "四个部落签署了条约。", "negated_alone", 1),
        ("Which tribes refused the treaty?", "Four tribes signed the treaty.", "denial_missing", 1),
        ("What is the smallest lake of Finland?", "Saimaa is the largest lake of Finland.", "opposite", 1),
        ("What is the largest lake of Finland?", "Saimaa is the largest lake of Finland.", "opposite", 0),
        ("Which unknown painter made it?", "A known painter made it.", "opposite", 1),
        ("Which rural schools closed?", "Many urban schools closed.", "opposite", 1),
        ("哪些城市学校支持改革？", "许多城市学校反对改革。", "opposite", 1),
        ("When did it close?", "It closed for good.", "kind_missing", 1),
        ("When did it close?", "It closed in 1987.", "kind_missing", 0),
        ("What happened in 1987 when it closed?", "It closed in 1987.", "kind_missing", 1),
        ("大桥是什么时候建成的？", "大桥由工人建成。", "kind_missing", 1),
        ("What did Normandy give to Rollo?", "The king gave land to Rollo.", "name_missing", 1),
        ("What did the king give to Rollo?", "The king gave land to Rollo.", "name_missing", 0),
        ("What was signed in 1912?", "The treaty was signed in 1911.", "number_missing", 1),
    ],
)  # fmt: skip
def test_what_gives_a_near_miss_away(question: str, text: str, feature: str, expected: float) -> None:
    assert asdict(evidence(question, [hit(1, text)]))[feature] == expected


def test_the_nearest_sentences_are_few_and_short() -> None:
    text = " ".join(f"The bridge number {number} was built by Rollo and many others." for number in range(60))
    found = evidence("Who built the bridge?", [hit(1, text)])
    assert found.new_names == pytest.approx(1 / 6)


def test_every_stored_model_reads_features_that_there_are() -> None:
    known = abstain.features("Who?", [hit(1, "Rollo.")], Likeness(0.5, 0.1))
    by_words = abstain.features("Who?", [hit(1, "Rollo.")])
    for encoder, languages in abstain.models().items():
        for parts in languages.values():
            assert 0 <= abstain.probability(parts, by_words if encoder == abstain.WORDS else known) <= 1


def test_the_score_is_a_product_by_hand() -> None:
    parts = [{"names": 2.0, "bias": -1.0}, {"names*length": 4.0, "bias": 0.0}]
    found = {"names": 0.5, "length": 0.25}
    assert abstain.probability(parts, found) == pytest.approx(0.5 * (1 / (1 + exp(-0.5))))


def test_a_language_that_nothing_was_fitted_for_is_judged_as_english() -> None:
    assert abstain.model(abstain.WORDS, "ko") == abstain.model(abstain.WORDS, "en")
    assert "foreign" not in abstain.models()[abstain.WORDS]
    assert abstain.model(abstain.WORDS, "zh", foreign=True) == abstain.model(abstain.WORDS, "zh")
