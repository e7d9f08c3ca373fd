"""The texts of prompts by language and name: those that Tuwen brings, and a file that replaces some of them.

A name is `section.key` as in built_in.toml, which is also the shape of a file of one's own. A text keeps the placeholders of the one
it replaces, so that a prompt that would silently lose its passages or its question is refused when the service starts.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any

from rag.errors import BadSetting

FALLBACK = "en"
FREE = "shown."
"""Texts for people may leave placeholders out; those for a generator may not."""

Texts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Prompts:
    """Complete texts of every language, and where they are from."""

    source: str
    texts: Texts = field(repr=False)
    """Language → name → text."""

    @cached_property
    def sha256(self) -> str:
        """Of all texts: what was answered with other words is another answer."""
        return hashlib.sha256(json.dumps(self.texts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def version(self) -> str:
        """For people and fingerprints: the source with the beginning of the hash."""
        return f"{self.source}, {self.sha256[:8]}"

    def digest(self, section: str) -> str:
        """Of the texts of one section, for what depends on no other."""
        own = {
            language: {name: text for name, text in texts.items() if name.startswith(f"{section}.")}
            for language, texts in self.texts.items()
        }
        return hashlib.sha256(json.dumps(own, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]

    def text(self, language: str, name: str, **values: object) -> str:
        """The text with its placeholders filled; English for a language that has none of its own."""
        return self.texts[language if language in self.texts else FALLBACK][name].format(**values)


def load_prompts(path: Path | None = None) -> Prompts:
    """The built-in texts, with those of a file in their place. Raises BadSetting, which names file, key and placeholder."""
    if path is None:
        return BUILT_IN
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(
            f"The prompts of {path} cannot be read: {error}.", "Correct the file, or unset answer.prompts."
        ) from error
    version = given.pop("version", "")
    texts = {language: dict(known) for language, known in BUILT_IN.texts.items()}
    for language, sections in given.items():
        if language not in texts:
            raise _wrong(path, language, "is no language of the prompts", f"There are {' and '.join(sorted(texts))}.")
        for name, text in _flat(sections, path, language).items():
            _check(path, f"{language}.{name}", text, texts[language], name)
            texts[language][name] = text
    return Prompts(" ".join(part for part in (path.name, str(version)) if part), texts)


def placeholders(text: str) -> set[str]:
    """Names in braces. Raises ValueError for braces that do not close, and for more than a plain name in them."""
    found = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is more than the name of a placeholder")
        found.add(name)
    return found


def _check(path: Path, key: str, text: str, known: Mapping[str, str], name: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1, 0.5)
        raise _wrong(
            path, key, "is no prompt", f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
        )
    if not text.strip():
        raise _wrong(path, key, "is empty", "Leave it out to keep the built-in text.")
    try:
        found = placeholders(text)
    except ValueError as error:
        raise _wrong(
            path, key, f"cannot be read: {error}", "Write a brace that is meant as one twice: {{ or }}."
        ) from error
    wanted = placeholders(known[name])
    unknown, missing = sorted(found - wanted), sorted(wanted - found)
    there = ", ".join(f"{{{one}}}" for one in sorted(wanted)) or "none"
    if unknown:
        raise _wrong(path, key, f"has the unknown placeholder {{{unknown[0]}}}", f"It can have: {there}.")
    if missing and not name.startswith(FREE):
        raise _wrong(path, key, f"lacks the placeholder {{{missing[0]}}}", f"It needs: {there}.")


def _flat(sections: Any, path: Path, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for section, entries in sections.items() if isinstance(sections, dict) else [(language, sections)]:
        for key, text in entries.items() if isinstance(entries, dict) else [("", entries)]:
            if not isinstance(text, str) or not isinstance(entries, dict):
                raise _wrong(
                    path, f"{language}.{section}", "is not a table of texts", 'Write [en.answer] and system = "…".'
                )
            found[f"{section}.{key}"] = text
    return found


def _wrong(path: Path, key: str, what: str, remedy: str) -> BadSetting:
    return BadSetting(f"{path}: {key} {what}.", remedy)


def _built_in() -> Prompts:
    file = resources.files("rag.prompts").joinpath("built_in.toml")
    read = tomllib.loads(file.read_text(encoding="utf-8"))
    version = read.pop("version")
    return Prompts(
        f"built-in {version}",
        {language: _flat(sections, Path(file.name), language) for language, sections in read.items()},
    )


BUILT_IN = _built_in()
