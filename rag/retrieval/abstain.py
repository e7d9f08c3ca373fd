"""Whether the documents answer a question at all, judged from what was found, before a generator is asked.

A generator that is told to say "not found" also says it to questions that have an answer, so the decision is taken here:
a logistic model over how much of the question the best passages carry. Its features need no corpus statistics: a word is
rare when few of the hits have it, and rarest when none has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import exp, log

from rag.answers import Hit
from rag.language import language_of
from rag.stems import stems
from rag.words import normalise, sentence_spans

READ = 5
"""Hits that are looked at: what a generator would be given."""

WEIGHTS = {
    "en": (0.61, 1.38, 0.27, 0.68, 1.82, -3.05),
    "zh": (1.83, 1.90, 1.70, 1.60, 0.31, -3.99),
}
"""Of best_passage, best_sentences, together, pairs and names, and the bias. Fitted by balanced logistic regression on half
of the articles of SQuAD 2.0 (half of its dev set) and of CMRC 2018, over BM25's first hits; negatives are SQuAD's own
unanswerable questions, and answerable ones whose paragraph, or whole article, was taken out of the hits. AUROC on the
other half (643 English and 311 Chinese answerable questions): English .57 against SQuAD's unanswerable questions, which
were written to look answerable from the very paragraph, so that words can hardly tell, .86 with the paragraph taken out,
.98 with the article taken out; Chinese .94. The agreement of retrievers is not in it: BM25 alone has none."""
THRESHOLD = {"en": 0.30, "zh": 0.15}
"""Below it, the question is not answered: chosen to keep 99 of 100 answerable questions. On the held-out half it keeps .991
in English and .990 in Chinese, and refuses .63 and .50 of the questions whose article is not there, but only .08 of
SQuAD's unanswerable ones. `tuwen eval calibrate` fits it to one's own documents."""
OTHER_LANGUAGE_SCORE = 0.5
"""Least score when most of the best hits are in another language: no shared word is no sign there. A Latin name or a
number of the question that no hit has lowers it by up to half of it."""
PICTURE_SCORE = 0.5
"""Least score of a question for a picture that found pictures: their few words seldom are the question's."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Shares in [0, 1] of the question's weighted content words, and of its names and numbers."""

    best_passage: float
    """In the one passage that has most of them."""
    best_sentences: float
    """In two neighbouring sentences."""
    together: float
    """In all passages looked at."""
    pairs: float
    """Of the question's neighbouring word pairs, in the best passage."""
    names: float
    """Of the question's names and numbers, in the best passage; 1 when it has none."""
    agreement: float
    """Of the hits looked at, how many were found both by words and by meaning."""


_PICTURE = re.compile(
    r"\b(?:pictures?|photos?|photographs?|images?|drawings?|diagrams?|charts?|figures?)\b|图|照片|相片", re.IGNORECASE
)
_ASKING = re.compile(
    r"(?:many|much|find|show|tell|give|name|picture|photo|photograph|image|pictur|imag|[几哪].{0,2}|多少|用了|有没有|是不是|图片|照片|找出|找到)$"
)
"""Words that ask, and that no passage has to have."""
_NAME = {
    "en": re.compile(
        r"(?<!^)(?<![.?!]\s)(?<![A-Za-z0-9])[A-Z][A-Za-z0-9-]+|(?<![A-Za-z0-9])[A-Za-z0-9]*\d[A-Za-z0-9.%-]*"
    ),
    "zh": re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9-]+|\d[A-Za-z0-9.%-]*"),
}
"""In a Chinese question every Latin word is a name."""


def evidence(question: str, hits: Sequence[Hit]) -> Evidence:
    texts = [_read(hit) for hit in hits[:READ]]
    sentences = [[stems(text[start:end]) for start, end in sentence_spans(text)] for text in texts]
    passages = [set(chain.from_iterable(parts)) for parts in sentences]
    asked = [word for word in dict.fromkeys(stems(question)) if not _ASKING.match(word)]
    seen = Counter(word for passage in passages for word in passage & set(asked))
    weight = {word: log(1 + (len(texts) + 1) / (seen[word] + 0.5)) for word in asked}
    total = sum(weight.values()) or 1.0

    def share(words: set[str]) -> float:
        return sum(weight[word] for word in words & weight.keys()) / total

    pairs = set(pairwise(asked))
    wanted = {normalise(name).rstrip(".-") for name in _NAME.get(language_of(question), _NAME["en"]).findall(question)}
    return Evidence(
        max(map(share, passages), default=0.0),
        max((share(window) for parts in sentences for window in _windows(parts)), default=0.0),
        share(set().union(*passages)),
        max((_pair_share(pairs, parts) for parts in sentences), default=0.0),
        max((_name_share(wanted, text) for text in texts), default=0.0),
        _agreement(hits[:READ]),
    )


def score(question: str, hits: Sequence[Hit]) -> float:
    """How likely the hits answer the question, in [0, 1]; 0 without hits."""
    if not hits:
        return 0.0
    language = language_of(question)
    seen = evidence(question, hits)
    weights = WEIGHTS.get(language, WEIGHTS["en"])
    features = (seen.best_passage, seen.best_sentences, seen.together, seen.pairs, seen.names, 1.0)
    value = 1 / (1 + exp(-sum(weight * feature for weight, feature in zip(weights, features, strict=True))))
    best = hits[:READ]
    texts = [hit for hit in best if hit.chunk.kind != "image"]
    foreign = sum(language_of(hit.chunk.text) != language for hit in texts)
    if texts and foreign * 2 > len(texts):
        value = max(value, OTHER_LANGUAGE_SCORE * (0.5 + 0.5 * seen.names))
    if any(hit.chunk.kind == "image" for hit in best) and _PICTURE.search(question):
        value = max(value, PICTURE_SCORE)
    return value


def threshold(question: str, given: float | None = None) -> float:
    """The score below which a question is not answered: the one given, or the fitted one of the question's language."""
    return THRESHOLD.get(language_of(question), THRESHOLD["en"]) if given is None else given


def should_abstain(question: str, hits: Sequence[Hit], given: float | None = None) -> bool:
    return not hits or score(question, hits) < threshold(question, given)


def _read(hit: Hit) -> str:
    return "\n".join((hit.document.name, *hit.chunk.headings, hit.chunk.text))


def _windows(sentences: Sequence[Sequence[str]]) -> list[set[str]]:
    """Words of every two neighbouring sentences, the last one alone."""
    return [set(chain.from_iterable(sentences[place : place + 2])) for place in range(len(sentences))]


def _pair_share(pairs: set[tuple[str, str]], sentences: Sequence[Sequence[str]]) -> float:
    if not pairs:
        return 1.0
    there = {pair for sentence in sentences for pair in pairwise(sentence)}
    return len(pairs & there) / len(pairs)


def _name_share(names: set[str], text: str) -> float:
    if not names:
        return 1.0
    there = normalise(text)
    return sum(name in there for name in names) / len(names)


def _agreement(hits: Sequence[Hit]) -> float:
    both = sum("lexical" in hit.ranks and len(hit.ranks) > 1 for hit in hits)
    return both / len(hits) if hits else 0.0
