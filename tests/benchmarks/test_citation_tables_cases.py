"""The claims of the table benchmark are what they are called."""

from __future__ import annotations

from benchmarks.citation_tables import FALSE, TRUE, cases, chinese, half, markdown

GRID = [["", "2019", "2018"], ["Sales", "$1,200", "900"], ["Costs", "400", "350"]]


def test_true_claims_have_the_cells_value_and_false_ones_another() -> None:
    said: dict[str, set[str]] = {}
    for case in cases([GRID] * 8):
        assert case.text == markdown(GRID)
        said.setdefault(case.kind, set()).add(case.claim)
    assert set(said) == {*TRUE, *FALSE}
    assert said["cell"] <= {
        "The 2019 figure for Sales was $1,200",
        "The 2018 figure for Sales was 900",
        "The 2019 figure for Costs was 400",
        "The 2018 figure for Costs was 350",
    }
    assert not said["cell"] & (said["another column's value"] | said["another row's value"] | said["number changed"])
    assert not said["two columns"] & said["columns exchanged"]
    assert not said["two rows"] & said["rows exchanged"]


def test_tables_made_here_are_the_same_every_time_and_in_one_half() -> None:
    assert chinese(5) == chinese(5)
    made = chinese(20)
    assert sorted(map(str, half(made, "tune") + half(made, "report"))) == sorted(map(str, made))
