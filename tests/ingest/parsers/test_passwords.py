"""Locked PDF and Office files: without a password, with a wrong one, with the right one among others; never shown."""

from __future__ import annotations

import io
from pathlib import Path
from random import random
from typing import Any

import pytest

from api import wiring
from api.settings import Settings
from ingest.protocols import Source
from ingest.render import render_page
from ingest.worker import parse_with
from rag.errors import EncryptedFile
from tests.support.bombs import sheet, workbook
from tests.support.light import LIGHT

_PASSWORD = "秘密 open"


def locked_pdf(path: Path) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), encrypt=StandardEncryption("open", "owner", strength=128))
    canvas.drawString(72, 700, "The hidden treasure")
    canvas.save()


def locked_xlsx(path: Path) -> None:
    ooxml: Any = pytest.importorskip("msoffcrypto.format.ooxml")
    # The writer of the library, not its reader, fails on files below 4 kB.
    more = "".join(f"<row><c><v>{random()}</v></c></row>" for _ in range(500))
    plain = workbook(sheet(f'<row><c t="inlineStr"><is><t>The hidden treasure</t></is></c></row>{more}'))
    with path.open("wb") as out:
        ooxml.OOXMLFile(io.BytesIO(plain)).encrypt(_PASSWORD, out)


def read(path: Path, *passwords: str) -> list[str]:
    settings = Settings(**LIGHT, ingest={"passwords": passwords})  # type: ignore[arg-type]
    items = parse_with(wiring.toolbox(settings), Source(path, path.name, ""))
    return [element.text for kind, page in items if kind == "page" for element in page.elements]


@pytest.mark.parametrize(("make", "password"), [(locked_pdf, "open"), (locked_xlsx, _PASSWORD)])
def test_locked_files(tmp_path: Path, make: Any, password: str) -> None:
    path = tmp_path / "locked"
    make(path)
    assert "The hidden treasure" in "".join(read(path, "wrong", password))
    for passwords in ((), ("first-wrong", "second-wrong")):
        with pytest.raises(EncryptedFile) as caught:
            read(path, *passwords)
        assert "`ingest.passwords`" in caught.value.remedy
        assert "wrong" not in str(caught.value)


def test_a_page_of_a_locked_pdf_is_drawn_with_its_password(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    locked_pdf(path)
    assert render_page(path, 1, 0.5, ["no", "open"]).startswith(b"\x89PNG")
    with pytest.raises(EncryptedFile):
        render_page(path, 1, 0.5)


def test_passwords_do_not_show() -> None:
    settings = Settings(**LIGHT, ingest={"passwords": ["hunter2"]})  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
    assert "hunter2" not in wiring.toolbox_version(settings)
    assert "hunter2" not in repr(wiring.toolbox(settings))
