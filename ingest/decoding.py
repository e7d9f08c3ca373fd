"""Bytes to text, in any encoding that documents come in.

Byte order marks and UTF-8 decide by themselves. For the rest every plausible encoding that decodes without an error is
scored by how much of what is not ASCII belongs to the commonest characters of its language: almost any bytes are valid
GB18030, Big5 and Shift JIS at once, and on a few dozen characters general detectors guess wrong between them.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TextIO

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIMPLIFIED = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天"
    "分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等"
    "产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受"
    "目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张"
    "该交规万取拉格望觉术领共确传师观清今切院让识候带导争运，。、；：？！（）《》“”"
)
_TRADITIONAL = frozenset(
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天"
    "分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等"
    "產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受"
    "目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張"
    "該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運臺灣，。、；：？！（）《》「」"
)
_KANA = frozenset(map(chr, range(0x3041, 0x30FF))) | frozenset("、。「」ー")
_KANJI = frozenset(
    "日一人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨"
)
_COMMON = _SIMPLIFIED | _TRADITIONAL | _KANA | _KANJI
_LATIN_LETTER = re.compile(r"[À-ÖØ-öø-ÿŒœŠšŽž]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ODD_LATIN = re.compile(r"[\x80-\x9f]")

_CJK = frozenset({"gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"})

MAX_CONTROL_SHARE = 0.02
"""Share of control characters above which bytes are no text; terminal logs carry a few escape sequences."""


GUESSED = 16_384
"""Bytes that a general detector looks at; it takes 20 s for 200 kB of noise."""
_SAMPLE = 65_536


def decode(data: bytes, *, partial: bool = False) -> tuple[str, str] | None:
    """The text and the name of its encoding, or None when the bytes are not text.

    `partial` says that `data` is only the beginning, so that a character cut in two at its end is no error.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            text = _try(data, encoding, partial)
            return (text, encoding) if text is not None and _is_text(text) else None
    if b"\x00" in data:
        return _without_bom(data, partial)
    text = _try(data, "utf-8", partial)
    if text is not None:
        return (text, "utf-8") if _is_text(text) else None
    text = _damaged(data)
    if text is not None:
        return text, "utf-8"
    best = max(
        ((score, text, encoding) for encoding in _SCORES for score, text in _scored(data, encoding, partial)),
        key=lambda item: item[0],
        default=None,
    )
    if best is not None and best[0] >= 0.2:
        return best[1], best[2]
    return _guess(data, partial) or _without_bom(data, partial)


def read_text(data: bytes, declared: str = "") -> str | None:
    """The whole text. `declared` (a `charset` of the document) is believed when the bytes agree with it."""
    if declared and not data.startswith(tuple(bom for bom, _ in _BOMS)) and _try(data, "utf-8", False) is None:
        name = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252"}.get(declared.lower(), declared)
        text = _try(data, name, False)
        if text is not None and _is_text(text):
            # Any bytes are Latin, and programs write that into their heads without looking.
            found = decode(data) if name == "cp1252" else None
            return found[0] if found is not None and found[1] in _CJK else text
    decoded = decode(data)
    return decoded[0] if decoded is not None else None


def _try(data: bytes, encoding: str, partial: bool) -> str | None:
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        return decoder.decode(data, final=not partial)
    except (UnicodeDecodeError, UnicodeError, LookupError):
        return None


def _damaged(data: bytes) -> str | None:
    """UTF-8 with a few broken bytes, which must not cost the whole document; nearly every byte of another encoding is broken."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    foreign = sum(character > "\x7f" for character in text)
    return text if broken <= 0.1 * foreign and broken <= MAX_CONTROL_SHARE * len(text) and _is_text(text) else None


def _is_text(text: str) -> bool:
    return len(_CONTROL.findall(text)) <= MAX_CONTROL_SHARE * len(text)


def _without_bom(data: bytes, partial: bool) -> tuple[str, str] | None:
    """UTF-16 without a mark: of the two byte orders one gives common characters."""
    best: tuple[float, str, str] | None = None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _try(data, encoding, partial or len(data) % 2 == 1)
        if text and _is_text(text):
            share = sum(character < "\x7f" or character in _COMMON for character in text) / len(text)
            best = max(best or (0.3, "", ""), (share, text, encoding))
    return (best[1], best[2]) if best and best[2] else None


def _share(text: str, common: frozenset[str]) -> float:
    foreign = [character for character in text if character > "\x7f"]
    return sum(character in common for character in foreign) / max(1, len(foreign))


def _latin(text: str) -> float:
    """Accented letters and typographic marks with ASCII around them, as Western European text has them."""
    foreign = [index for index, character in enumerate(text) if character > "\x7f"]
    fitting = 0
    for index in foreign:
        around = text[max(0, index - 1) : index] + text[index + 1 : index + 2]
        lonely = not any(character > "\x7f" for character in around)
        fitting += lonely and (
            bool(_LATIN_LETTER.match(text[index])) or text[index] in "‘’“”–—…€£§°©®«»·ªº¿¡´×½¼²³µ\xa0•™"
        )
    return fitting / max(1, len(foreign))


_SCORES = {
    "gb18030": lambda text: _share(text, _SIMPLIFIED),
    "big5": lambda text: _share(text, _TRADITIONAL),
    "shift_jis": lambda text: _share(text, _KANA) and _share(text, _KANA | _KANJI),
    "euc_jp": lambda text: _share(text, _KANA) and _share(text, _KANA | _KANJI),
    "euc_kr": lambda text: _share(
        text, frozenset("이다의는에을를가은한고하도로지서사인기시과어자일정대리해수있나보그부만")
    ),
    "cp1252": _latin,
}


def _scored(data: bytes, encoding: str, partial: bool) -> list[tuple[float, str]]:
    text = _try(data, encoding, partial)
    if text is None or not _is_text(text):
        return []
    return [(_SCORES[encoding](text), text)]


def _guess(data: bytes, partial: bool) -> tuple[str, str] | None:
    """What none of the scored encodings explains: Cyrillic, Greek, Thai and the like."""
    from charset_normalizer import from_bytes

    head = from_bytes(data[:GUESSED]).best()
    if head is not None:
        text = _try(data, head.encoding, partial)
        if text is not None and _is_text(text) and len(_ODD_LATIN.findall(text)) <= MAX_CONTROL_SHARE * len(text):
            return text, head.encoding
    return None


def sniff(path: Path) -> str | None:
    """The encoding of a text file of any size, by its beginning and by its first bytes that are not ASCII; None for no text."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        if head.isascii() and b"\x00" not in head:
            while block := file.read(1 << 20):
                if not block.isascii():
                    at = next(index for index, byte in enumerate(block) if byte > 0x7F)
                    head += block[at : at + _SAMPLE] + (file.read(_SAMPLE) if at + _SAMPLE > len(block) else b"")
                    break
        partial = bool(file.read(1)) or len(head) >= _SAMPLE
    decoded = decode(head, partial=partial)
    return decoded[1] if decoded is not None else None


def open_text(path: Path, encoding: str) -> TextIO:
    """A text file as a stream with its line ends as they are; bytes that do not belong to the encoding are marked."""
    return path.open(encoding=encoding, errors="replace", newline="")
