"""Writes a setting into `tuwen.toml` of a data directory, leaving everything else in it as a person wrote it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from rag.errors import BadSetting

NAME = "tuwen.toml"


def read_setting(data: Path, section: str, name: str, otherwise: Any) -> Any:
    """What the file says, as a plain value; `otherwise` where it says nothing or is not there. Raises BadSetting for one that is not TOML."""
    path = data / NAME
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(section, {}) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadSetting(f"{path} cannot be read: {error}.", "Correct it; it is a TOML file.") from error
    return table.get(name, otherwise) if isinstance(table, dict) else otherwise


def write_setting(data: Path, section: str, name: str, value: Any) -> Path:
    """Sets `[section] name = value`; makes the file and its directory where there are none. Answers the file.

    Raises BadSetting for a file that is not TOML or cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = data / NAME
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.is_file() else tomlkit.document()
        table = document.setdefault(section, tomlkit.table())
        if not isinstance(table, dict):
            raise BadSetting(f"{path}: `{section}` is not a table.", "Correct it; it is a TOML file.")
        table[name] = value
        data.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{NAME}.new")
        new.write_text(tomlkit.dumps(document), encoding="utf-8")
        new.replace(path)
    except (TOMLKitError, UnicodeDecodeError, OSError) as error:
        raise BadSetting(f"{path} cannot be changed: {error}.", "Correct it; it is a TOML file.") from error
    return path
