"""The order in which trec_eval reads a run: by score, and equal scores by document id, both descending.

Source: `form_res_rels.c` of trec_eval (NIST). Scores are single precision there, so two scores that differ only beyond
it are equal; without the same rounding a tie would be broken differently from every published figure.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def trec_order(scores: Mapping[str, float]) -> list[str]:
    """Document ids, best first."""
    # Ids compare as bytes (strcmp); UTF-8 keeps the order of code points, so Python's comparison of texts is the same.
    return sorted(scores, key=lambda document: (np.float32(scores[document]), document), reverse=True)
