"""The long tail through its converter; what is said without it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from ingest.detect import detect
from ingest.parsers import converted
from ingest.parsers.converted import ConvertedParser
from ingest.parsers.latex import in_lines, references
from ingest.protocols import ParsedPage, Source
from rag.errors import CorruptFile, UnsupportedFile
from tests.ingest.parsers.contract import check_parser, check_refused, parse, texts
from tests.support.bombs import zipped

_RTF = (
    rb"{\rtf1\ansi\uc1 {\info{\title Harbour}}{\pard\outlinelevel0\b Harbour report\par}{\pard It has \b twelve\b0  cranes; \u21414?\u38376? too.\par}"
    rb"\trowd\cellx900\cellx1800 a\cell b\cell\row\trowd\cellx900\cellx1800 1\cell 2\cell\row}"
)
_ODT = (
    "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
    "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0'>"
    "<office:body><office:text><text:h text:outline-level='1'>港口 Report</text:h><text:p>It has twelve cranes.</text:p>"
    "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>"
    "</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>"
    "<table:table-cell><text:p>2</text:p></table:table-cell></table:table-row></table:table></office:text></office:body>"
    "</office:document-content>"
).encode()
_LATEX = rb"""
\documentclass{article}
\begin{document}
\section{Harbour}
It has twelve cranes and $E = mc^2$.

\begin{itemize}
\item one
\item two
\end{itemize}
\end{document}
"""
_RST = b"Harbour\n=======\n\nIt has **twelve** cranes.\n\n- one\n- two\n"

needs_converter = pytest.mark.skipif(find_spec("kreuzberg") is None, reason="needs the extra formats")


def given_file(tmp_path: Path, name: str, data: bytes) -> Source:
    path = tmp_path / name
    path.write_bytes(data)
    return Source(path, name, detect(path, name))


def read(tmp_path: Path, name: str, data: bytes) -> ParsedPage:
    return parse(ConvertedParser(), given_file(tmp_path, name, data))[0]


def odt() -> bytes:
    return zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": _ODT})


def test_contract() -> None:
    check_parser(ConvertedParser())


@needs_converter
def test_rtf(tmp_path: Path) -> None:
    page = read(tmp_path, "x.rtf", _RTF)
    assert "Harbour report" in texts([page])
    assert "It has twelve cranes; 厦门 too." in texts([page], "paragraph")
    assert texts([page], "table") == ["| a | b |\n| --- | --- |\n| 1 | 2 |"]


@needs_converter
def test_odt(tmp_path: Path) -> None:
    page = read(tmp_path, "x.odt", odt())
    assert [(e.kind, e.text) for e in page.elements] == [
        ("heading", "港口 Report"),
        ("paragraph", "It has twelve cranes."),
        ("table", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ]
    assert page.title == "港口 Report"


@needs_converter
@pytest.mark.parametrize(("name", "data"), [("x.tex", _LATEX), ("x.rst", _RST)])
def test_markup(tmp_path: Path, name: str, data: bytes) -> None:
    page = read(tmp_path, name, data)
    assert texts([page], "heading") == ["Harbour"]
    assert texts([page], "paragraph")[0].startswith("It has twelve cranes")
    assert texts([page], "list") == ["- one\n- two"]


@needs_converter
def test_damaged_files(tmp_path: Path) -> None:
    broken = zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<not"})
    with pytest.raises((CorruptFile, converted.EmptyFile)) as caught:
        read(tmp_path, "x.odt", broken)
    assert "x.odt" in caught.value.message


def test_without_the_converter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converted, "find_spec", lambda _: None)
    error = check_refused(ConvertedParser(), given_file(tmp_path, "x.rtf", _RTF), UnsupportedFile)
    assert "tuwen[formats]" in error.remedy
    assert "Rich Text" in error.message
    assert "twelve" in " ".join(texts([read(tmp_path, "x.rst", _RST)]))
    assert ConvertedParser().version.endswith("none")


LATEX_LINES = rb"""\documentclass{article}\title{On Tides}\author{B. Bay}\begin{document}\maketitle
\section{Introduction}\label{sec:i} The tide rises 3.4 metres, see \cite{bay,sea} and \ref{t}. % a remark
% \section{Old}
\paragraph{Method} We measured 40 ports
at 5\% noise.
\begin{table}[ht]\begin{tabular}{ll}Port & Rise\\ Kiel & 0.1 \\ Emden & 3.2\end{tabular}\caption{Rises}\end{table}
\begin{enumerate}\item first \item second\end{enumerate}
\begin{verbatim}
\section{not} 50 % x
\end{verbatim}
After.\end{document}
"""


@needs_converter
def test_latex_need_not_be_written_in_lines(tmp_path: Path) -> None:
    """The converter alone loses what follows a command on its line."""
    page = read(tmp_path, "x.tex", LATEX_LINES)
    assert (page.title, page.metadata["author"]) == ("On Tides", "B. Bay")
    assert [(e.kind, e.text) for e in page.elements] == [
        ("heading", "Introduction"),
        ("paragraph", "The tide rises 3.4 metres, see bay,sea and t."),
        ("heading", "Method"),
        ("paragraph", "We measured 40 ports at 5% noise."),
        ("table", "| Port | Rise |\n| --- | --- |\n| Kiel | 0.1 |\n| Emden | 3.2 |"),
        ("paragraph", "Rises"),
        ("list", "1. first\n2. second"),
        ("code", "\\section{not} 50 % x"),
        ("paragraph", "After."),
    ]


def test_latex_in_lines() -> None:
    assert in_lines("a \\section{b {c} d} e").split("\n") == ["a", "\\section{b {c} d}", "e"]
    prose = "\\begin{document}\nOne\ntwo \\emph{three}\n\\vspace{1em}\nfour\n\nfive\n\\item six\nseven\n\\end{document}"
    assert in_lines(prose).split("\n")[1:-1] == [
        "One two \\emph{three}",
        "\\vspace{1em}",
        "four",
        "",
        "five",
        "\\item six seven",
    ]
    math = "\\begin{document}\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\\end{document}"
    assert in_lines(math) == math
    assert in_lines("50\\% of it % but not this").split("\n") == ["50\\% of it "]
    assert in_lines("a\n% only a remark\nb").split("\n") == ["a", "b"]
    assert in_lines("\\section{never closed").split("\n") == ["\\section{never closed"]
    assert in_lines("\\itemize \\begin{equation}x\\end{equation}").split("\n") == [
        "\\itemize",
        "\\begin{equation}",
        "x",
        "\\end{equation}",
    ]
    assert references("\\citep[p. 4]{a, b} \\eqref{c}") == {"a", "b", "c"}
    for text in ("{" * 100_000, "\\section{" * 3_000, "\\begin{table}[" * 3_000):
        assert in_lines(text)
