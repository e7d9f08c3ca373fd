"""Settings that need no weights: hashing encoder, no describer, extractive generator."""

from __future__ import annotations

from typing import Any

LIGHT: dict[str, Any] = {
    "encoder": {"kind": "hashing"},
    "pictures": {"describer": "none", "ocr": False},
    "generator": {"kind": "extractive"},
}
LIGHT_ENVIRONMENT = {
    f"TUWEN_{section}__{name}".upper(): str(value).lower()
    for section, values in LIGHT.items()
    for name, value in values.items()
}
