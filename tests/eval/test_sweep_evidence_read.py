"""What was read is compared with what is labelled, whatever the size of the chunks."""

from eval.metrics.evidence_read import answer_read, evidence_read


def test_share_of_the_quotes() -> None:
    read = "[1] handbook\nBook domestic airfare at least 14 days ahead. | Region | Prefix |\n| EMEA | loc_ |"
    assert evidence_read(["Book domestic airfare at least 14 days ahead"], read) == 1
    assert evidence_read(["Region Prefix EMEA loc_", "International airfare: 21 days ahead of the trip"], read) == 0.5
    # Nine of ten words, in another order, as recognised text has them.
    assert evidence_read(["at least 14 days ahead book domestic airfare"], read) == 1
    assert evidence_read([], read) is None
    assert evidence_read(["anything"], "") == 0


def test_an_answer_is_carried_by_its_numbers_and_words() -> None:
    assert answer_read(["14 days"], "at least 14 days ahead") == 1
    assert answer_read(["14 days"], "at least 15 days ahead") == 0
    assert answer_read(["never", "21 days"], "book 21 days ahead") == 1
    assert answer_read([], "anything") is None
