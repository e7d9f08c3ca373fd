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

from rag.answers import Hit, Likeness
from rag.language import language_of
from rag.stems import stems
from rag.words import normalise, sentence_spans

READ = 5
"""Hits that are looked at: what a generator would be given."""

THRESHOLD = 0.125
"""Below it, the question is not answered. Every model below is shifted so that 99 of 100 answerable questions of the half it was
fitted on lie above. `tuwen eval calibrate` fits a threshold to one's own documents."""
WORDS = {
    "en": (0.61, 1.38, 0.27, 0.68, 1.82, -4.15),
    "zh": (1.83, 1.90, 1.70, 1.60, 0.31, -4.20),
}
"""Of best_passage, best_sentences, together, pairs and names, and the bias: what is known without vectors. Fitted by balanced logistic
regression on half of the articles of SQuAD 2.0 (half of its dev set) and of CMRC 2018, over BM25's first hits. AUROC on the other half:
English .57 against SQuAD's unanswerable questions, which were written to look answerable from the very paragraph, so that words
can hardly tell, .86 with the paragraph taken out, .98 with the article taken out; Chinese .94."""
WITH_LIKENESS = {
    "multilingual-e5-small": {
        "en": (-1.24, 3.41, -0.67, 0.82, 2.68, 6.22, 8.77, -7.12),
        "zh": (1.19, 7.03, -2.63, 0.70, 1.81, 6.13, 11.87, -7.36),
        "foreign": (0.0, 0.0, 0.0, 0.0, 0.0, 10.79, 13.78, -4.35),
    },
}
"""The same, then best and lead of likeness, and the bias, by the encoder whose cosines they are and by the question's language; `foreign` where
most of the best hits are in another language, so that words say nothing. Fitted on half of the documents of SQuAD 2.0 and XQuAD over hybrid
retrieval, negatives as above. On the other half: AUROC en .68 against SQuAD's unanswerable questions (.58 by words), .88 without the
paragraph, .98 without the article; zh .93 and .99; foreign .76 and .89. At the threshold .97 (en), .98 (zh) and .995 (foreign) of the
answerable questions are kept, and .84, .81 and .08 of those whose article is not there are refused, where words refuse .47, .39 and none.
The bias of `foreign` is on the side of answering: cosines across languages spread more from one collection to the next."""
OTHER_LANGUAGE_SCORE = 0.5
"""Least score by words when most of the best hits are in another language: no shared word is no sign there. A Latin name or a
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


def score(question: str, hits: Sequence[Hit], seen: Likeness | None = None, encoder: str = "") -> float:
    """How likely the hits answer the question, in [0, 1]; 0 without hits. `seen` is what the vectors of `encoder` tell; it counts
    where a model was fitted for this encoder."""
    if not hits:
        return 0.0
    language = language_of(question)
    found = evidence(question, hits)
    words = (found.best_passage, found.best_sentences, found.together, found.pairs, found.names)
    foreign = _mostly_foreign(hits[:READ], language)
    fitted = WITH_LIKENESS.get(encoder)
    if fitted is not None and seen is not None:
        weights = fitted["foreign"] if foreign else fitted.get(language, fitted["en"])
        value = _logistic(weights, (*words, seen.best, seen.lead))
    else:
        value = _logistic(WORDS.get(language, WORDS["en"]), words)
        if foreign:
            value = max(value, OTHER_LANGUAGE_SCORE * (0.5 + 0.5 * found.names))
    if any(hit.chunk.kind == "image" for hit in hits[:READ]) and _PICTURE.search(question):
        value = max(value, PICTURE_SCORE)
    return value


def threshold(given: float | None = None) -> float:
    """The score below which a question is not answered: the one given, or the fitted one."""
    return THRESHOLD if given is None else given


def should_abstain(question: str, hits: Sequence[Hit], given: float | None = None) -> bool:
    return not hits or score(question, hits) < threshold(given)


def _logistic(weights: Sequence[float], features: Sequence[float]) -> float:
    return 1 / (1 + exp(-sum(weight * feature for weight, feature in zip(weights, (*features, 1.0), strict=True))))


def _mostly_foreign(hits: Sequence[Hit], language: str) -> bool:
    texts = [hit for hit in hits if hit.chunk.kind != "image"]
    foreign = sum(language_of(hit.chunk.text) != language for hit in texts)
    return bool(texts) and foreign * 2 > len(texts)


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
