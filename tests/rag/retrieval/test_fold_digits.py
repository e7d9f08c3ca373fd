"""The digits of a text are read without NFKC where nothing is in it that NFKC makes into one."""

import sys
import unicodedata

from rag.retrieval.fold import _OTHER_DIGITS, _digits


def test_no_digit_of_another_form_is_overlooked() -> None:
    every = [chr(code) for code in range(0x80, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    becoming = [one for one in every if any("0" <= made <= "9" for made in unicodedata.normalize("NFKC", one))]
    assert len(becoming) > 200
    assert [one for one in becoming if not _OTHER_DIGITS.search(one)] == []


def test_digits_of_other_forms_count_as_what_they_are() -> None:
    assert _digits("第３章，共１２页②") == b"3122"
    assert _digits("第三章，共 12 页") == b"12"
