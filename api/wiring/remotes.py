"""Where files may come from beside this machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from api.settings import Settings
from ingest.sources.remote import Remote, Sources


def _web(settings: Settings) -> Remote:
    from ingest.sources.web import WebRemote

    return WebRemote(private_addresses=settings.ingest.sources.private_addresses)


def _objects(scheme: str) -> Remote:
    from ingest.sources.objects import FsspecRemote

    return FsspecRemote(scheme)


def sources(settings: Settings) -> Sources:
    """Where files may come from beside this machine."""
    chosen = settings.ingest.sources
    openers: dict[str, Callable[[], Remote]] = {scheme: partial(_objects, scheme) for scheme in chosen.schemes}
    for scheme in ("http", "https"):
        # fsspec would read these, too, from any network.
        openers.pop(scheme, None)
        if chosen.http:
            openers[scheme] = partial(_web, settings)
    return Sources(openers)
