"""An object of somebody else's package, by its name in a setting."""

from __future__ import annotations

import importlib
from typing import Any

from rag.errors import BadSetting


def load(name: str, setting: str) -> Any:
    """What `package.module:object` names. Raises BadSetting."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadSetting(
            f"{name!r} in {setting} cannot be loaded: {error}. It is written `package.module:object`.",
            f"Correct {setting}; the package has to be importable (installed, or in PYTHONPATH).",
        ) from error
