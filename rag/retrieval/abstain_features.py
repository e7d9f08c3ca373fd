"""What can be told of a question and the passages found for it, without a model: which of its words they have, how near together, and what
in the sentences that come nearest contradicts it.

A question that the documents almost answer shares its words with them. What gives it away is a name that the nearest sentences lack, a
negation of its own, an opposite (`largest` for `smallest`, `known` for `unknown`), or that nothing of the kind that is asked for stands there.
No statistics of the collection are needed: a word is rare when few of the hits have it, and rarest when none has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import log

from rag.answers import Hit
from rag.language import language_of
from rag.retrieval.abstain_opposites import opposite_there
from rag.retrieval.directions import turned
from rag.stems import stem
from rag.words import STOP_WORDS, normalise, sentence_spans, words

READ = 5
"""Hits that are looked at: what a generator would be given."""
NEAREST = 3
"""Sentences that are held against the question, at most NEAREST_CHARACTERS of them together."""
NEAREST_CHARACTERS = 520
WINDOW = 8
"""Content words in a row that count as near together."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Shares in [0, 1] unless said otherwise. The words of a question are its content words, weighted by how rare they are among the hits;
    `nearest` are the sentences that have most of them."""

    best_passage: float
    """In the one passage that has most of them."""
    best_sentences: float
    """In two neighbouring sentences."""
    best_sentence: float
    """In one sentence."""
    second_sentence: float
    """In the next best one."""
    first_hit: float
    """In one sentence of the first hit."""
    window: float
    """Within WINDOW content words of one of the first three hits."""
    together: float
    """In all passages looked at."""
    pairs: float
    """Of the question's neighbouring word pairs, in the best passage."""
    names: float
    """Of the question's names and numbers, in the best passage; 1 when it has none."""
    agreement: float
    """Of the hits looked at, how many were found both by words and by meaning."""
    exact: float
    """Of the words as they are written, in the nearest sentences."""
    rarest_missing: float
    """Weight of the rarest word that the nearest sentences lack."""
    absent: float
    """Words that no hit has, all weighing alike."""
    name_missing: float
    """1 when a name of the question is not in the nearest sentences."""
    number_missing: float
    """1 when a number of the question is in no hit."""
    name_count: float
    """Names in the question, up to five, as a share of five."""
    negated: float
    """1 when the question is negated."""
    negated_alone: float
    """1 when it is and the nearest sentences are not."""
    negation_there: float
    """1 when they are and it is not."""
    denial_missing: float
    """1 when the question has a word of refusing or failing that they lack."""
    opposite: float
    """1 when they have the opposite of one of its words and not the word."""
    kind_missing: float
    """1 when a person, a place, a time or a number is asked for and the best sentence and its neighbours have none that is not in the question."""
    new_names: float
    """Names in the nearest sentences that the question does not have, up to six, as a share of six."""
    length: float
    """Words of the question, up to forty, as a share of forty."""


