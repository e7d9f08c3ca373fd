"""Which measures a run computes beside the usual ones: `--metrics ndcg@20,bleu,similarity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import answers, ranking
from rag.errors import BadRequest

SIMILARITY = "similarity"
"""Needs all answers of a run, and the text encoder: computed at its end."""
JUDGE = "judge"
"""Faithfulness, answer relevance, context precision and recall, by the generator: several of its answers for each question."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Names of the measures of a ranking and of an answer's text, and whether meanings are compared and a judge
    is asked, too."""

    ranking: tuple[str, ...] = ranking.DEFAULT
    answers: tuple[str, ...] = answers.DEFAULT
    similarity: bool = False
    judge: bool = False

    @property
    def names(self) -> list[str]:
        return [*self.ranking, *self.answers, *[SIMILARITY] * self.similarity, *[JUDGE] * self.judge]


USUAL = Measures()


def choose(more: Sequence[str] = ()) -> Measures:
    """The usual measures and `more`. Raises BadRequest for a name that means nothing."""
    rankings, texts = list(ranking.DEFAULT), list(answers.DEFAULT)
    for name in dict.fromkeys(more):
        if name in answers.MEASURES:
            texts += [] if name in texts else [name]
        elif name in (SIMILARITY, JUDGE):
            continue
        else:
            _check(name)
            rankings += [] if name in rankings else [name]
    return Measures(tuple(rankings), tuple(texts), SIMILARITY in more, JUDGE in more)


def _check(name: str) -> None:
    try:
        ranking.parse(name)
    except BadRequest as error:
        known = ", ".join([*(f"{one}@k" for one in ranking.MEASURES), *answers.MEASURES, SIMILARITY, JUDGE])
        raise BadRequest(f"There is no measure {name!r}.", f"Name some of {known}.") from error
