"""Formulas of Office documents (OMML) and of web pages (MathML) as LaTeX, so that x² is not read as x2 and a fraction not as one number."""

from ingest.parsers.formulas.mathml import latex_of_mathml
from ingest.parsers.formulas.omml import latex_of_omml

__all__ = ["latex_of_mathml", "latex_of_omml"]
