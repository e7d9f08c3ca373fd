"""Nothing of a document or an answer becomes markup in the page: no script of it writes HTML, and its policy loads nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "api" / "web"
_WRITES_MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function"
)


@pytest.mark.parametrize("script", sorted(WEB.glob("*.js")), ids=lambda path: path.name)
def test_no_script_writes_markup(script: Path) -> None:
    assert _WRITES_MARKUP.search(script.read_text(encoding="utf-8")) is None


def test_the_pages_policy_loads_nothing_from_elsewhere() -> None:
    from api.app import _PAGE_POLICY

    rules = dict(rule.strip().split(" ", 1) for rule in _PAGE_POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    for allowed in rules.values():
        assert not re.search(r"https?:|\*|unsafe", allowed)
