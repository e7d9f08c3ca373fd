"""Words and sentences of English and Chinese text: one segmentation for the lexical index, quotes and checks.

Chinese is cut by jieba's dictionary and hidden Markov model, in its Rust port: the same words as the Python original,
13 times as fast, and loaded in 0.15 s instead of 0.9 s (docs/decisions/0003-segmentation.md).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import rjieba

from rag.language import language_of

# Han characters end a Latin word although they are letters, too: 「PD集群」 is two words.
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN = r"[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
_TOKEN = re.compile(rf"{_HAN.pattern}+|{_LATIN}(?:['’]{_LATIN})?")
_SENTENCE_END = re.compile(r"[。！？；!?]+[”’」』）)\"']*|\.(?=\s|$)[”’)\"']*|\n+")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st no nos vs etc e.g i.e fig figs eq eqs sec ch vol pp al inc ltd co corp u.s u.k jan feb mar apr "
    "jun jul aug sep sept oct nov dec a.m p.m approx dept est".split()
)

STOP_WORDS_EN = frozenset(
    "a about above after again against all also am an and any are as at be because been before being below between both "
    "but by can could did do does doing down during each few for from further had has have having he her here hers him "
    "his how i if in into is it its itself just me more most my no nor not of off on once only or other our out over own "
    "same she should so some such than that the their them then there these they this those through to too under until "
    "up us very was we were what when where which while who whom why will with would you your".split()
)
STOP_WORDS_ZH = frozenset(
    "的 了 和 是 在 有 与 及 或 也 都 就 而 但 被 把 对 从 到 向 于 以 为 之 其 这 那 这个 那个 这些 那些 哪 哪个 哪些 什么 怎么 怎样 如何 为什么 "
    "多少 几 吗 呢 吧 啊 呀 么 我 你 他 她 它 我们 你们 他们 请 请问 个 一个 中 上 下 里 时 等 并 还 又 很 更 最 会 能 可以 可 要 不 没有 没 "
    "因为 所以 如果 虽然 但是 以及 由 由于 用 使用 进行 通过 一些 之间 之后 之前 每 每个 各".split()
)
STOP_WORDS = STOP_WORDS_EN | STOP_WORDS_ZH


def normalise(text: str) -> str:
    """NFKC (full-width forms, ligatures) and case folding."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """Words in order, normalised; Chinese compounds also give their parts (`中国科学院` gives `中国`, `科学院` too)."""
    found: list[str] = []
    for token in _TOKEN.findall(normalise(text)):
        if _HAN.match(token):
            found.extend(rjieba.cut_for_search(token, True))
        else:
            found.append(token.replace("’", "'").removesuffix("'s"))
    return found


def content_words(text: str) -> list[str]:
    """Words that carry meaning: without stop words."""
    return [word for word in words(text) if word not in STOP_WORDS]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, in order, without surrounding white space; together they hold every letter."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group().startswith(".") and _is_abbreviation(text, start, match.start()):
            continue
        _append_span(spans, text, start, match.end())
        start = match.end()
    _append_span(spans, text, start, len(text))
    return spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def _is_abbreviation(text: str, start: int, stop: int) -> bool:
    last = text[max(start, stop - 12) : stop].split()
    word = last[-1].lower().lstrip("([\"'") if last else ""
    # Single letters are initials ("J. Smith"); a figure before the dot is a list number only at the start of a line.
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()) or text[start:stop].strip().isdigit()


def _append_span(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    stripped = piece.strip()
    if stripped:
        spans.append((start + left, start + left + len(stripped)))


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Loads the dictionary (0.15 s) before the first question has to wait for it."""
    words("预热")


__all__ = ["STOP_WORDS", "content_words", "language_of", "normalise", "sentence_spans", "sentences", "warm_up", "words"]
