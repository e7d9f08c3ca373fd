"""Content words with their English endings off: `changed` meets `change`, in answers, claims and questions alike."""

from __future__ import annotations

from rag.words import content_words


def stem(word: str) -> str:
    """A light stemmer (the idea of Harman's S stemmer, 1991, with `-ed` and `-ing`); Chinese and short words stay."""
    if not word.isascii() or len(word) < 4 or word.endswith("ss"):
        return word
    if len(word) == 4:
        return word.removesuffix("s")
    for ending in ("ies", "ied", "ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + ("y" if ending in {"ies", "ied"} else "")
    return word


def stems(text: str) -> list[str]:
    """The stems of the content words of a text, in order."""
    return [stem(word) for word in content_words(text)]
