"""What a judge found, with every verdict it is made of: a figure that nobody can look behind is worth little."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that was judged; `said` is None where the judge could not be understood."""

    about: str
    said: bool | None


@dataclass(frozen=True, slots=True)
class Score:
    """`value` in [0, 1] (answer relevance: [-1, 1]), None where nothing could be judged. `left_out` counts contexts that did not
    fit the judge's own context."""

    value: float | None
    verdicts: tuple[Verdict, ...] = ()
    left_out: int = 0

    @property
    def unread(self) -> int:
        return sum(verdict.said is None for verdict in self.verdicts)


def share(verdicts: tuple[Verdict, ...], left_out: int = 0) -> Score:
    """Yes among those that were understood."""
    read = [verdict.said for verdict in verdicts if verdict.said is not None]
    return Score(sum(read) / len(read) if read else None, verdicts, left_out)
