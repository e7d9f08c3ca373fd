"""The pieces of LaTeX that both formats are written with. Letters and signs of Unicode stay as they are: they are searched for."""

from __future__ import annotations

import re

_SPACES = re.compile(r"\s+")
_OPERATORS = {"∑": r"\sum", "∏": r"\prod", "∐": r"\coprod", "∫": r"\int", "∬": r"\iint", "∭": r"\iiint", "∮": r"\oint",
              "⋃": r"\bigcup", "⋂": r"\bigcap"}  # fmt: skip
_FUNCTIONS = frozenset(
    "arccos arcsin arctan arg cos cosh cot det dim exp gcd inf ker lg lim liminf limsup ln log max min sec sin sinh sup tan tanh".split()
)
_ACCENTS = {"\u0302": "hat", "^": "hat", "\u0303": "tilde", "~": "tilde", "\u0304": "bar", "\u0305": "bar", "¯": "bar",
            "‾": "bar", "\u0307": "dot", "˙": "dot", "\u0308": "ddot", "¨": "ddot", "\u20d7": "vec", "→": "vec", "\u030c": "check", "\u0306": "breve"}  # fmt: skip


def group(text: str) -> str:
    """In braces, unless it is a single sign."""
    return text if len(text) == 1 and text not in "{}\\" else f"{{{text}}}"


def scripts(base: str, sub: str = "", sup: str = "") -> str:
    """`x_1^{10}`; a base of several signs is kept together by braces, a function's name or a bracket is not."""
    whole = len(base) <= 1 or base.startswith("\\") or base[-1:] in ")]}|"
    return (base if whole else group(base)) + (f"_{group(sub)}" if sub else "") + (f"^{group(sup)}" if sup else "")


def fraction(above: str, below: str, line: bool = True) -> str:
    return f"\\frac{{{above}}}{{{below}}}" if line else f"\\binom{{{above}}}{{{below}}}"


def root(text: str, degree: str = "") -> str:
    return f"\\sqrt[{degree}]{{{text}}}" if degree else f"\\sqrt{{{text}}}"


def operator(sign: str) -> str:
    """Of a sum, an integral, …; another sign stays as it is."""
    return _OPERATORS.get(sign, sign)


def function(name: str) -> str:
    return (
        f"\\{name}" if name in _FUNCTIONS else f"\\operatorname{{{name}}}" if len(name) > 1 and name.isalpha() else name
    )


def accent(text: str, sign: str) -> str:
    return f"\\{_ACCENTS[sign]}{{{text}}}" if sign in _ACCENTS else scripts(text, sup=sign)


def matrix(rows: list[list[str]], kind: str = "matrix") -> str:
    inside = r" \\ ".join(" & ".join(row) for row in rows)
    return f"\\begin{{{kind}}} {inside} \\end{{{kind}}}"


def joined(parts: list[str]) -> str:
    """Beside each other: a space behind a command, which would swallow the letter behind it, and which is read more easily."""
    text = last = ""
    for part in parts:
        text += " " + part if last.startswith("\\") and part[:1].isalnum() and not text.endswith(" ") else part
        last = part
    return text


def inline(text: str) -> str:
    """Between dollars where it has structure; a lone letter or `a = b` is text."""
    plain = _SPACES.sub(" ", text).strip()
    return f"${plain}$" if re.search(r"[\\^_]", plain) else plain
