"""Prompts by which a generator helps the search: other wordings of a question, its parts, a passage that could answer it.

In English and Chinese; rules for data in prompts as in rag/prompts.py. A line of the reply is one item, so that a small model
that numbers its lines or talks before them is still understood.
"""

from __future__ import annotations

from typing import Literal

from rag.prompts import defuse
from rag.protocols import Message

Kind = Literal["paraphrases", "parts", "passage"]

_SYSTEM: dict[str, dict[Kind, str]] = {
    "en": {
        "paraphrases": (
            "You help a search engine. Write the question in {count} other ways that a document on the subject could be worded in: "
            "synonyms, technical terms. Keep names and numbers. One per line, nothing else."
        ),
        "parts": (
            "You help a search engine. If the question needs several facts, write one short question for each fact, at most "
            "{count}, each understandable alone. If it needs only one, repeat it. One per line, nothing else."
        ),
        "passage": (
            "You help a search engine. Write one short passage, two or three sentences, as it could stand in a document that answers the "
            "question. It is only used to search with; do not say that you are unsure."
        ),
    },
    "zh": {
        "paraphrases": "你帮助搜索引擎。用文档中可能出现的{count}种其他说法改写问题：同义词、专业术语。保留名称和数字。每行一个，不要写别的。",
        "parts": (
            "你帮助搜索引擎。如果回答这个问题需要几个事实，为每个事实写一个简短的问题，最多{count}个，每个都能单独看懂。"
            "如果只需要一个事实，就重复原问题。每行一个，不要写别的。"
        ),
        "passage": "你帮助搜索引擎。写一段两三句话的文字，像是能回答这个问题的文档中的一段。它只用于搜索，不要说自己不确定。",
    },
}
_USER = {"en": "Question: {question}", "zh": "问题：{question}"}


def variant_messages(kind: Kind, question: str, language: str, count: int) -> tuple[Message, ...]:
    chosen = language if language in _SYSTEM else "en"
    user = _USER[chosen].format(question=defuse(" ".join(question.split())))
    return (Message("system", _SYSTEM[chosen][kind].format(count=count)), Message("user", user))
