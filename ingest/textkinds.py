"""Which kind of text a text is: HTML, SVG, Markdown or plain, by what stands in it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from rag.errors import UnsupportedFile

_PROLOG = re.compile(r"\A(?:\s+|\ufeff|<\?xml[^>]*\?>|<!--.*?-->|<!DOCTYPE\s+svg[^>\[]*(?:\[.*?\]\s*)?>)+", re.I | re.S)
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_HTML_TAG = re.compile(
    r"</?(?:div|p|table|tr|td|h[1-6]|ul|ol|li|span|a|meta|title|section|article|br|img)\b[^>]*>", re.I
)
_SVG_START = re.compile(r"<(?:\w+:)?svg\b", re.I)
_MAIL_FIELD = re.compile(
    r"^(Received|Message-ID|MIME-Version|Return-Path|Delivered-To|From|To|Date|Subject|Content-Type):", re.I | re.M
)
_MARKDOWN_SIGNS = (
    re.compile(r"^ {0,3}#{1,6} +\S", re.M),
    re.compile(r"^ {0,3}(?:```|~~~)", re.M),
    re.compile(r"!?\[[^\]\n]*\]\([^)\n]+\)"),
    re.compile(r"^ *\|? *:?-{3,}:? *(?:\| *:?-{3,}:? *)+\|? *$", re.M),
    re.compile(r"\A---\r?\n(?:.*\r?\n)*?---\r?$", re.M),
    re.compile(r"\*\*[^*\s][^*\n]*\*\*"),
    re.compile(r"^\S.*\r?\n(?:={3,}|-{3,})\r?$", re.M),
)
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"})
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})
_OTHER_TEXT = frozenset(
    ".py .sh .rb .pl .yml .yaml .toml .ini .cfg .conf .json .jsonl .js .ts .c .h .cpp .hpp .java .go .rs .sql .xml .log .tex .css".split()
)


def text_type(text: str, name: str) -> str:
    """`text/html`, `image/svg+xml`, `text/markdown` or `text/plain`. Raises UnsupportedFile for mail, JSON and CSV."""
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    body = text[match.end() :] if (match := _PROLOG.match(text)) else text
    if _HTML_START.match(body):
        return "text/html"
    if _SVG_START.match(body):
        return "image/svg+xml"
    _refuse(body, suffix, name)
    if body.startswith("<") and suffix not in _MARKDOWN_NAMES | _OTHER_TEXT:
        tags = len(_HTML_TAG.findall(body))
        if tags >= 3 or (tags and suffix in _HTML_NAMES):
            return "text/html"
    if suffix in _HTML_NAMES and len(_HTML_TAG.findall(body)) >= 2:
        return "text/html"
    if suffix in _MARKDOWN_NAMES:
        return "text/markdown"
    # One sign is chance: a comment in a script, a rule under a line. Two different ones are a way of writing.
    signs = sum(bool(sign.search(body)) for sign in _MARKDOWN_SIGNS)
    return "text/markdown" if signs >= 2 and suffix not in _OTHER_TEXT else "text/plain"


def _refuse(body: str, suffix: str, name: str) -> None:
    head = re.split(r"\r?\n\r?\n", body, maxsplit=1)[0]
    fields = {field.lower() for field in _MAIL_FIELD.findall(head)}
    if len(fields) >= 3 and fields & {"received", "message-id", "mime-version", "return-path"}:
        raise UnsupportedFile(
            f"{name} is an e-mail message (EML), which has no parser yet.",
            "Save it as PDF, HTML or text and ingest that.",
        )
    if suffix in (".json", ".jsonl", ".ndjson") and head.lstrip()[:1] in ("{", "["):
        raise UnsupportedFile(
            f"{name} is data in JSON, which has no parser yet.",
            "Save what people should find in it as Markdown, HTML or text, and ingest that.",
        )
    if suffix in (".csv", ".tsv"):
        raise UnsupportedFile(
            f"{name} is a table in CSV, which has no parser yet.",
            "Save it as a Markdown or HTML table, or as DOCX, and ingest that.",
        )
