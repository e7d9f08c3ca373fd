"""MathML of web pages as LaTeX, formula by formula."""

from __future__ import annotations

import pytest
from lxml import html

from ingest.parsers.formulas import latex_of_mathml


def math(inside: str, attributes: str = "") -> str:
    return latex_of_mathml(html.fromstring(f"<p><math {attributes}>{inside}</math></p>").find("math"))


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup>", "$E=mc^2$"),
        ("<mi>a</mi><mo>=</mo><mi>b</mi>", "a=b"),
        ("<mfrac><mn>1</mn><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt></mfrac>", r"$\frac{1}{\sqrt{x+1}}$"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", r"$\sqrt[3]{x}$"),
        (
            "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><msub><mi>x</mi><mi>i</mi></msub>",
            r"$\sum_{i=1}^n x_i$",
        ),
        ("<mi>sin</mi><mo>\u2061</mo><mi>x</mi><mo>=</mo><msup><mi>y</mi><mn>2</mn></msup>", r"$\sin x=y^2$"),
        ("<mover><mi>x</mi><mo>¯</mo></mover>", r"$\bar{x}$"),
        ("<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>0</mn></mtd></mtr></mtable>", r"$\begin{matrix} 1 & 0 \end{matrix}$"),
        ("<msup><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mn>2</mn></msup>", "$(a)^2$"),
        # Markup that lacks a part is read for its text.
        ("<mfrac><mn>1</mn></mfrac>", "1"),
        (
            "<semantics><mi>x</mi><annotation encoding='application/x-tex'>\\tfrac{a}{b}</annotation></semantics>",
            r"$\tfrac{a}{b}$",
        ),
    ],
)  # fmt: skip
def test_as_it_is_written(inside: str, expected: str) -> None:
    assert math(inside) == expected


def test_what_the_page_says_itself_is_taken() -> None:
    assert math("<mi>x</mi>", r'alttext="{\displaystyle x^{2}}"') == r"${\displaystyle x^{2}}$"
