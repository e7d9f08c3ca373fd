"""Facts in the wrong place and comparisons turned round."""

from __future__ import annotations

import pytest

from rag.retrieval.claims import check
from rag.retrieval.directions import turned

SOURCE = "In 1913 the bank lent 250 million francs to Serbia, and in 1914 France lent 500 million to Russia."
ZH = "1952年李明建立了茶园，1987年王强扩建了茶园。"


@pytest.mark.parametrize(
    ("claim", "source", "sound"),
    [
        (SOURCE, SOURCE, True),
        ("In 1914 the bank lent 250 million francs to Serbia.", SOURCE, False),
        ("In 1913 the bank lent 500 million francs to Serbia.", SOURCE, False),
        ("In 1913 the bank lent 250 million francs to Russia, and in 1914", SOURCE, False),
        ("France lent 500 million to Russia in 1914.", SOURCE, True),
        ("About 500,000,000 were lent to Russia by France in 1914.", SOURCE, True),
        ("1952年王强建立了茶园。", ZH, False),
        ("1987年李明建立了茶园。", ZH, False),
        ("1952年李明建立了茶园。", ZH, True),
        ("Norway, Denmark and Iceland sent ships.", "Denmark, Norway and Iceland sent ships.", True),
        ("The $680.00 was paid by Jolly.", "Hi David, Your Mercury debit card 4605 was paid $680.00 by Jolly.", True),
        ("Albert Einstein was born in Ulm.", "Einstein was born in Ulm.", False),
    ],
)
def test_facts_have_to_stand_where_the_source_has_them(claim: str, source: str, sound: bool) -> None:
    assert check(claim, source, source).sound == sound


@pytest.mark.parametrize(
    ("claim", "source", "expected"),
    [
        ("Costs rose by 5 %.", "Costs fell by 5 %.", True),
        ("Costs rose by 5 %.", "Costs increased by 5 %.", False),
        ("More than 30 died.", "Fewer than 30 died.", True),
        ("产量高于去年。", "产量低于去年。", True),
        ("产量增加了。", "产量上升了。", False),
        ("It rose from the lowest level.", "It rose, then fell.", False),
        ("The tower is tall.", "The tower is the highest.", False),
    ],
)
def test_directions(claim: str, source: str, expected: bool) -> None:
    assert turned(claim, source) == expected
