"""Naughty strings (the Big List of Naughty Strings and our own) in every format made of text: read as text, whatever they are."""

from __future__ import annotations

import csv
import html
import io
import json
import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from api.wiring import parsers
from ingest.containers import XLSX
from ingest.protocols import Source
from ingest.worker import Toolbox, parse_with
from tests.ingest.parsers.contract import check_pages
from tests.support.bombs import epub, sheet, workbook

_SHARED = Path(os.environ.get("TUWEN_SHARED", Path(__file__).resolve().parents[4] / "shared"))
_LIST = _SHARED / "data" / "blns" / "blns.json"
_OWN = [
    "undefined",
    "1;DROP TABLE users",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤",
    "﷽﷽﷽ ด้้้้้็็็็็้้้้้",
    "اختبار \u202eevil\u202c \u2066x\u2069",
    "👩‍👩‍👧‍👦🇨🇳 𠜎𠜱𠝹 \U0010ffff \ufdd0",
    "表ポあA鷗ŒéＢ逍Üßªąñ丂㐀𠀀",
    "a" * 5_000,
    "`$(touch /tmp/x)` && rm -rf /",
    "| a | b |\n|---|---|",
    "]]>--></title></textarea>",
    "%s%n%x \\x00 \\u0000",
]


def strings() -> list[str]:
    if _LIST.is_file():
        return _OWN + [text for text in json.loads(_LIST.read_text(encoding="utf-8")) if text.strip()]
    return _OWN


def as_csv(texts: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([["n", "text"], *([f"{n}", text] for n, text in enumerate(texts))])
    return out.getvalue().encode("utf-8", "replace")


def as_mail(texts: list[str]) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Message-ID"], made["Subject"] = "a@b.example", "c@d.example", "<1>", "list"
    made.set_content("\n\n".join(texts).encode("utf-8", "replace").decode())
    return made.as_bytes()


def as_workbook(texts: list[str]) -> bytes:
    # What XML cannot hold, no workbook holds.
    clean = ["".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff")) for text in texts]
    cells = "".join(f"<row><c t='inlineStr'><is><t>{html.escape(t)}</t></is></c><c><v>1</v></c></row>" for t in clean)
    return workbook(sheet(cells.encode("utf-8", "replace").decode()))


FORMATS: dict[str, Callable[[list[str]], bytes]] = {
    "a.txt": lambda texts: "\n\n".join(texts).encode("utf-8", "replace"),
    "a.md": lambda texts: ("# List\n\n" + "\n\n".join(texts)).encode("utf-8", "replace"),
    "a.html": lambda texts: (
        "<html><body>" + "".join(f"<p>{html.escape(t)}</p>" for t in texts) + "</body></html>"
    ).encode("utf-8", "replace"),
    "raw.html": lambda texts: ("<html><body>" + "<p>".join(texts) + "<p>the end").encode("utf-8", "replace"),
    "a.csv": as_csv,
    "a.json": lambda texts: json.dumps({"list": texts}).encode(),
    "a.jsonl": lambda texts: "\n".join(json.dumps({"n": n, "s": t}) for n, t in enumerate(texts)).encode(),
    "a.eml": as_mail,
    "a.epub": lambda texts: epub(
        ("<html><body>" + "".join(f"<p>{html.escape(t)}</p>" for t in texts) + "</body></html>").encode(
            "utf-8", "replace"
        )
    ),
    "a.xlsx": as_workbook,
    "a.rst": lambda texts: ("List\n====\n\n" + "\n\n".join(texts)).encode("utf-8", "replace"),
    "a.tex": lambda texts: ("\\documentclass{a}\n\\begin{document}\n" + "\n\n".join(texts)).encode("utf-8", "replace"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_naughty_strings_are_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name](strings()))
    pages = [item for kind, item in parse_with(Toolbox(parsers(None)), Source(path, name, "")) if kind == "page"]
    check_pages(pages)
    said = "".join("".join(e.text.split()) for page in pages for e in page.elements).replace("\\|", "|")
    # Markup may take a sign for markup; the words stay, in every format.
    for words in ("undefined", "DROPTABLE", "鷗ŒéＢ逍", "اختبار", "👩‍👩‍👧‍👦"):
        assert words in said or name in ("raw.html",), words
    assert not Path("/tmp/x").exists()


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.html", "a.epub", "a.xlsx"])
def test_formats_without_inline_markup_keep_every_string(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name](_OWN))
    pages = [item for kind, item in parse_with(Toolbox(parsers(None)), Source(path, name, "")) if kind == "page"]
    said = "".join("".join(e.text.split()) for page in pages for e in page.elements).replace("\\|", "|")
    missing = [text for text in _OWN if "".join(text.split()) not in said]
    assert missing == []


def test_the_type_is_found_by_content(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(as_workbook(_OWN))
    kinds = [item for kind, item in parse_with(Toolbox(parsers(None)), Source(path, "a.txt", "")) if kind == "type"]
    assert kinds == [XLSX]
