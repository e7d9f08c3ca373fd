"""By which words English and Chinese questions say what they do not ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    between: str
    """What stands between two sentences."""
    asks: re.Pattern[str]
    denies: re.Pattern[str]
    """A sentence that names a question in order not to ask it."""
    refers: re.Pattern[str]
    """What a sentence has that cannot be understood without another."""
    aside: re.Pattern[str]
    """What says that something is not meant."""
    added: re.Pattern[str]
    """What a sentence has that is said after the question, to keep something out of it."""
    starts: re.Pattern[str]
    """Where the clause that asks begins, behind another."""
    relative: re.Pattern[str]
    """How a clause may begin that only looks like one that asks."""
    breaks: re.Pattern[str]
    """Where a clause ends."""
    concedes: re.Pattern[str]
    """How a clause begins that may tell what is not meant, or a time, or a reason."""
    turns: re.Pattern[str]
    kinds: tuple[re.Pattern[str], ...]
    """Clauses that tell one kind of thing from another: a term that is not a department. What something does not do is no exclusion: "laws
    that were not improved for 3,000 years" are found by it."""
    further: tuple[re.Pattern[str], ...]
    """Other clauses that exclude."""

    @property
    def clauses(self) -> tuple[re.Pattern[str], ...]:
        return (*self.kinds, *self.further)

    def excludes(self, sentence: str) -> bool:
        return any(kind.search(sentence) for kind in self.kinds)


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _any(*patterns: str) -> re.Pattern[str]:
    return _of("|".join(patterns))


_AUXILIARY = r"(?:is|are|was|were|be|do|does|did|has|have|had|can|could|will|would|should)"
_IS_NOT = r"\b(?:is|are|was|were)(?:n['’]t|\s+not)\s+"
_KIND = (
    rf"(?:{_IS_NOT}(?:an?|the|one|part|related|connected|associated|focused|concerned|about|for|among|considered)\b|{_IS_NOT}['\"‘“]"
    r"|\b(?:do|does|did)(?:n['’]t|\s+not)\s+(?:\w+ly\s+)?(?:relate|refer|belong|pertain|concern|deal)\b)"
)
_WH = r"(?:(?:in|on|at|for|from|by|to|of|with)\s+)?(?:what|which|who|whom|whose|why|how|when|where)\b"
_REQUEST = r"(?:name|list|find|show|tell|give|describe|explain)\b"
_ADDS = r"(?![^?]*\b(?:else|other|others|another|also|additional)\b)"
"""Not "besides A, what else …": the passage that answers has A, too."""
_REST = r"[^?.;]*(?=[?.;]|$)"

ENGLISH = Rules(
    between=" ",
    asks=_of(rf"\?|^{_WH}|^{_AUXILIARY}\b|^{_REQUEST}|\bplease\b"),
    denies=_any(
        rf"\b{_AUXILIARY}(?:n['’]t|\s+not)\s+(?:\w+ly\s+)?(?:ask|asking|need|want|mean|care|interested|looking|after)\b",
        r"\bi['’]m\s+not\s+(?:asking|interested|looking|after|talking)\b",
        r"\b(?:never\s+mind|forget|ignore|skip)\b",
        r"\bof\s+no\s+interest\b",
        r"\bnot\s+(?:who|what|which|when|where|how|why|whether)\b",
    ),
    refers=_of(
        r"\b(?:its?|they|them|their|this|these|those|he|she|him|his|hers?|there|such|same|former|latter|another)\b"
    ),
    aside=_any(
        r"\bnever\s*mind\b",
        r"(?:^|[,;:]\s*|\b(?:so|and|but|please|just|can|to)\s+)(?:forget|ignore|skip)\s+(?:about|the|that|those|these|any|all|[a-z]*['’]s)\b",
        r"(?:^|[,;]\s*)(?:forgetting|ignoring|skipping)\b",
        r"\b(?:can|should|may|could)\s+be\s+(?:ignored|skipped|left\s+out|left\s+aside)\b",
        r"\b(?:leav|sett|putt?)(?:e|ing)?\s+(?:\S+\s+){0,8}?(?:aside|out)\b",
        r"^(?:excluding|rather\s+than|instead\s+of|unlike)\b",
        rf"^(?:apart|aside)\s+from\b{_ADDS}",
        r"\b(?:not\s+counting|as\s+opposed\s+to|as\s+distinct\s+from|in\s+contrast\s+(?:to|with)|whereas)\b",
        r"\bnothing\s+to\s+do\s+with\b",
        r"\bnot\s+to\s+be\s+confused\b",
        r"\b(?:don['’]t|do\s+not)\s+(?:mean|need|want|care)\b",
        r"(?:\bnot|n['’]t)\s+(?:it|asking|interested|about|after|that|those|them)\b",
        r"\b(?:of\s+no\s+(?:interest|use|help)|no\s+need)\b",
        r"\b(?:(?:is|are)\s+out(?=[.,;]|$)|falls?\s+outside|(?:that|one|those)\s+(?:is|are)\s+not)\b",
        r"\bbeyond\s+(?:that|those|this|these)\b",
        r"\bwithout\s+(?:going\s+into|counting|mentioning|considering)\b",
        r"\bi\s+(?:already\s+)?know\b",
        r"\bdifferent\s+(?:one|question|thing|matter)\b",
    ),
    added=_any(
        r"\b(?:not|no|never|nor|neither|without|aside|outside|another|different|elsewhere|instead|rather)\b|n['’]t\b",
        r"\b(?:ignored?|skip(?:ped)?|exclud\w+|irrelevant|unrelated|forget)\b",
    ),
    starts=_of(rf"(?:[,:;]|\s[–—-]|\bbut)\s+(?={_WH}|{_REQUEST}|{_AUXILIARY}\s+(?:you|we|i|they|it|there|the|an?)\b)"),
    relative=_of(r"(?:which|who|whose|where|when)\b"),
    breaks=re.compile(r"[,:;]|\s[–—-]\s|\s\("),
    concedes=_of(r"(?:while|whereas|although|(?:even\s+)?though)\b"),
    turns=_of(r"^(?:in\s+contrast|by\s+contrast|however|instead|on\s+the\s+other\s+hand),\s+"),
    kinds=(
        # not X but Y
        _of(
            rf",?\s+(?:(?:that|which|who)\s+)?\b{_AUXILIARY}(?:n['’]t|\s+not)\b[^,;?]*?,?\s+but(?:\s+(?:rather|instead))?(?=\s)"
        ),
        # …, a term that is not an X
        _of(rf",?\s+(?:(?:and|but)\s+)?(?:an?\s+(?:\w+\s+){{1,2}})?(?:that|which|who)\s+{_KIND}[^,;?]*(?=[,;?]|$)"),
        # … and is not an X
        _of(rf",?\s+and\s+{_KIND}[^,;?]*(?=[,;?]|$)"),
        # …, not an X,
        _of(r",\s+(?:and\s+|but\s+)?not\s+(?:an?|the|part|for|about|in|from|related)\b[^,;?]*(?=[,;?])"),
    ),
    further=(
        _of(r"\s*\((?:but\s+)?(?:not|rather\s+than|unlike)\b[^()]*\)"),
        _of(
            r"(?:,|\s[–—-])\s*(?:and\s+|but\s+)?(?:certainly\s+|clearly\s+)?not\s+(?:an?|the|about|for|in|on|from|to|of|any|those|these|his|her|its|their|(?-i:[A-Z]\w*))"
            rf"\b{_REST}"
        ),
        _of(
            rf",?\s+\b(?:as\s+opposed\s+to|as\s+distinct\s+from|in\s+contrast\s+to|nothing\s+to\s+do\s+with|not\s+to\s+be\s+confused\s+with)\b{_REST}"
        ),
        _of(
            rf",\s+(?:other\s+than|excluding|except(?:\s+for)?|rather\s+than|instead\s+of|leaving\s+aside|without\s+(?:going\s+into|counting|mentioning))\b{_REST}"
        ),
    ),
)

