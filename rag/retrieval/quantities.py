"""Numbers, dates and months of a text as values, so that `56.7 million`, `5670万` and `56,700,000` are one.

Read: units and currencies (compared, never converted), ranges (`10–20 %` is two percentages), thousands separators, decimals, scale words (million, 万, 亿), percentages (`%`, `percent`, `百分之`), English number
words to twelve and tens, simple Chinese numerals, and dates (`March 4, 2019`, `2019-03-04`, `2019年3月4日`). Not read:
fractions, roman numerals, arithmetic.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9, "trillion": 1e12,
    "百": 1e2, "千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "百亿": 1e10, "千亿": 1e11, "万亿": 1e12,
}  # fmt: skip
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<percent_zh>百分之)?(?<![A-Za-z\d.])(?P<number>\d{{1,3}}(?:[,，]\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?!\d)(?:\s?(?P<scale>{_SCALE})(?![A-Za-z]))?(?:\s?(?P<percent>%|per ?cent\b))?",
    re.IGNORECASE,
)
_UNITS = {
    spelling: unit
    for unit, spellings in {
        "km": "km kilometres kilometers kilometre kilometer 公里 千米", "m": "metres meters metre meter 米", "cm": "cm centimetres centimeters 厘米 公分",
        "mm": "mm millimetres millimeters 毫米", "mi": "miles mile 英里", "ft": "feet ft foot 英尺", "in": "inches inch 英寸", "kg": "kg kilograms kilogram kilos 公斤 千克",
        "g": "grams gram 克", "mg": "mg milligrams 毫克", "t": "tonnes tonne tons ton 吨", "lb": "pounds lbs lb 磅", "km2": "km² km2 平方公里", "ha": "hectares hectare 公顷",
        "m2": "m² m2 平方米", "m3": "m³ m3 立方米", "l": "litres liters litre liter 升", "ml": "ml millilitres milliliters 毫升",
        "s": "seconds second 秒", "min": "minutes minute mins 分钟", "h": "hours hour 小时", "d": "days day 天", "wk": "weeks week 周 星期",
        "c": "°C ℃ 摄氏度", "f": "°F ℉ 华氏度", "kb": "KB KiB", "mb": "MB MiB 兆字节", "gb": "GB GiB", "tb": "TB TiB", "w": "watts 瓦", "kw": "kW 千瓦", "mw": "MW 兆瓦", "hz": "Hz 赫兹",
        "usd": "dollars dollar USD 美元", "eur": "euros euro EUR 欧元", "cny": "yuan RMB CNY 元 人民币", "jpy": "yen JPY 日元", "hkd": "港元 港币",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip
_SIGNS = {"$": "usd", "€": "eur", "¥": "cny"}
_UNIT = re.compile(
    rf"[\s-]?(?:(?:square |cubic )?(?P<unit>{'|'.join(re.escape(u) for u in sorted(_UNITS, key=len, reverse=True))})(?![A-Za-z\d²³]))"
)
_RANGE = re.compile(
    rf"(?<![\w.])(\d+(?:\.\d+)?)(?=\s?(?:-|–|—|~|至|到|to)\s?\d+(?:\.\d+)?(\s?(?:%|percent|per cent)|(?:\s?(?:{_SCALE})(?![A-Za-z]))))"
)
_WORDS = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "half": 0.5, "twice": 2, "dozen": 12,
}  # fmt: skip
"""`one` is left out: it is a pronoun more often than a number."""
_WORD = re.compile(
    rf"\b(?P<tens>twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-(?P<ones>two|three|four|five|six|seven|eight|nine|one)\b"
    rf"|\b(?P<word>{'|'.join(_WORDS)})(?:\s(?P<scale>{_SCALE}))?(?P<percent>\sper ?cent)?\b",
    re.IGNORECASE,
)
_ZH_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}
_ZH_COUNTED = "个块次年月日名人种台条件倍天层页位家项岁届座张部场分秒小时点元米公里只支本所度代级类"
_ZH_NUMERAL = re.compile(
    rf"(?<![\d.])(?P<percent>百分之)?(?P<numeral>[零〇一二三四五六七八九两十百千万亿]+)(?=(?P<counted>[{_ZH_COUNTED}])?)"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct|"
        "november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = re.compile(
    rf"\b(?P<name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?(?=\s*\d)|(?<=\d )(?P<after>{'|'.join(_MONTHS)})\b"
    rf"|\b(?P<alone>{'|'.join(name for name in _MONTHS if len(name) > 3)})\b",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\b|\b(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})\b"
)
_ZH_MONTH = re.compile(r"(\d{1,2})\s*月")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?::\d{2})?\b")
_ABOUT = re.compile(
    r"(?:about|around|approximately|roughly|nearly|almost|over|some|more than|约|大约|近|左右|大概|超过|逾)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with what it counts as: a plain number, a percentage, a month of the year or a time of day.

    `step` is the size of its last written digit (0.1 million for `56.7 million`), 0 where that means nothing.
    """

    value: float
    kind: str = "number"
    step: float = 0.0
    unit: str = ""
    """What is measured in, in one spelling for both languages (`km`, `usd`); empty where none is written, or none that is known."""

    def matches(self, other: Quantity, *, rounded: bool = False) -> bool:
        """`rounded`: the other may be this one before rounding (`about 57 million` for 56.7 million)."""
        # A column of percentages has its sign in the header, or nowhere.
        if self.kind != other.kind and (self.kind, other.kind) != ("percent", "number"):
            return False
        # A unit may stand in the header or be left out; two that differ are two quantities. Nothing is converted.
        if self.unit and other.unit and self.unit != other.unit:
            return False
        if abs(self.value - other.value) <= 1e-9 * max(1.0, abs(self.value)):
            return True
        return rounded and self.step > other.step and abs(self.value - other.value) <= self.step / 2


