"""What a term is, from sentences that say so: “A Region is a …”, 「Region 是……」, and lists of terms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eval.generate.candidate import Candidate, SourcePassage
from eval.generate.wording import HAN, bare, length, say
from rag.words import sentence_spans

_EN = re.compile(
    r"^(?P<term>(?:(?:A|An|The)\s+)?[^\W\d_][\w’'/\-]*(?:\s+[\w’'/\-]+){0,4}?)(?:\s*\([^)]{2,30}\))?"
    r"(?:,[^,]{3,40},)?\s+(?P<verb>is|are|means|refers to|is defined as|are defined as)\s+"
    r"(?P<meaning>(?:an?|the|any|one|every|each)\s+\S.{15,}|[^\W\d_].{25,})$",
    re.DOTALL,
)
_ZH = re.compile(
    r"^(?P<term>[^，。；：、！？\s“”《》（）]{1,10}(?:\s?[A-Za-z][\w\-]*)?|[A-Za-z][\w \-]{1,25})\s?(?:[（(][^）)]{1,30}[）)])?\s?"
    r"(?P<verb>是指|指的是|是一[种个类款套项组条张座门段家份位支部块片台]|即为|是由|定义为)(?P<meaning>.{6,})$",
    re.DOTALL,
)
_ITEM = re.compile(r"^[-•*]\s+(?P<term>[^:：\n]{2,30}?)\s?[:：]\s*(?P<meaning>\S.{8,300})$", re.MULTILINE)
_NO_ITEM = re.compile(
    r"[。，；,;?？【】\[\]]|https?$|^\W*\d|^(?:示|例|图|表|注|(?:note|example|figure|table|see)\b)", re.IGNORECASE
)

# “This is a …” defines nothing that a question could name.
_NO_TERM_EN = frozenset(
    "it its this that these those there they he she we you i who what which here such one some each both all most many "
    "another other following above below latter former result reason purpose goal focus first second third next last "
    "example note figure table exhibit step addition part problem question answer point idea number total same only main "
    "key important rest difference advantage also included when if while although because thus therefore however since".split()
)
_NO_TERM_ZH = re.compile(
    r"[这那此其该它他她们本我你您谁]|以[上下]|[上下前后]面|为|有|如果|因|所以|但|而|就|都|也|并|只|不|可以|时候?$|的$|目的|原因|结果|方式$|需要|注意|问题$|例如|图$|表$|就$|会$|总结|一般|通常|另"
)
_NO_MEANING_EN = re.compile(
    r"^(?:also|not|now|still|often|usually|already|only|being|able|based|used|expected|required|made|done|shown|listed|given|"
    r"intended|designed|responsible|available|important|necessary|likely|subject|due|more|less|very|\w+ed\b|\w+ing\b|\d)",
    re.IGNORECASE,
)


def definitions(passage: SourcePassage) -> Iterator[Candidate]:
    if passage.kind == "image":
        return
    chinese = passage.language == "zh"
    for start, end in sentence_spans(passage.text):
        sentence = passage.text[start:end]
        if "|" in sentence or length(sentence) > 60:
            continue
        found = _chinese(sentence) if chinese else _english(sentence)
        if found:
            question, answer = found
            yield Candidate(question, answer, "definition", passage, (start, end))
    yield from _items(passage)


def _english(sentence: str) -> tuple[str, str] | None:
    match = _EN.match(sentence)
    if match is None:
        return None
    term, meaning, verb = match["term"], match["meaning"].rstrip(" ."), match["verb"]
    words = term.split()
    article = words[0].lower() if words[0].lower() in {"a", "an", "the"} else ""
    core = words[1:] if article else words
    if not core or {word.lower().strip("’'") for word in core} & _NO_TERM_EN:
        return None
    plain = verb in {"is", "are"}
    if not article and re.search(r"(?:ing|ed)$", core[0]):
        return None  # “Underlying the work is a …”
    # “The dome is a …” means one that was spoken of before, unless it has a name.
    if verb == "means" and meaning.startswith("that"):
        return None
    named = any(word[:1].isupper() for word in (core if article or len(core) == 1 else core[1:]))
    if not named and article not in {"a", "an"}:
        return None
    if plain and not re.match(r"(?:an?|the|any|one)\s", meaning):
        return None
    if _NO_MEANING_EN.match(re.sub(r"^(?:an?|the|any|one)\s+", "", meaning)) and plain:
        return None
    asked = f"{article} {' '.join(core)}".strip()
    return say("en", "define.many" if verb.startswith("are") else "define", term=asked), meaning


def _chinese(sentence: str) -> tuple[str, str] | None:
    match = _ZH.match(sentence)
    if match is None or _NO_TERM_ZH.search(match["term"]):
        return None
    term = match["term"].strip()
    verb = match["verb"]
    meaning = (verb.removeprefix("是") if verb.startswith("是一") or verb == "是由" else "") + match["meaning"]
    spaced = f" {term}" if not HAN.match(term) else term
    return say("zh", "define", term=spaced + (" " if not HAN.match(term[-1]) else "")).replace(
        " ？", "？"
    ), meaning.rstrip("。；;")


def _items(passage: SourcePassage) -> Iterator[Candidate]:
    place = bare(passage.headings[-1]) if passage.headings else ""
    if not place or place == passage.called:
        return
    for match in _ITEM.finditer(passage.text):
        term, meaning = match["term"].strip(" *_`"), match["meaning"].strip()
        if not 0 < length(term) <= 6 or not 4 <= length(meaning) <= 50 or _NO_ITEM.search(term):
            continue
        question = say(passage.language, "item", term=term, place=place, called=passage.called)
        yield Candidate(question, meaning, "definition", passage, match.span(), variables=(term,))
