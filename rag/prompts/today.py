"""Today's date as a prompt says it. The words are here, not the locale's: a prompt does not depend on the machine."""

from __future__ import annotations

from datetime import date

from rag.prompts.templates import BUILT_IN, Prompts

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def today_line(today: date, language: str, prompts: Prompts = BUILT_IN) -> str:
    weekday = today.weekday()
    if language == "zh":
        shown = f"{today.year}年{today.month}月{today.day}日，星期{'一二三四五六日'[weekday]}"
    else:
        shown = f"{_DAYS[weekday]}, {today.day} {_MONTHS[today.month - 1]} {today.year}"
    return prompts.text(language, "answer.today", date=shown)
