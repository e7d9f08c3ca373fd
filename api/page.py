"""The pages of the browser: files of web/, with the parts that they share put in."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

WEB = Path(__file__).parent / "web"
_PART = re.compile(r"^ *<!-- ([a-z-]+\.html) -->\n", re.MULTILINE)


@cache
def page(name: str) -> str:
    """The page as it is sent: `<!-- viewer.html -->` on a line of its own stands for that file."""
    text = (WEB / name).read_text(encoding="utf-8")
    return _PART.sub(lambda part: (WEB / part[1]).read_text(encoding="utf-8"), text)
