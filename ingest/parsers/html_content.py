"""What of a web page is its content, and what stands around it on every page of the site."""

from __future__ import annotations

import re
from typing import Any

_NEVER = (
    "script",
    "style",
    "noscript",
    "template",
    "iframe",
    "object",
    "embed",
    "nav",
    "aside",
    "button",
    "input",
    "select",
    "textarea",
    "dialog",
    "audio",
    "video",
    "canvas",
    "svg",
    "link",
    "meta",
)
_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar", "toolbar", "dialog", "alert"}
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SURROUNDINGS = re.compile(
    r"""(?:^|\s)(?:
    mw-editsection|mw-jump-link|navbox\S*|vertical-navbox|catlinks|printfooter|sistersitebox|side-box|ambox|mw-indicators?|mw-cite-backlink|mw-portlet\S*|mw-redirectedfrom|contentSub|siteSub|interlanguage-link|vector-dropdown\S*|vector-page-toolbar|hatnote|toc|noprint|mw-empty-elt
    |breadcrumbs?|skip-link|skip-to-\S+|sr-only|visually-hidden|cookie-?(?:banner|consent|notice)\S*|(?:social-)?share(?:-?(?:buttons?|links?|bar))?|advert(?:isement)?s?
    |pagination|headerlink|edit-this-page|site-(?:header|footer|nav)\S*|page-footer|sidebar|newsletter\S*|related-posts?
    )(?=\s|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_CANDIDATES = (
    "//main",
    "//*[@role='main']",
    "//article",
    "//*[@id='content' or @id='main' or @id='main-content' or @id='bodyContent' or @id='article']",
    "//*[contains(concat(' ', @class, ' '), ' content ') or contains(concat(' ', @class, ' '), ' main-content ') or contains(concat(' ', @class, ' '), ' markdown-body ')]",
)
MIN_SHARE = 0.5
"""Share of the page's remaining text that a candidate must hold: a page of many short articles is all content."""


def strip_surroundings(root: Any) -> None:
    """Removes what is hidden, navigates, or runs, from the tree in place."""
    for node in list(root.iter()):
        if node is root or node.getparent() is None or not isinstance(node.tag, str) or node.tag == "body":
            continue
        if node.tag in _NEVER or _is_hidden(node) or _is_surrounding(node):
            node.drop_tree()


def strip_hidden(root: Any) -> None:
    """Removes what is hidden or runs; drawings around a picture (covers of books) become the picture."""
    for node in list(root.iter()):
        if (
            node is root
            or node.getparent() is None
            or not isinstance(node.tag, str)
            or node.tag in ("body", "aside", "nav")
        ):
            continue
        if node.tag == "svg" and (inner := next(node.iter("image"), None)) is not None:
            link = next((value for key, value in inner.items() if key.endswith("href")), "")
            picture = node.makeelement("img", {"src": link})
            picture.tail = node.tail
            node.getparent().replace(node, picture)
        elif node.tag in _NEVER or _is_hidden(node):
            node.drop_tree()


def main_content(root: Any) -> Any:
    """The element that holds the content: the best candidate with most of the text, or the body."""
    body = root.find("body") if root.find("body") is not None else root
    total = max(1, _length(body))
    for path in _CANDIDATES:
        best = max(root.xpath(path), key=_length, default=None)
        if best is not None and _length(best) >= MIN_SHARE * total:
            return best
    return body


def _is_hidden(node: Any) -> bool:
    if node.get("hidden") is not None or _HIDDEN_STYLE.search(node.get("style") or ""):
        return True
    # Formulas are hidden from screen readers when a readable twin stands beside them; anything else is decoration.
    return (node.get("aria-hidden") or "").lower() == "true"


def _is_surrounding(node: Any) -> bool:
    if (node.get("role") or "").lower() in _ROLES:
        return True
    if node.tag in ("header", "footer"):
        inside = next(node.iterancestors("article", "main", "section", "blockquote", "figure"), None) is not None
        return not inside and node.find(".//h1") is None
    if node.tag in ("article", "main", "body", "html", "h1", "table") and not _SURROUNDINGS.search(
        node.get("class") or ""
    ):
        return False
    marks = f"{node.get('class') or ''} {node.get('id') or ''}"
    return bool(_SURROUNDINGS.search(marks))


def _length(node: Any) -> int:
    return sum(len("".join(text.split())) for text in node.itertext())
