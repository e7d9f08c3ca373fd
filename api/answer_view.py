"""An answer in the terminal: shown while it is written, and at the end as it was checked.

What a generator writes is not always the answer: markers are corrected, unsupported claims may be cut, and a generator that says that it found
nothing has abstained. A terminal is written over with the final text then; into a file or a pipe only that goes.
"""

from __future__ import annotations

from types import TracebackType
from typing import IO, Any

from rich.cells import cell_len

from api import terminal


def shown(text: str) -> str:
    """Without control characters: text of a document must not move the cursor or speak to the terminal."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\x7f" <= c <= "\x9f"))


class AnswerView:
    """Use it as a context, which shows what was said of an answer that broke off."""

    def __init__(self, stream: IO[str], *, live: bool, width: int, height: int) -> None:
        self._stream, self._live, self._width, self._height = stream, live, width, height
        self._said = ""

    def __enter__(self) -> AnswerView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._said and kind is not None:
            self._write(self._said if not self._live else "")
            self._write("\n")

    def piece(self, text: str) -> None:
        self._said += shown(text)
        if self._live:
            self._write(shown(text))

    def end(self, answer: dict[str, Any]) -> None:
        """The final text in place of what was said, and below it where it is from."""
        final = shown(answer["answer"])
        if not self._live:
            self._write(final)
        elif final.strip() != self._said.strip():
            self._write(self._back() + final)
        self._said = ""
        self._write("\n\n")
        terminal.show_citations(answer)

    def _back(self) -> str:
        """To where the answer began; below it, where that has left the screen."""
        rows = sum(max(1, -(-cell_len(line) // self._width)) for line in self._said.split("\n"))
        if rows >= self._height:
            return "\n\n"
        return "\r" + (f"\x1b[{rows - 1}A" if rows > 1 else "") + "\x1b[J"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def answer_view() -> AnswerView:
    """Over stdout."""
    console = terminal.out
    return AnswerView(console.file, live=console.is_terminal, width=max(1, console.width), height=console.height)
