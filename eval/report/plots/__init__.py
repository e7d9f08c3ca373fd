"""The figures of a report: each a function from numbers to a Plot, drawn by matplotlib as SVG that takes the page's colours."""