@lru_cache(maxsize=1024)
def quantities(text: str) -> frozenset[Quantity]:
    """Every value in the text. A Chinese numeral counts where it is longer than one character or counts something."""
    text = _fold(text)
    found: set[Quantity] = set()
    text = _ISO.sub(lambda match: _take_date(match, found), text)
    text = _CLOCK.sub(lambda match: _take(found, Quantity(int(match[1]) * 60 + int(match[2]), "clock")), text)
    for match in _MONTH.finditer(text):
        name = match["name"] or match["after"] or match["alone"]
        if name.casefold() != "may" or match["name"] or match["after"]:
            found.add(Quantity(_MONTHS[name.casefold()], "month"))
    found.update(Quantity(int(month), "month") for month in _ZH_MONTH.findall(text))
    text = _ZH_MONTH.sub(" ", text)
    found.update(_written(match, text) for match in _NUMBER.finditer(text))
    found.update(_spelled(match) for match in _WORD.finditer(text))
    for match in _ZH_NUMERAL.finditer(text):
        numeral = match["numeral"]
        value = _zh_value(numeral)
        # A single 一 is an article, and numerals inside words (万一, 统一) come without anything counted.
        if value is not None and numeral != "一" and (match["percent"] or match["counted"] or len(numeral) > 1):
            month = match["counted"] == "月"
            found.add(Quantity(value, "percent" if match["percent"] else "month" if month else "number"))
    return frozenset(found)


def is_rounded(text: str) -> bool:
    """Whether a text says that its numbers are not exact."""
    return _ABOUT.search(text) is not None


def missing(claim: str, evidence: frozenset[Quantity]) -> list[Quantity]:
    """Values of the claim that the evidence does not have; `about` before a number allows a rounded one."""
    rounded = is_rounded(claim)
    return [
        value for value in quantities(claim) if not any(value.matches(other, rounded=rounded) for other in evidence)
    ]


def _fold(text: str) -> str:
    # NFKC turns 6½ into 61⁄2, which would read as sixty-one.
    text = unicodedata.normalize("NFKC", re.sub(r"(?<=\d)[¼½¾]", "", text))
    # `10–20 %` and `3至5万` say the sign or the scale once, and mean it twice.
    return _RANGE.sub(r"\1\2", text)


def _written(match: re.Match[str], text: str) -> Quantity:
    digits = re.sub("[,，]", "", match["number"])
    scale = _SCALES[match["scale"].casefold()] if match["scale"] else 1.0
    places = len(digits.partition(".")[2])
    step = scale * 10.0**-places
    if not places and scale == 1.0:
        step = 10.0 ** (len(digits) - len(digits.rstrip("0")))
    kind = "percent" if match["percent"] or match["percent_zh"] else "number"
    return Quantity(float(digits) * scale, kind, step, _unit(match, text))


def _unit(match: re.Match[str], text: str) -> str:
    """The unit behind a number, or the currency before it; a full name is compared without case, a symbol as it is written."""
    found = _UNIT.match(text, match.end())
    if found is not None:
        area = found.group().strip(" -").partition(" ")[0] if " " in found.group().strip(" -") else ""
        return _UNITS[found["unit"]] + {"square": "2", "cubic": "3"}.get(area, "")
    return _SIGNS.get(text[: match.start()].rstrip()[-1:], "")


def _spelled(match: re.Match[str]) -> Quantity:
    if match["tens"]:
        return Quantity(_WORDS[match["tens"].casefold()] + (_WORDS.get(match["ones"].casefold(), 1)))
    scale = _SCALES[match["scale"].casefold()] if match["scale"] else 1.0
    return Quantity(_WORDS[match["word"].casefold()] * scale, "percent" if match["percent"] else "number")


def _take(found: set[Quantity], value: Quantity) -> str:
    found.add(value)
    return " "


def _take_date(match: re.Match[str], found: set[Quantity]) -> str:
    year, month, day = (int(match[a] or match[b]) for a, b in (("year", "y"), ("month", "m"), ("day", "d")))
    found.update((Quantity(year), Quantity(month, "month"), Quantity(day)))
    return " "


def _zh_value(numeral: str) -> float | None:
    """`三百二十` → 320, `二〇一九` → 2019, `两万五千` → 25000; None for what is no number (`百万` alone is one million)."""
    if all(character in _ZH_DIGITS for character in numeral):
        return float("".join(str(_ZH_DIGITS[character]) for character in numeral))
    total, section, digit = 0.0, 0.0, None
    for character in numeral:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character]
        elif character in _ZH_UNITS:
            section += (1 if digit is None else digit) * _ZH_UNITS[character]
            digit = None
        else:
            section += digit or 0
            total = (total + (section or 1)) * (1e4 if character == "万" else 1e8)
            section, digit = 0.0, None
    return total + section + (digit or 0)
