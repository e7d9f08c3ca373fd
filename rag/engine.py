"""The whole question flow on one screen.

turns → rewrite → recall (text vectors ∥ picture entries ∥ pixels ∥ lexical) → fuse → hydrate → fold → rerank
      → abstain? → merge? + widen + pack (+ compress?) + expand → self-check? → generate (stream) → cite (check) → Answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from rag.answers import Answer, Citation, Hit, Passage, Query, SearchResult, Stage, Usage
from rag.clock import Clock
from rag.errors import GeneratorUnavailable
from rag.generation import Generation
from rag.language import language_of
from rag.policy import OPEN
from rag.prompts import Example, abstention, build_messages, render_passage, self_check_messages
from rag.protocols import ContentPolicy, GenerationRequest, Generator, LabelledImage, Message, Verifier
from rag.retrieval import abstain, self_check
from rag.retrieval.choose_examples import choose_examples
from rag.retrieval.declining import declines
from rag.retrieval.expand import expand
from rag.retrieval.illustrate import Look, illustrate, nothing_to_see
from rag.retrieval.locate import locate
from rag.retrieval.merge import merge
from rag.retrieval.order import as_in_documents, at_both_ends
from rag.retrieval.pack import pack
from rag.retrieval.relative_time import relative_times
from rag.retrieval.remember import Remembering
from rag.retrieval.rewrite import standalone
from rag.retrieval.widen import narrow, widen
from rag.searcher import Searcher
from rag.words import content_words

DECLINED_NOTE = "The content policy declined the question."


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The question as it is searched for."""

    question: str


Event = Rewritten | SearchResult | str | Citation | Answer
"""What `answer` gives, in this order: the rewritten question, what was found, pieces of text with the citations of complete sentences
among them, the other citations, the answer."""


