"""Opens the system that is served, and measures it: the one room of `eval` that knows `api`."""

from __future__ import annotations

from eval.runner.changes import changed, value_of
from eval.runner.documents import open_collection, open_generator
from eval.runner.local import LocalWorkshop, default_settings, index_key, local_system
from eval.runner.pages import page_images
from eval.runner.runs import run, sweep, use_settings

__all__ = [
    "LocalWorkshop",
    "changed",
    "default_settings",
    "index_key",
    "local_system",
    "open_collection",
    "open_generator",
    "page_images",
    "run",
    "sweep",
    "use_settings",
    "value_of",
]
