"""Tuwen inside other frameworks. Each file needs its framework, and imports it: take the one you need (docs/plugins.md)."""

from __future__ import annotations

from api.plugins.finding import open_client

__all__ = ["open_client"]
