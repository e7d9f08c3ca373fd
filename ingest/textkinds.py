"""Which kind of text a text is, by what stands in it; its name breaks ties."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from ingest.delimited import is_table

_PROLOG = re.compile(
    r"\A(?:\s+|\ufeff|<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE\s+(?!html\b)[^>\[]*(?:\[.*?\]\s*)?>)+", re.I | re.S
)
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_HTML_TAG = re.compile(
    r"</?(?:div|p|table|tr|td|h[1-6]|ul|ol|li|span|a|meta|title|section|article|br|img)\b[^>]*>", re.I
)
_SVG_START = re.compile(r"<(?:\w+:)?svg\b", re.I)
_MAIL_FIELD = re.compile(
    r"^(Received|Message-ID|MIME-Version|Return-Path|Delivered-To|From|To|Date|Subject|Content-Type):", re.I | re.M
)
_MARKDOWN_TABLE = re.compile(r"^ *\|? *:?-{3,}:? *(?:\| *:?-{3,}:? *)+\|? *$", re.M)
_MARKDOWN_SIGNS = (
    re.compile(r"^ {0,3}#{1,6} +\S", re.M),
    re.compile(r"^ {0,3}(?:```|~~~)", re.M),
    re.compile(r"!?\[[^\]\n]*\]\([^)\n]+\)"),
    _MARKDOWN_TABLE,
    re.compile(r"\A---\r?\n(?:.*\r?\n)*?---\r?$", re.M),
    re.compile(r"\*\*[^*\s][^*\n]*\*\*"),
    re.compile(r"^\S.*\r?\n(?:={3,}|-{3,})\r?$", re.M),
)
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"})
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})
_OTHER_TEXT = frozenset(
    ".py .sh .rb .pl .yml .yaml .toml .ini .cfg .conf .js .ts .c .h .cpp .hpp .java .go .rs .sql .xml .log .css .srt .vtt .po .diff .patch".split()
)
_TABLE_NAMES = frozenset({".csv", ".tsv", ".tab"})
_DATA_NAMES = frozenset({".json", ".jsonl", ".ndjson", ".geojson", ".ipynb"})
_NAMED_TEXT = {".rst": "text/x-rst", ".org": "text/x-org"}
_XML_KINDS = (
    (re.compile(r"<FictionBook\b"), "application/x-fictionbook+xml"),
    (re.compile(r"<(?:article|book)\b[^>]*docbook", re.I), "application/docbook+xml"),
    (re.compile(r"<opml\b"), "application/x-opml+xml"),
)
_LATEX = re.compile(r"^\s*\\document(?:class|style)\b|^\s*\\begin\{document\}", re.M)
_JSON_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_JSON_REST = re.compile(r"[\s\d{}\[\],:.+\-eEtrufalsn]*")


def text_type(text: str, name: str, *, partial: bool = False) -> str:
    """The media type of a text: web page, drawing, message, data, markup or plain. `partial` says that more text follows."""
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    body = text[match.end() :] if (match := _PROLOG.match(text)) else text
    if _HTML_START.match(body):
        return "text/html"
    if _SVG_START.match(body):
        return "image/svg+xml"
    for sign, media_type in _XML_KINDS:
        if sign.match(body):
            return media_type
    if _is_message(body, named=suffix in (".eml", ".mht", ".mhtml")):
        return "application/mbox" if body.startswith("From ") and suffix != ".eml" else "message/rfc822"
    if data := json_type(body, suffix, partial=partial):
        return data
    if suffix in _TABLE_NAMES:
        return "text/csv"
    if body.startswith("<") and suffix not in _MARKDOWN_NAMES | _OTHER_TEXT:
        tags = len(_HTML_TAG.findall(body))
        if tags >= 3 or (tags and suffix in _HTML_NAMES):
            return "text/html"
    if suffix in _HTML_NAMES and len(_HTML_TAG.findall(body)) >= 2:
        return "text/html"
    if suffix in _MARKDOWN_NAMES:
        return "text/markdown"
    if _LATEX.search(body) or (suffix in (".tex", ".latex") and "\\" in body):
        return "application/x-latex"
    if suffix in _NAMED_TEXT:
        return _NAMED_TEXT[suffix]
    if suffix in _OTHER_TEXT:
        return "text/plain"
    # One sign is chance: a comment in a script, a rule under a line. Two different ones are a way of writing.
    signs = sum(bool(sign.search(body)) for sign in _MARKDOWN_SIGNS)
    if signs >= 2 or _MARKDOWN_TABLE.search(body):
        return "text/markdown"
    return "text/csv" if is_table(body, partial=partial) else "text/plain"


def json_type(text: str, suffix: str, *, partial: bool) -> str:
    """JSON, JSON Lines, or an empty string. Data that is damaged further on is data still, when its name says so too."""
    body = text.strip()
    if not body.startswith(("{", "[")):
        return ""
    lines = [line for line in body.splitlines() if line.strip()]
    whole = lines[:-1] if partial else lines
    if len(whole) >= 2 and all(_loads(line) for line in whole[:2]):
        return "application/x-ndjson"
    named = suffix in _DATA_NAMES
    if not partial and not named:
        return "application/json" if _loads(body) else ""
    bare = _JSON_STRING.sub("", body).split('"', 1)[0]
    if not _JSON_REST.fullmatch(bare) or not (":" in bare or body.startswith("[")):
        return ""
    return "application/x-ndjson" if suffix in (".jsonl", ".ndjson") else "application/json"


def _loads(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_int=str), (dict, list))
    except (ValueError, RecursionError):
        # A bomb of brackets is data, and the parser's to refuse.
        return text[:1_000].count("[") + text[:1_000].count("{") == 1_000


def _is_message(body: str, *, named: bool) -> bool:
    head = re.split(r"\r?\n\r?\n", body, maxsplit=1)[0]
    fields = {field.lower() for field in _MAIL_FIELD.findall(head)}
    if named:
        return len(fields) >= 2
    return len(fields) >= 3 and bool(fields & {"received", "message-id", "mime-version", "return-path"})
