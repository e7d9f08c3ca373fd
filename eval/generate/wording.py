"""How questions made by rules are worded, in English and Chinese, and small judgements about words."""

from __future__ import annotations

import re

from rag.stems import stems

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|appendix|part)\s+[\dIVX]+[.:：]?\s+|\d+(?:\.\d+)*[.)、]?\s+|[A-Z][.)]\s+|[(（]\w{1,3}[)）]\s*"
    r"|第?[一二三四五六七八九十百]+[章节、.]\s*|[IVX]{1,5}\.\s+)",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"^[\s~≈<>≥≤±$€¥£+\-–—]*\d[\d,.:/\s%‰–—\-]*[^\W\d_]{0,4}\.?%?$")

TEXTS = {
    "en": {
        "define": "What is {term}?",
        "define.many": "What are {term}?",
        "define.in": "What does “{term}” mean in “{place}”?",
        "heading": "What does “{called}” say about “{heading}”?",
        "place": "“{own}”",
        "place.in": "“{called}”, under “{own}”",
        "cell": "In {place}, what is the {column} for {row}?",
        "cell.count": "In {place}, how many {column} are given for {row}?",
        "cell.year": "In {place}, what is the figure for {row} in {column}?",
        "cell.asks": "In {place}, what is given for {row} under “{column}”?",
        "label": "In “{called}”, what is given as “{label}”?",
        "label.under": "In “{called}”, what is given as “{label}” under “{place}”?",
        "figure": "What does {number} in “{called}” show?",
        "item": "In “{called}”, what is said of “{term}” under “{place}”?",
    },
    "zh": {
        "define": "什么是{term}？",
        "define.many": "什么是{term}？",
        "define.in": "“{place}”中的“{term}”是什么意思？",
        "heading": "《{called}》对“{heading}”是怎么说的？",
        "place": "“{own}”",
        "place.in": "《{called}》的“{own}”",
        "cell": "在{place}中，“{row}”的“{column}”是什么？",
        "cell.count": "在{place}中，“{row}”的“{column}”是多少？",
        "cell.year": "在{place}中，“{row}”{column}是多少？",
        "cell.asks": "在{place}中，“{row}”{column}？",
        "label": "《{called}》中的“{label}”是什么？",
        "label.under": "《{called}》的“{place}”中，“{label}”是什么？",
        "figure": "《{called}》中的{number} 画的是什么？",
        "item": "《{called}》在“{place}”中是怎样说明“{term}”的？",
    },
}


def say(language: str, key: str, **values: str) -> str:
    return TEXTS["zh" if language == "zh" else "en"][key].format(**values)


def bare(heading: str) -> str:
    """A heading without its number, its colon and its white space."""
    return _NUMBERING.sub("", " ".join(heading.split())).strip(" :：.[]【】*").strip()


def lowered(text: str) -> str:
    """A heading inside a sentence: its first word in lower case, unless it is a name or an abbreviation."""
    first, _, rest = text.partition(" ")
    following = rest.split()
    titled = sum(word[:1].isupper() for word in following if len(word) > 3)
    if first[1:].islower() and first[:1].isupper() and not titled:
        return first.lower() + (f" {rest}" if rest else "")
    return text


def has_letters(text: str) -> bool:
    return bool(_LETTER.search(text))


def is_number(text: str) -> bool:
    """A quantity with or without a unit: `1,067`, `81.4 %`, `20 t`, `600 秒`."""
    return bool(_NUMERIC.match(text.strip()))


def length(text: str) -> int:
    """Words of English, half the characters of Chinese: about the same for the same meaning."""
    return (len(HAN.findall(text)) + 1) // 2 + len(re.findall(r"[^\W_\u3400-\u9fff]+", text))


def recall(wanted: str, text: str) -> float:
    """Share of the words of `wanted` that stand in `text`; 1 for one without words."""
    asked = set(stems(wanted))
    return len(asked & set(stems(text))) / len(asked) if asked else 1.0
