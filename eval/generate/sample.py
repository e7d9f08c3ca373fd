"""Which candidates go into the set: spread evenly over documents, languages and kinds, the same under the same seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def shuffled(items: Iterable[T], seed: int, key: Callable[[T], str]) -> list[T]:
    """An order that depends on the seed and on each item alone: one document more leaves the others where they were."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{seed}\0{key(item)}".encode()).digest())


def stratified(items: list[T], strata: Callable[[T], tuple[str, ...]]) -> Iterator[T]:
    """All items, each time one whose strata (document, language, kind) were served least so far; ties in the given order.

    Whoever takes the first n has them spread as evenly as the items allow, and can go on where some turn out useless.
    """
    groups: dict[tuple[str, ...], list[T]] = {}
    for item in items:
        groups.setdefault(strata(item), []).append(item)
    waiting = {group: iter(members) for group, members in groups.items()}
    served: Counter[tuple[int, str]] = Counter()
    while waiting:
        group = min(waiting, key=lambda one: sum(served[(n, name)] for n, name in enumerate(one)))
        try:
            item = next(waiting[group])
        except StopIteration:
            del waiting[group]
            continue
        for place in enumerate(group):
            served[place] += 1
        yield item
