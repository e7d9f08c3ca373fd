"""Which language a text is in, by its script: enough to choose a prompt, a segmentation and a mean vector.

Tuwen treats English and Chinese as first-class. Other Latin-script languages are reported as `en` because everything
that depends on the answer (word boundaries, sentence ends, prompt language) works for them as for English.
"""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")

HAN_SHARE = 0.3
"""Share of Han characters among Han characters and other words above which a text is Chinese. One Han character carries
about as much as half a Latin word, and a Chinese sentence about software is full of English names: 「TiKV 中每个 Region 默认
保存多少数据」 has 11 Han characters and 2 Latin words."""


def language_of(text: str) -> str:
    """`zh`, `ja`, `ko` or `en`; `en` for text without letters."""
    kana, hangul = len(_KANA.findall(text)), len(_HANGUL.findall(text))
    han, words = len(_HAN.findall(text)), len(_WORD.findall(text))
    if kana and kana * 5 >= han:
        return "ja" if kana + han > words else "en"
    if hangul > han and hangul > words:
        return "ko"
    return "zh" if han and han >= HAN_SHARE * (han + words) else "en"
