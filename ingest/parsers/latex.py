"""LaTeX laid out for a reader of lines: what a command, or an environment, begins or ends stands on a line of its own.

The converter takes LaTeX line by line: it makes a paragraph of every line, and loses what follows a command on its line, as the text of
`\\paragraph{Method} We measured …` or the rows of a table that is written in one line. LaTeX itself does not care about lines, but for
empty ones, comments and verbatim text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_ALONE = re.compile(
    r"\\(?:(?:part|chapter|(?:sub){0,2}section|(?:sub)?paragraph|caption|title|author|date|input|include)\*?(?=[\[{])"
    r"|(?:maketitle|tableofcontents|item|newpage|clearpage|appendix|centering)(?![A-Za-z])|(?:begin|end)\{[A-Za-z]+\*?\})"
)
_ARGUMENTS = re.compile(
    r"\\begin\{(?:tabular[xy]?|longtable|array|minipage|multicols|table|figure|wrapfigure|thebibliography)\*?\}$"
)
_VERBATIM = re.compile(r"\\(begin|end)\{(?:verbatim|lstlisting|minted|comment|Verbatim)\*?\}")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*$")
_REFERENCE = re.compile(r"\\(?:[a-zA-Z]*cite[a-zA-Z]*|[a-zA-Z]*ref)\*?(?:\[[^\]]*\])*\{([^{}]*)\}")
_LABEL = re.compile(r"\\label\{[^{}\n]*\}[ \t]*")
_ROW_ENDS = re.compile(r"(\\\\\*?(?:\[[^\]\n]*\])?)[ \t]*(?=\S)")


_ENVIRONMENT = re.compile(r"\\(begin|end)\{([A-Za-z]+)\*?\}")
_NO_PROSE = re.compile(
    r"tabular[xy]?|longtable|array|equation|align|gather|multline|eqnarray|math|displaymath|flalign|cases|[a-zA-Z]?matrix|tikzpicture|"
    r"verbatim|lstlisting|minted|comment|Verbatim"
)
_COMMAND = re.compile(r"\\(?!emph|text|cite|ref|eqref|autoref|item)[a-zA-Z]+\*?(?:\[[^\]]*\]|\{[^{}]*\})*$")


def in_lines(text: str) -> str:
    """The same document, without comments, a paragraph to a line."""
    return "\n".join(_joined(_lines(text)))


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines of prose that stand under each other as one."""
    open_ones: list[str] = []
    prose = ""
    for line in lines:
        bare = line.strip()
        inside = not any(_NO_PROSE.fullmatch(name) for name in open_ones)
        for kind, name in _ENVIRONMENT.findall(line):
            if kind == "begin":
                open_ones.append(name)
            elif name in open_ones:
                del open_ones[len(open_ones) - 1 - open_ones[::-1].index(name) :]
        alone = (
            not bare
            or bare.startswith("\\[")
            or _COMMAND.match(bare)
            or (_ALONE.match(bare) and not bare.startswith("\\item"))
        )
        if not inside or alone or not open_ones:
            if prose:
                yield prose
            prose = ""
            yield line
        elif prose and not bare.startswith("\\item"):
            prose = f"{prose} {bare}"
        else:
            if prose:
                yield prose
            prose = bare
    if prose:
        yield prose


def references(text: str) -> set[str]:
    """Keys of `\\cite{a,b}` and `\\ref{c}`."""
    return {key.strip() for match in _REFERENCE.finditer(text) for key in match[1].split(",")}


def _lines(text: str) -> Iterator[str]:
    verbatim = False
    waiting: list[str] = []
    for line in text.splitlines():
        if verbatim:
            yield line
        else:
            found = _COMMENT.sub(r"\1", line)
            # A line that is only a comment is none; an empty one ends a paragraph.
            if found or not line:
                waiting.append(found)
        for match in _VERBATIM.finditer(line):
            if not verbatim:
                yield from _split("\n".join(waiting))
                waiting = []
            verbatim = match[1] == "begin"
    yield from _split("\n".join(waiting))


def _split(text: str) -> Iterator[str]:
    """Lines of a stretch without verbatim text; arguments may go over several lines."""
    text = _ROW_ENDS.sub("\\1\n", _LABEL.sub("", text))
    out: list[str] = []
    done = 0
    for match in _ALONE.finditer(text):
        if match.start() < done:
            continue
        end = match.end()
        if not match[0].startswith((r"\begin", r"\end")) or _ARGUMENTS.match(match[0]):
            end = _behind_arguments(text, end)
            if end == match.end() and text[end : end + 1] in ("{", "["):
                continue
        out.append(text[done : match.start()].rstrip(" \t"))
        if out[-1] and not out[-1].endswith("\n"):
            out.append("\n")
        out.append(text[match.start() : end])
        done = end
        if match[0] != "\\item":
            rest = re.match(r"[ \t]*", text[done:])
            done += rest.end() if rest else 0
            if text[done : done + 1] not in ("\n", ""):
                out.append("\n")
    out.append(text[done:])
    return iter("".join(out).split("\n"))


def _behind_arguments(text: str, place: int) -> int:
    """The place behind `[…]` and `{…}` that follow; the same where a bracket is never closed."""
    while text[place : place + 1] in ("[", "{"):
        closing = {"[": "]", "{": "}"}[text[place]]
        depth, end = 0, place
        while end < len(text):
            if text[end] == "\\":
                end += 2
                continue
            if text[end] == text[place]:
                depth += 1
            elif text[end] == closing:
                depth -= 1
                if depth == 0:
                    break
            end += 1
        if end >= len(text):
            return place
        place = end + 1
    return place