_ZH_NOT = r"(?:并?不是|并非|并?不属于|并?不包括|并?不用于|而非)"

_ZH_WH = r"什么|哪|多少|几|怎么|怎样|如何|为何|谁|是否|何时|何地|想知道|想问"

CHINESE = Rules(
    between="",
    asks=_any(r"[?？]|吗", _ZH_WH),
    denies=_any(
        r"^(?:我|咱们?|我们)?(?:不是|没有?|不想|并非|并不是)(?:要|想|在)?问",
        r"(?:^|[，,])(?:请|麻烦)?(?:别|不要|不用|无需)(?:拿|管|讲|说|回答|提)",
    ),
    refers=re.compile(r"[它他她这那其该此]|我们?的|前者|后者|同样"),
    aside=_any(
        r"不是(?:要|想|在)?问|[说问指要讲找](?:的)?(?:并非|并?不是)|并?不是[说指]|不是我(?:要|想|问)|不是[那这]",
        r"并非|而不是|而非|另一回事|两回事|混淆|[搞弄]混|(?:没有?(?:什么)?|没)关系|无关",
        r"别[跟和与把将拿管提]|不要[给说提讲把]|不用[给说提管]|不必|不需要(?=了|[。！]|$)",
        r"略过|跳过|撇开|抛[开去]|除外|不[谈提]|先不|放一边|不包括|(?<!算)不算|不考虑|不感兴趣|不想[知看听问]",
        r"我知道|已经[知了]|不同于|有别于",
    ),
    added=re.compile(r"[不没别非免无]|另[外当一]|两回事|忽略|[略跳]过|放一[边放]|[撇抛]开|除外|以后再|已经"),
    starts=re.compile(rf"[，,：:](?:但是?|不过|可是|而是|只)?(?=[^，,：:]*(?:{_ZH_WH}))"),
    relative=re.compile(r"(?!)"),
    breaks=re.compile(r"[，,。？?；：:（(]"),
    concedes=re.compile(r"虽然|尽管"),
    turns=re.compile(r"^(?:相反|相比之下|反过来)[，,]"),
    kinds=(
        re.compile(r"[、，,](?:并?不属于|并非)[^，,、。？?；]{1,20}的"),
        re.compile(rf"[，,]?{_ZH_NOT}[^，,。？?；]{{1,30}}?[，,]?而是"),
        re.compile(rf"[，,](?:而且?|并且?|且|但)?(?:它|这|其)?{_ZH_NOT}(?![吗么吧])[^，,。？?；]+(?=[，,。？?；]|$)"),
    ),
    further=(re.compile(r"[（(](?:(?:不是|并非|而非)[^（()）]*|[^（()）]*除外)[）)]"),),
)
