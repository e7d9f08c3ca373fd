"""Fonts for building the corpus: reportlab's own Vera for Latin, WenQuanYi Micro Hei for Chinese.

The Chinese font (Debian: fonts-wqy-microhei, Apache-2.0 or GPL-3 with the font exception) is needed for rebuilding only:
the built files are committed, and the Chinese PDF carries the few glyphs it uses.
"""

from __future__ import annotations

import os
from pathlib import Path

import reportlab
from PIL import ImageFont

_PLACES = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
)


class FontMissing(RuntimeError):
    """The Chinese font is not on this machine."""


def latin_path(bold: bool = False) -> Path:
    return Path(reportlab.__file__).parent / "fonts" / ("VeraBd.ttf" if bold else "Vera.ttf")


def chinese_path() -> Path:
    """Raises FontMissing."""
    for place in (os.environ.get("TUWEN_EXAMPLE_FONT", ""), *_PLACES):
        if place and Path(place).is_file():
            return Path(place)
    raise FontMissing(
        "The Chinese font of the example corpus is not installed. Install fonts-wqy-microhei, or name the file "
        "wqy-microhei.ttc in TUWEN_EXAMPLE_FONT."
    )


def latin(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(latin_path(bold), size)


def chinese(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(chinese_path(), size, index=0)
