"""What a question asks for, without what it says it does not ask for.

"While the People Group has departments like Total Rewards, what is the process, not a department, by which leaders are found?" has more
of the page about departments than of the one about the process, and neither words nor vectors read the "not" (NevIR: Weller, Lawrie and
Van Durme 2024, arXiv:2305.07614; ExcluIR: Zhang et al. 2024, arXiv:2404.17288). So such a question is searched for a second time without
what it sets aside. By rules of two languages (rag/retrieval/exclusion_rules.py), which cut only where the words say so, and where what is
left still says something: the question as it was written counts as much.
"""

from __future__ import annotations

import re
from itertools import chain

from rag.language import language_of
from rag.retrieval.exclusion_rules import CHINESE, ENGLISH, Rules
from rag.words import content_words, sentences

LEAST_WORDS = 3
"""Words of content that have to be left."""
_LONGEST = 1_000
"""Characters; what is longer is a text. The rules take 0.1 to 0.2 ms for a question, and some 10 ms for the worst of this length."""

_SEMICOLON = re.compile(r"(?<=;)\s+(?=\S)|(?<=；)\s*(?=\S)")


def without_exclusions(question: str) -> str:
    """The question without what it excludes; empty where it excludes nothing, or where too little would be left."""
    if len(question) > _LONGEST:
        return ""
    rules = CHINESE if language_of(question) == "zh" else ENGLISH
    parts = _sentences(_tidy(question), rules)
    asking = [one for one in parts if rules.asks.search(one) and not _denied(one, rules)]
    # In a question of kinds ("which term, not a department, …") what was said before is what it is not about.
    told_apart = any(rules.excludes(one) or rules.turns.match(one) for one in asking)
    last = max((place for place, one in enumerate(parts) if one in asking), default=len(parts))
    alone = told_apart or _stands_alone(" ".join(asking), rules)
    kept = [
        _shortened(one, rules) if one in asking else _cut(one, rules)
        for place, one in enumerate(parts)
        if one in asking
        or not asking
        or not (alone or rules.aside.search(one) or (place > last and rules.added.search(one)))
    ]
    left = _tidy(rules.between.join(filter(None, kept)))
    return "" if _bare(left) == _bare(question) or len(content_words(left)) < LEAST_WORDS else left


def _sentences(text: str, rules: Rules) -> list[str]:
    """Also what semicolons divide. What ends inside brackets is no sentence, and what stands in brackets behind one is part of it."""
    found: list[str] = []
    begun = ""
    for piece in chain.from_iterable(_SEMICOLON.split(one) for one in sentences(text)):
        if found and not begun and piece.startswith(("(", "（")):
            found[-1] += rules.between + piece
            continue
        begun = f"{begun}{rules.between}{piece}".strip()
        whole = all(
            begun.count(opened) <= begun.count(closed) for opened, closed in ("《》", "“”", "()", "（）", "「」")
        )
        if whole and (begun[-1:] in "?？" or len(content_words(begun)) >= LEAST_WORDS):
            found.append(begun)
            begun = ""
    return [*found, begun] if begun else found


def _stands_alone(asking: str, rules: Rules) -> bool:
    return rules.refers.search(asking) is None and len(content_words(asking)) > LEAST_WORDS


def _denied(sentence: str, rules: Rules) -> bool:
    """Whether it names what is asked only to say that it is not."""
    denied = rules.denies.search(sentence)
    return denied is not None and rules.starts.search(sentence, denied.end()) is None


def _shortened(sentence: str, rules: Rules) -> str:
    """Of a sentence that asks: its own clause, without those that exclude."""
    sentence = rules.turns.sub("", sentence)
    excludes = rules.excludes(sentence)
    first = rules.aside.search(sentence)
    concedes = excludes and rules.concedes.match(sentence)
    starts = list(rules.starts.finditer(sentence))
    for start in sorted(starts, key=lambda one: rules.relative.match(sentence, one.end()) is not None):
        if concedes or (first and first.end() <= start.start()):
            sentence = _enough(sentence[start.end() :], sentence)
            break
    sentence = _cut(sentence, rules)
    said = rules.aside.search(sentence)
    if said:
        # It may speak of the clause before it, so that all goes which follows the one that asks.
        end = rules.breaks.search(sentence, _last(rules.asks, sentence[: said.start()]))
        if end and end.start() <= said.start():
            sentence = _enough(sentence[: end.start()], sentence)
    return sentence


def _cut(sentence: str, rules: Rules) -> str:
    for clause in rules.clauses:
        sentence = _enough(clause.sub("", sentence), sentence)
    return sentence


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((found.end() for found in pattern.finditer(text)), default=len(text))


def _enough(shorter: str, sentence: str) -> str:
    return shorter if len(content_words(shorter)) >= LEAST_WORDS else sentence


def _tidy(text: str) -> str:
    return re.sub(r"\s+(?=[,.?？，。])", "", re.sub(r"\s+", " ", text)).strip(" ,，;；:：、")


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text)