@dataclass(frozen=True, slots=True)
class Engine(Searcher):
    """Finds passages and answers questions. Holds adapters, no state of its own; safe to use from several threads."""

    verifier: Verifier | None = None
    """Judges what words cannot; None compares words."""
    policy: ContentPolicy = OPEN
    look: Look = nothing_to_see
    """Shows a generator that sees what a hit looks like."""
    today: Callable[[], date] = date.today

    def search(self, query: Query) -> SearchResult:
        """As `Searcher.search`; a follow-up is searched for as a question of its own."""
        # The zero-argument form is lost in a dataclass with slots, which is made anew.
        look = partial(Searcher.search, self)
        if not query.turns:
            return look(query)
        clock = Clock()
        with clock("rewrite"):
            query = self._standing_alone(query, self._writer())
        found = look(query)
        timings = {**clock.finish(), **found.timings}
        timings["total"] = round(timings["rewrite"] + found.timings["total"], 3)
        return replace(found, timings=timings, standalone=query.text)

    def answer(self, query: Query) -> Iterator[Event]:
        """The events of an answer as they come; closing the iterator stops the generator. Raises what `search` raises."""
        clock = Clock()
        generator = self.generate()
        declined = self.policy.question(query.text)
        if declined is not None:
            yield Rewritten(query.text)
            yield SearchResult((), clock.finish())
            yield declined
            yield Answer(declined, True, (), (), clock.finish(), Usage(), generator.name, notes=(DECLINED_NOTE,))
            return
        with clock("rewrite"):
            query = self._standing_alone(query, generator)
        language = language_of(query.text)
        yield Rewritten(query.text)
        with clock("search"):
            found = self.search(query)
        yield found
        options = self.options
        query = replace(query, text=found.read_as or query.text)
        # What a question excludes need not be in what answers it.
        asked = found.plainer or query.text
        evidence = None
        if found.hits:
            evidence = abstain.score(asked, found.hits, found.likeness, self.encoder.space.model)
        told = Answer(
            "",
            True,
            (),
            found.hits,
            {},
            Usage(),
            generator.name,
            notes=found.notes,
            evidence=evidence,
            stages=found.stages,
            how=found.how,
        )
        weights = options.self_check_weights.get(language) if options.self_check else None
        if evidence is None or (options.abstain and self._hopeless(evidence, weights)):
            yield from self._decline(told, query.text, asked, language, clock)
            return
        with clock("pack"):
            passages = self.passages(asked, language, found.hits, generator)
            read = at_both_ends(passages) if options.order == "ends" else passages
            seen = self._seen(passages, language)
            examples = self._examples(query.text, language, generator)
            messages = build_messages(
                query.text,
                language,
                read,
                prompts=self.prompts,
                images=seen,
                examples=examples,
                today=self.date_for(query),
            )
        told = replace(told, prompts=self._version)
        if query.explain:
            packed = Stage("pack", tuple((passage.hit.chunk.id, passage.hit.score) for passage in passages))
            prompt = tuple((message.role, message.content) for message in messages)
            told = replace(told, stages=(*found.stages, packed), prompt=prompt)
        if weights is not None:
            with clock("check"):
                told = self._checked(told, evidence, weights, generator, messages, query.text)
            if options.abstain and (told.evidence or 0.0) < abstain.threshold(options.abstain_below):
                yield from self._decline(told, query.text, asked, language, clock)
                return
        request = GenerationRequest(
            query.text, language, passages, (), messages, options.sampling, plainer=found.plainer
        )
        said = Generation(
            generator,
            request,
            narrow=partial(self._placed, passages=passages),
            unsupported=options.unsupported,
            verifier=self.verifier,
            policy=self.policy,
            prompts=self.prompts,
            clock=clock,
        )
        yield from said
        cited = said.result
        told = replace(told, usage=said.usage, dropped_markers=cited.dropped, notes=(*told.notes, *said.notes))
        if (not cited.text and cited.unsupported) or declines(cited.text):
            text = self._refusal(query.text, asked, language, found.hits)
            yield replace(told, text=text, timings=clock.finish())
            return
        yield replace(
            told,
            text=cited.text,
            abstained=False,
            citations=said.citations,
            timings=clock.finish(),
            support=cited.support,
            unsupported=cited.unsupported,
        )

    def date_for(self, query: Query) -> date | None:
        """Today, where an answer depends on it."""
        texts = [query.text, *(turn.content for turn in query.turns)]
        return self.today() if self.options.tell_date and any(map(relative_times, texts)) else None

    def _decline(self, told: Answer, question: str, asked: str, language: str, clock: Clock) -> Iterator[Event]:
        text = self._refusal(question, asked, language, told.context)
        yield text
        yield replace(told, text=text, timings=clock.finish())

    def _checked(
        self,
        told: Answer,
        evidence: float,
        weights: self_check.Weights,
        generator: Generator,
        messages: Sequence[Message],
        question: str,
    ) -> Answer:
        """With what the generator says of the passages in its evidence."""
        yes = self_check.ask(generator, self_check_messages(messages, question, language_of(question), self.prompts))
        if yes is None:
            late = self_check.LATE_NOTE.format(seconds=self_check.SECONDS)
            return replace(told, notes=(*told.notes, late))
        return replace(told, evidence=self_check.combined(evidence, yes, weights), self_check=yes)

    @property
    def _version(self) -> str:
        """Of the prompt: its texts and its examples."""
        examples = self.options.examples
        return f"{self.prompts.version}; examples: {examples.version}" if examples.all else self.prompts.version

    def _hopeless(self, evidence: float, weights: self_check.Weights | None) -> bool:
        """Whether the question is declined before the generator is asked."""
        least = abstain.threshold(self.options.abstain_below)
        return evidence < least if weights is None else not self_check.may_matter(evidence, least, weights)

    def _examples(self, question: str, language: str, generator: Generator) -> tuple[Example, ...]:
        options = self.options
        if not options.examples.all:
            return ()
        return choose_examples(
            question,
            language,
            options.examples.all,
            self.encoder,
            most=options.example_count,
            choice=options.example_choice,
            count_tokens=generator.count_tokens,
            budget=options.example_tokens,
            prompts=self.prompts,
        )

    def _seen(self, passages: Sequence[Passage], language: str) -> tuple[LabelledImage, ...]:
        options = self.options
        if not options.images:
            return ()
        label = partial(self.prompts.text, language, "answer.picture")
        return illustrate(
            passages, self.look, lambda number: label(number=number), limit=options.images, pixels=options.image_pixels
        )

    def passages(self, question: str, language: str, hits: Sequence[Hit], generator: Generator) -> tuple[Passage, ...]:
        """What the generator is given to read, numbered by rank or as in the documents, within `Options.passage_tokens` of its tokens."""
        options = self.options
        render = partial(render_passage, language=language, prompts=self.prompts)
        count, budget = generator.count_tokens, options.passage_tokens
        passages = pack(
            widen(merge(hits, budget // 2) if options.merge else hits, self.library),
            question=question,
            budget=budget,
            count_tokens=count,
            render=render,
            limit=options.passages,
            share=options.compress,
        )
        read = expand(passages, self.library, budget=budget, count_tokens=count, render=render)
        return as_in_documents(read) if options.order == "document" else read

    def _writer(self) -> Generator | None:
        """None where nobody can write: a rule serves."""
        try:
            return self.generate() if self.options.rewrite else None
        except GeneratorUnavailable:
            return None

    def _standing_alone(self, query: Query, generator: Generator | None) -> Query:
        writer = Remembering(generator, self.steps) if generator is not None and self.options.rewrite else None
        return replace(query, text=standalone(query, writer, self.prompts), turns=())

    def _placed(self, citations: Sequence[Citation], passages: Sequence[Passage]) -> tuple[Citation, ...]:
        """Each at the chunk of its window and at the lines of its quote."""
        return locate(narrow(citations, passages, self.library), self.library)

    def _refusal(self, question: str, asked: str, language: str, hits: Sequence[Hit]) -> str:
        return abstention(question, language, hits[:3], content_words(asked), self.prompts)
