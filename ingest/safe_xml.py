"""How XML of strangers is read: entities stay unexpanded, nothing is fetched, depth and size have lxml's bounds."""

from __future__ import annotations

from typing import Any

SAFE_XML: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""Options of lxml's parsers."""
