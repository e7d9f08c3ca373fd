"""What a run is measured by, one measure a file: its formula, its source, and what it says of the awkward cases.

Two families. Ranking measures look at an ordered list of document ids and at judgements (`ranking` names them all).
Answer measures look at a text, its citations and the expected answers. None of them knows a chunk: chunk ids change with
every chunk size, judgements do not.
"""
