"""Whether a question can be understood only by somebody who knows today's date: "last year", "how long ago", 今年."""

from __future__ import annotations

import re

_COUNT = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|few|couple of|several)"
_UNIT = (
    r"(?:day|week|weekend|fortnight|month|quarter|year|decade|century|spring|summer|autumn|fall|winter|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)(?:s|'s)?"
)
_EN = re.compile(
    r"\b(?:today|yesterday|tomorrow|tonight|nowadays|currently|right now|these days|(?:up to|until|till|as of|by|from) now|so far|to date|ago"
    rf"|(?:this|last|next|past|previous|coming|current|recent) (?:{_COUNT} )?{_UNIT}"
    r"|how old (?:is|are)|overdue|already expired|still valid|how (?:long|many (?:days|weeks|months|years)) (?:until|till|since|left|remain\w*))\b",
    re.IGNORECASE,
)
_SPAN = r"(?:几|多少|半|[一二两三四五六七八九十\d]+)"
# 以前年度 ("earlier years") holds 前年, 本周期 ("this period") holds 本周.
_ZH = re.compile(
    r"今[天日年晚早春夏秋冬]|明[天日年]|昨[天日晚]|去年|(?<!以)[前后]年(?!度)|(?<!以)[前后]天"
    r"|本(?:周(?!期)|月|季度|年度?)|[上下这](?:一?个?)(?:周(?!期)|星期|礼拜|月|季度|年度?)(?!半)"
    rf"|近{_SPAN}?个?(?:年|月|周|天)|最近|目前|现在|当前|如今|至今|迄今|眼下"
    rf"|多久(?:之前|以前|前|了)|{_SPAN}个?(?:年|月|周|星期|天)(?:之前|以前|前|来|后(?!的))"
    r"|还(?:有|剩)(?:多久|多少天|几天|几个月|几年)|几岁|多大(?:年纪|岁数|了)|过期了|到期了"
)


def relative_times(text: str) -> tuple[str, ...]:
    """The words that are meant from today, in lower case, in their order."""
    return tuple(
        " ".join(found.group().casefold().split()) for pattern in (_EN, _ZH) for found in pattern.finditer(text)
    )
