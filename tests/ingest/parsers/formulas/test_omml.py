"""Office Math as LaTeX, formula by formula."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ingest.parsers.formulas import latex_of_omml

NAMESPACE = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def r(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def math(inside: str) -> str:
    return latex_of_omml(etree.fromstring(f'<m:oMath xmlns:m="{NAMESPACE}">{inside}</m:oMath>'))


SQUARE = f"<m:sSup><m:e>{r('x')}</m:e><m:sup>{r('2')}</m:sup></m:sSup>"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (r("E = m") + f"<m:sSup><m:e>{r('c')}</m:e><m:sup>{r('2')}</m:sup></m:sSup>", "$E = mc^2$"),
        (r("a = b"), "a = b"),
        ("", ""),
        (f"<m:f><m:num>{r('1')}</m:num><m:den>{SQUARE}</m:den></m:f>", r"$\frac{1}{x^2}$"),
        (f"<m:f><m:fPr><m:type m:val='noBar'/></m:fPr><m:num>{r('n')}</m:num><m:den>{r('k')}</m:den></m:f>", r"$\binom{n}{k}$"),
        (f"<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>{r('2')}</m:e></m:rad>", r"$\sqrt{2}$"),
        (f"<m:rad><m:deg>{r('3')}</m:deg><m:e>{r('x')}</m:e></m:rad>", r"$\sqrt[3]{x}$"),
        (
            f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{r('i=1')}</m:sub><m:sup>{r('n')}</m:sup><m:e>{SQUARE}</m:e></m:nary>",
            r"$\sum_{i=1}^n x^2$",
        ),
        (f"<m:nary><m:sub>{r('0')}</m:sub><m:sup>{r('1')}</m:sup><m:e>{r('f')}</m:e></m:nary>", r"$\int_0^1 f$"),
        (f"<m:d><m:e>{SQUARE}</m:e></m:d>", "$(x^2)$"),
        (f"<m:d><m:dPr><m:begChr m:val='|'/><m:endChr m:val='|'/></m:dPr><m:e>{SQUARE}</m:e></m:d>", "$|x^2|$"),
        (
            f"<m:m><m:mr><m:e>{r('1')}</m:e><m:e>{r('0')}</m:e></m:mr><m:mr><m:e>{r('0')}</m:e><m:e>{r('1')}</m:e></m:mr></m:m>",
            r"$\begin{matrix} 1 & 0 \\ 0 & 1 \end{matrix}$",
        ),
        (f"<m:func><m:fName>{r('sin')}</m:fName><m:e>{r('x')}</m:e></m:func>", r"$\sin x$"),
        (
            f"<m:func><m:fName><m:limLow><m:e>{r('lim')}</m:e><m:lim>{r('n→∞')}</m:lim></m:limLow></m:fName><m:e>{r('a')}</m:e></m:func>",
            r"$\lim_{n→∞} a$",
        ),
        (f"<m:acc><m:e>{r('p')}</m:e></m:acc>", r"$\hat{p}$"),
        (f"<m:sSubSup><m:e>{r('x')}</m:e><m:sub>{r('i')}</m:sub><m:sup>{r('10')}</m:sup></m:sSubSup>", "$x_i^{10}$"),
        (f"<m:sPre><m:sub>{r('6')}</m:sub><m:sup>{r('14')}</m:sup><m:e>{r('C')}</m:e></m:sPre>", "${}_6^{14}C$"),
        (f"<m:unknown><m:e>{SQUARE}</m:e></m:unknown>", "$x^2$"),
    ],
)  # fmt: skip
def test_as_it_is_written(inside: str, expected: str) -> None:
    assert math(inside) == expected


_tree = st.recursive(
    st.text("abcxyz0123456789", min_size=1, max_size=5).map(r),
    lambda inside: st.one_of(
        st.builds(lambda a, b: f"<m:f><m:num>{a}</m:num><m:den>{b}</m:den></m:f>", inside, inside),
        st.builds(lambda a, b: f"<m:sSup><m:e>{a}</m:e><m:sup>{b}</m:sup></m:sSup>", inside, inside),
        st.builds(lambda a: f"<m:rad><m:e>{a}</m:e></m:rad>", inside),
        st.builds(lambda a, b: f"<m:d><m:e>{a}</m:e><m:e>{b}</m:e></m:d>", inside, inside),
        st.lists(inside, max_size=3).map("".join),
    ),
    max_leaves=12,
)


@given(_tree)
def test_nothing_is_lost_and_braces_close(inside: str) -> None:
    written = math(inside)
    root = etree.fromstring(f'<m:oMath xmlns:m="{NAMESPACE}">{inside}</m:oMath>')
    said = "".join("".join(root.itertext()).split())
    kept = written.replace(r"\frac", "").replace(r"\sqrt", "")
    assert "".join(sign for sign in kept if sign.isalnum()) == said
    assert written.count("{") == written.count("}")


def test_a_formula_that_is_nested_without_end_is_read_as_text() -> None:
    deep = "<m:rad><m:e>" * 400 + r("x") + "</m:e></m:rad>" * 400
    parser = etree.XMLParser(huge_tree=True)
    assert "x" in latex_of_omml(etree.fromstring(f'<m:oMath xmlns:m="{NAMESPACE}">{deep}</m:oMath>', parser))
