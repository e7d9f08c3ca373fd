"""What a numbered figure shows, from its caption."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.wording import length, say

_CAPTION = re.compile(
    r"^(?:caption:\s*)?(?P<number>(?:Figure|Fig\.|Exhibit|Chart)\s*\d+(?:[.\-]\d+)*|图\s*\d+(?:[.\-]\d+)*)\s*[.:：、—\-]?\s*(?P<rest>\S.*)$",
    re.MULTILINE,
)


def captions(passage: SourcePassage) -> Iterator[Candidate]:
    """`Figure 2. Visitors a year` asks what Figure 2 shows. Captions without a number could only be asked for in their own words."""
    for match in _CAPTION.finditer(passage.text):
        rest = match["rest"].strip()
        if not 3 <= length(rest) <= 40:
            continue
        number = " ".join(match["number"].split())
        question = say(passage.language, "figure", number=number, called=passage.called)
        yield Candidate(question, rest, "caption", passage, match.span(), variables=(number,))
