"""The content policy that lets everything pass, and how another one is found by its name."""

from __future__ import annotations

from rag.plug_in import load
from rag.protocols import ContentPolicy


class Open:
    """Nothing is refused, nothing is changed."""

    whole_answers = False

    def question(self, text: str) -> str | None:  # noqa: ARG002 - the protocol's
        return None

    def answer(self, question: str, text: str) -> str:  # noqa: ARG002 - the protocol's
        return text


OPEN = Open()


def load_policy(name: str) -> ContentPolicy:
    """The policy named `package.module:object`; an object that can be called is called to make it. Empty gives OPEN. Raises BadSetting."""
    if not name:
        return OPEN
    found = load(name, "answer.policy")
    policy: ContentPolicy = found() if isinstance(found, type) else found
    return policy