PICTURE = re.compile(
    r"\b(?:pictures?|photos?|photographs?|images?|drawings?|diagrams?|charts?|figures?)\b|图|照片|相片", re.IGNORECASE
)
"""A question for a picture."""
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
_PROPER = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w-]+")
_NUMBER = re.compile(r"\d[\d.,]*")
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|neither|nor|without|cannot|except|nobody|nothing)\b|n['’]t\b|不(?!同|仅|但|断|久|少|过)|没有?|未(?!来)|并非|除了?.{1,8}[外还]",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:fail|refus|lack|stop|ceas|prevent|avoid|exclud|unable|unlike|other than|instead of|least|fewest|lowest|worst|reject|den(?:y|ied)"
    r"|oppos|disallow|forb|prohibit|disagree|lose|lost)\w*\b|拒绝|失败|缺乏|停止|阻止|避免|排除|反对|禁止|失去",
    re.IGNORECASE,
)
_ASKED_KINDS = (
    (re.compile(r"\bwho(?:m|se)?\b|\bwhere\b|\bwhat (?:country|city|state|place)\b", re.IGNORECASE), _PROPER),
    (
        re.compile(
            r"\bwhen\b|\b(?:what|which) (?:year|date)\b|\bhow (?:many|much|long|old|far|tall|high|large|big)\b|\bwhat (?:percent\w*|number)\b"
            r"|何时|什么时候|[哪几]一?年|多少|多[长大高远]|第?几",
            re.IGNORECASE,
        ),
        re.compile(r"\d[\d.,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|million|half|once|twice)\b|[一二三四五六七八九十百千万两]", re.IGNORECASE),
    ),
)  # fmt: skip
"""What a question asks for, and what has to stand near to answer it."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    words: frozenset[str]
    stems: tuple[str, ...]


def evidence(question: str, hits: Sequence[Hit]) -> Evidence:
    hits = hits[:READ]
    texts = [_read(hit) for hit in hits]
    read = [[_sentence(text[start:end]) for start, end in sentence_spans(text)] for text in texts]
    passages = [set(chain.from_iterable(sentence.stems for sentence in one)) for one in read]
    asking = _sentence(question)
    asked = [word for word in dict.fromkeys(asking.stems) if not _ASKING.match(word)]
    seen = Counter(word for passage in passages for word in passage & set(asked))
    weight = {word: log(1 + (len(texts) + 1) / (seen[word] + 0.5)) for word in asked}
    total = sum(weight.values()) or 1.0

    def share(found: set[str] | frozenset[str]) -> float:
        return sum(weight[word] for word in found & weight.keys()) / total

    alone = [[share(frozenset(sentence.stems)) for sentence in one] for one in read]
    ordered = sorted(chain.from_iterable(alone), reverse=True)
    nearest = _nearest(read, alone, [share(passage) for passage in passages])
    near_text = " ".join(sentence.text for sentence in nearest)
    near_words = frozenset(chain.from_iterable(sentence.words for sentence in nearest))
    near_stems = frozenset(chain.from_iterable(sentence.stems for sentence in nearest))
    wanted = {normalise(name).rstrip(".-") for name in _NAME.get(language_of(question), _NAME["en"]).findall(question)}
    pairs = set(pairwise(asked))
    everything = normalise(" ".join(texts))
    proper = {name.casefold() for name in _PROPER.findall(question)}
    own = {name.casefold() for name in re.findall(r"\w[\w-]*", question)}
    content = [word for word in asking.words if word not in STOP_WORDS]
    negated, negated_there = bool(_NEGATION.search(question)), bool(_NEGATION.search(near_text))
    near_folded = near_text.casefold()
    return Evidence(
        best_passage=max(map(share, passages), default=0.0),
        best_sentences=max((share(window) for one in read for window in _windows(one)), default=0.0),
        best_sentence=max(ordered, default=0.0),
        second_sentence=ordered[1] if len(ordered) > 1 else 0.0,
        first_hit=max(alone[0], default=0.0) if alone else 0.0,
        window=max((_densest(one, weight) for one in read[:3]), default=0.0) / total,
        together=share(set().union(*passages)),
        pairs=max((_pair_share(pairs, one) for one in read), default=0.0),
        names=max((_name_share(wanted, text) for text in texts), default=0.0),
        agreement=_agreement(hits),
        exact=sum(word in near_words for word in content) / len(content) if content else 1.0,
        rarest_missing=max((weight[word] for word in asked if word not in near_stems), default=0.0) / total,
        absent=sum(not seen[word] for word in asked) / len(asked) if asked else 0.0,
        name_missing=float(any(name not in near_folded for name in proper)),
        number_missing=float(any(number.rstrip(".,") not in everything for number in _NUMBER.findall(question))),
        name_count=min(5, len(proper)) / 5,
        negated=float(negated),
        negated_alone=float(negated and not negated_there),
        negation_there=float(negated_there and not negated),
        denial_missing=float(bool({w.casefold() for w in _DENIAL.findall(question)} - {w.casefold() for w in _DENIAL.findall(near_text)})),
        opposite=float(bool(nearest) and (turned(question, near_text) or opposite_there(asking.words, near_words))),
        kind_missing=float(_kind_missing(question, own, _surroundings(read, alone))),
        new_names=min(6, len({name.casefold() for name in _PROPER.findall(near_text)} - own)) / 6,
        length=min(40, len(asking.words)) / 40,
    )  # fmt: skip


def _sentence(text: str) -> _Sentence:
    found = words(text)
    return _Sentence(text, frozenset(found), tuple(stem(word) for word in found if word not in STOP_WORDS))


def _read(hit: Hit) -> str:
    return "\n".join((hit.document.name, *hit.chunk.headings, hit.chunk.text))


def _nearest(
    read: Sequence[Sequence[_Sentence]], alone: Sequence[Sequence[float]], passages: Sequence[float]
) -> list[_Sentence]:
    """The sentences with most of the question's words, their own and some of their neighbours' and of the passage's; in the order of the text."""
    scored = []
    for hit, shares in enumerate(alone):
        for place, own in enumerate(shares):
            beside = max(shares[place - 1] if place else 0.0, shares[place + 1] if place + 1 < len(shares) else 0.0)
            scored.append((own + 0.3 * beside + 0.5 * passages[hit] - 0.05 * hit, hit, place))
    chosen: list[tuple[int, int]] = []
    length = 0
    for _, hit, place in sorted(scored, key=lambda item: (-item[0], item[1], item[2])):
        added = len(read[hit][place].text)
        if chosen and length + added > NEAREST_CHARACTERS:
            continue
        chosen.append((hit, place))
        length += added
        if len(chosen) == NEAREST:
            break
    return [read[hit][place] for hit, place in sorted(chosen)]


