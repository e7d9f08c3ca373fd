"""A follow-up question is made to stand alone, so that it can be searched for without the conversation.

With a generator that can write, the conversation is condensed by a prompt. Without one, or when what it wrote is no
question, a rule of thumb serves: a short question, or one that points back ("it", "那个"), is given the content words of
the last question it lacks. The rule finds the right passages for "and in 2005?" and 「它有几层？」; it cannot know which
of two things "it" is, and then names both.
"""

from __future__ import annotations

import re

from rag.answers import Query, Turn
from rag.errors import GeneratorUnavailable
from rag.language import language_of
from rag.prompts import BUILT_IN, Prompts, condense_messages
from rag.protocols import GenerationRequest, Generator, Sampling
from rag.retrieval.relative_time import relative_times
from rag.words import content_words, normalise

SHORT_WORDS = 3
"""Content words at or below which a question hardly says what it is about."""
CARRIED_WORDS = 8
LONGEST_REWRITE = 300
_POINTS_BACK_EN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|him|his|she|her|there|the (?:same|other|former|latter|first|second) ?(?:one)?)\b"
    r"|^(?:and|but|also|what about|how about|why|really)\b",
    re.IGNORECASE,
)
_POINTS_BACK_ZH = re.compile(
    r"[它他她](?:们|的)?|这[个些种样里]?|那[个些种样里么]?|其(?!实|他|它|中)|此|该|前者|后者|上述|呢[？?]?$|^(?:还有|另外|为什么|那)"
)
_NAMES_SOMETHING = re.compile(r"^(?i:what|who|when|where|which|how|is|are|was|were|do|does|did)\b.*\b[A-Z]", re.DOTALL)
_QUESTION_LINE = re.compile(
    r"^(?:question|standalone question|rewritten question|问题|改写后的问题)\s*[:：]\s*", re.IGNORECASE
)


def standalone(query: Query, generator: Generator | None = None, prompts: Prompts = BUILT_IN) -> str:
    """The question as it can be understood alone; unchanged when there is no conversation. `generator` is one that can
    follow a prompt, or None. A generator that is unavailable is done without."""
    asked = [turn for turn in query.turns if turn.role == "user"]
    if not asked or not query.text.strip():
        return query.text
    if generator is not None:
        rewritten = _condense(query, generator, prompts)
        if rewritten:
            return rewritten
    return _carry_over(query.text, asked)


def needs_context(text: str) -> bool:
    """Whether a question leans on what was said before it."""
    points_back = _POINTS_BACK_ZH if language_of(text) == "zh" else _POINTS_BACK_EN
    # "What is the capital of France?" is short and has a subject of its own.
    short = len(set(content_words(text))) <= SHORT_WORDS and not _NAMES_SOMETHING.search(text)
    return short or points_back.search(text) is not None


def _carry_over(text: str, asked: list[Turn]) -> str:
    if not needs_context(text):
        return text
    # A chain of follow-ups ("and in 2005?", "and in 2006?") gets its subject from the last question that had one.
    carried: list[str] = []
    for turn in reversed(asked):
        carried = [*_subject(turn.content), *carried]
        if not needs_context(turn.content):
            break
    # "And in 2006?" replaces the year it follows, and so does "and last year?".
    if any(map(str.isdigit, text)) or relative_times(text):
        carried = [word for word in carried if not word.isdigit()]
    own = {normalise(word) for word in content_words(text)}
    missing = [word for word in dict.fromkeys(carried) if not set(content_words(word)) <= own][:CARRIED_WORDS]
    if not missing:
        return text
    return f"{text} ({' '.join(missing)})"


def _subject(text: str) -> list[str]:
    """The content words of a question as they are written in it."""
    kept = set(content_words(text))
    if language_of(text) == "zh":
        # Parts of compounds would stand there twice.
        found = [word for word in content_words(text) if not any(word in other and word != other for other in kept)]
        return [_as_written(word, text) for word in found]
    return [word for word in re.findall(r"[\w'’-]+", text) if set(content_words(word)) & kept]


def _as_written(word: str, text: str) -> str:
    place = text.casefold().find(word)
    return text[place : place + len(word)] if place >= 0 else word


def _condense(query: Query, generator: Generator, prompts: Prompts) -> str:
    language = language_of(query.text)
    request = GenerationRequest(
        question=query.text,
        language=language,
        passages=(),
        turns=query.turns,
        messages=condense_messages(query.text, language, query.turns, prompts),
        sampling=Sampling(temperature=0.0, max_tokens=80, stop=("\n",)),
    )
    try:
        written = "".join(piece for piece in generator.stream(request) if isinstance(piece, str))
    except GeneratorUnavailable:
        return ""
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    rewritten = _QUESTION_LINE.sub("", lines[0]).strip("\"'“”「」 ") if lines else ""
    # Another language, an essay or an answer is no rewritten question.
    plausible = 0 < len(rewritten) <= LONGEST_REWRITE and language_of(rewritten) == language
    keeps = set(content_words(rewritten)) & (
        set(content_words(query.text)) | {w for t in query.turns for w in content_words(t.content)}
    )
    return rewritten if plausible and keeps and not _lost(query, rewritten) else ""


def _lost(query: Query, rewritten: str) -> bool:
    """Whether what is new in the question did not get into its rewriting: asked for "the next one", a small model writes the question
    before once more, and so it may lose the year of "and in 2019?". "Last year" stays: which year that is, it does not know."""
    asked, made = _key(query.text), _key(rewritten)
    earlier = {_key(turn.content) for turn in query.turns if turn.role == "user"}
    numbers = {word for word in asked if any(map(str.isdigit, word))}
    times = set(relative_times(query.text)) - set(relative_times(rewritten))
    return (made in earlier and made != asked) or not numbers <= set(made) or bool(times)


def _key(text: str) -> tuple[str, ...]:
    return tuple(content_words(text))
