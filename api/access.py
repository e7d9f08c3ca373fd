"""Who asks, and what they may read."""

from __future__ import annotations

from dataclasses import dataclass

from rag.answers import EVERYTHING, Access


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is what their conversations are kept under: the same at every request of theirs, and nobody else's."""

    name: str
    access: Access

    @property
    def reads_everything(self) -> bool:
        """Whoever may read all documents runs the house: they also see what others sent, said and asked for."""
        return not self.access.rule


OWNER = Caller("", EVERYTHING)
"""Of the data directory: the command line, and whoever reaches a server that knows no others."""