def _surroundings(read: Sequence[Sequence[_Sentence]], alone: Sequence[Sequence[float]]) -> str:
    """The sentence with most of the question's words, and those beside it."""
    _, hit, place = min(
        ((-own, hit, place) for hit, shares in enumerate(alone) for place, own in enumerate(shares)), default=(0, 0, 0)
    )
    return " ".join(sentence.text for sentence in read[hit][max(0, place - 1) : place + 2]) if read else ""


def _windows(sentences: Sequence[_Sentence]) -> Iterator[set[str]]:
    """Words of every two neighbouring sentences, the last one alone."""
    for place in range(len(sentences)):
        yield set(chain.from_iterable(sentence.stems for sentence in sentences[place : place + 2]))


def _densest(sentences: Sequence[_Sentence], weight: Mapping[str, float]) -> float:
    """The most weight of different words within WINDOW words in a row."""
    flat = [stem_ for sentence in sentences for stem_ in sentence.stems]
    places = [place for place, word in enumerate(flat) if word in weight]
    return max(
        (sum(weight[word] for word in {*flat[start : start + WINDOW]} & weight.keys()) for start in places), default=0.0
    )


def _kind_missing(question: str, own: set[str], near: str) -> bool:
    for asks, answers in _ASKED_KINDS:
        if asks.search(question):
            return all(found.casefold().rstrip(".,") in own for found in answers.findall(near))
    return False


def _pair_share(pairs: set[tuple[str, str]], sentences: Sequence[_Sentence]) -> float:
    if not pairs:
        return 1.0
    there = {pair for sentence in sentences for pair in pairwise(sentence.stems)}
    return len(pairs & there) / len(pairs)


def _name_share(names: set[str], text: str) -> float:
    if not names:
        return 1.0
    there = normalise(text)
    return sum(name in there for name in names) / len(names)


def _agreement(hits: Sequence[Hit]) -> float:
    both = sum("lexical" in hit.ranks and len(hit.ranks) > 1 for hit in hits)
    return both / len(hits) if hits else 0.0
