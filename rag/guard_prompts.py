"""What is added to a prompt when its first answer was unusable, in English and Chinese; rules for prompts as in rag/prompts.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.protocols import Message

_ADDED = {
    "en": {
        "empty": "Answer now, in one full sentence.",
        "markers only": "Write the answer itself as a full sentence; the passage number alone is not an answer.",
        "wrong language": "Your answer must be in English. Write English only.",
        "copied": "Write only your own answer in one sentence. Do not repeat the passages or these instructions.",
    },
    "zh": {
        "empty": "请现在用一个完整的句子回答。",
        "markers only": "请用一个完整的句子写出答案；只写片段编号不算回答。",
        "wrong language": "答案必须是中文，只能用中文书写。",
        "copied": "只用一句话写出你自己的答案，不要重复片段或这些说明。",
    },
}


def firmer(messages: Sequence[Message], illness: str, language: str) -> tuple[Message, ...]:
    """The prompt with what its first answer was lacking said at the end, where small models heed it most."""
    texts = _ADDED.get(language, _ADDED["en"])
    *before, last = messages
    return (*before, replace(last, content=f"{last.content}\n{texts[illness]}"))
