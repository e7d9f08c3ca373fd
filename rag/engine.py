"""The whole question flow on one screen.

turns → rewrite → recall (text vectors ∥ picture entries ∥ pixels ∥ lexical) → fuse → hydrate → fold → rerank
      → abstain? → widen + pack + expand → generate (stream) → cite (check) → Answer
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from rag.answers import Answer, Citation, Hit, Passage, Query, SearchResult, Stage, Usage
from rag.clock import Clock
from rag.errors import BadRequest
from rag.language import language_of
from rag.prompts import abstention, build_messages, render_passage
from rag.protocols import (
    GenerationRequest,
    Generator,
    ImageDescriber,
    ImageEncoder,
    IndexKey,
    Library,
    Reranker,
    Sampling,
    TextEncoder,
    Vectors,
)
from rag.retrieval import abstain
from rag.retrieval.beyond_words import beyond_words
from rag.retrieval.cite import resolve
from rag.retrieval.convex import convex_combination
from rag.retrieval.diversify import diversify
from rag.retrieval.expand import expand
from rag.retrieval.fold import fold_repeats
from rag.retrieval.fuse import Fused, reciprocal_rank_fusion
from rag.retrieval.pack import pack
from rag.retrieval.recall import Need, Ranking, Retriever
from rag.retrieval.regularise import regularise
from rag.retrieval.rerank import rerank
from rag.retrieval.rewrite import standalone
from rag.retrieval.widen import narrow, widen
from rag.words import content_words

MAX_TOP_K = 200


@dataclass(frozen=True, slots=True)
class Options:
    """Numbers of the question flow. `weights` are by retriever; `depth` is what each retriever recalls."""

    depth: int = 100
    depths: Mapping[str, int] = field(default_factory=dict)
    """Other depths than `depth`, by retriever."""
    fusion: Literal["convex", "rrf"] = "convex"
    rrf_k: float = 60.0
    weights: Mapping[str, float] = field(default_factory=dict)
    regularise: float = 0.2
    """λ of score regularisation, in [0, 1]; 0 leaves the fused scores alone."""
    diversity: float = 0.0
    """1 − λ of maximal marginal relevance, in [0, 1]; 0 leaves the order alone."""
    rerank_depth: int = 30
    passages: int = 5
    passage_tokens: int = 1200
    sampling: Sampling = field(default_factory=Sampling)
    abstain: bool = True
    abstain_below: float | None = None


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The question as it is searched for."""

    question: str


Event = Rewritten | SearchResult | str | Citation | Answer
"""What `answer` gives, in this order: the rewritten question, what was found, pieces of text, citations, the answer."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Answers questions. Holds adapters, no state of its own; safe to use from several threads."""

    library: Library
    encoder: TextEncoder
    retrievers: Sequence[Retriever]
    generate: Callable[[], Generator]
    """Gives the generator; called when an answer is asked for, so that a search never loads one."""
    describer: ImageDescriber | None = None
    image_encoder: ImageEncoder | None = None
    reranker: Reranker | None = None
    options: Options = Options()
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "tuwen-recall"))

    def search(self, query: Query) -> SearchResult:
        """Raises BadRequest for an empty query, CorruptFile for a picture that is none, Unavailable and SetupError."""
        clock = Clock()
        if not 1 <= query.top_k <= MAX_TOP_K:
            raise BadRequest(f"top_k is {query.top_k}.", f"Give a number from 1 to {MAX_TOP_K}.")
        with clock("describe"):
            text = self._question_text(query)
        need = Need(text, query.collection, {}, query.filter, max(self.options.depth, query.top_k))
        rankings = self._recall(query, need, clock)
        with clock("fuse"):
            fused = self._fuse(text, query.collection, rankings)
        with clock("hydrate"):
            # Repeats are folded after reading, so that more is read than is asked for.
            wanted = max(query.top_k, self.options.rerank_depth if self.reranker else 0) * 3
            found = self.library.hydrate([f.chunk_id for f in fused[:wanted]])
            candidates = [Hit(*found[f.chunk_id], f.score, f.ranks) for f in fused[:wanted] if f.chunk_id in found]
            hits = list(fold_repeats(candidates))
        stages = [Stage(name, tuple(ranking)) for name, ranking in rankings.items()]
        stages += [Stage("fuse", tuple((f.chunk_id, f.score) for f in fused)), _stage("fold", hits)]
        if self.reranker is not None and text:
            with clock("rerank"):
                hits = rerank(self.reranker, text, hits, self.options.rerank_depth)
            stages.append(_stage("rerank", hits))
        if self.options.diversity > 0:
            with clock("diversify"):
                near = self._vectors_of(query.collection, [hit.chunk.id for hit in hits])
                hits = diversify(hits, *near, relevance=1 - self.options.diversity, first=query.top_k)
            stages.append(_stage("diversify", hits))
        hits = hits[: query.top_k]
        if not query.explain:
            return SearchResult(tuple(hits), clock.finish())
        stages.append(_stage("hits", hits))
        return SearchResult(tuple(hits), clock.finish(), (), tuple(stages), abstain.score(text, hits))

    def _fuse(self, text: str, collection: str, rankings: Mapping[str, Ranking]) -> list[Fused]:
        options = self.options
        names = {name: [chunk_id for chunk_id, _ in ranking] for name, ranking in rankings.items()}
        languages = self.library.languages(list(dict.fromkeys(names.get("dense", []) + names.get("entries", []))))
        asked = language_of(text)
        if options.fusion == "rrf":
            assumed = {"lexical": beyond_words(names, languages, asked)}
            fused = reciprocal_rank_fusion(names, k=options.rrf_k, weights=options.weights, assumed=assumed)
        else:
            foreign = [chunk_id for chunk_id, language in languages.items() if language != asked]
            fused = convex_combination(rankings, depth=options.depth, weights=options.weights, foreign=foreign)
        if options.regularise > 0:
            near = self._vectors_of(collection, [candidate.chunk_id for candidate in fused[: options.depth]])
            fused = regularise(fused, *near, weight=options.regularise)
        return fused

    def _vectors_of(self, collection: str, chunk_ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """The text vectors of the chunks that have one."""
        return self.library.vectors_by_id(IndexKey(collection, self.encoder.space.id, "text"), chunk_ids)

    def answer(self, query: Query) -> Iterator[Event]:
        """The events of an answer as they come; closing the iterator stops the generator. Raises what `search` raises."""
        clock = Clock()
        generator = self.generate()
        with clock("rewrite"):
            query = replace(query, text=standalone(query, generator), turns=())
        language = language_of(query.text)
        yield Rewritten(query.text)
        with clock("search"):
            found = self.search(query)
        yield found
        options = self.options
        evidence = abstain.score(query.text, found.hits) if found.hits else None
        if evidence is None or (options.abstain and evidence < abstain.threshold(query.text, options.abstain_below)):
            text = abstention(query.text, language, found.hits[:3], content_words(query.text))
            yield text
            yield Answer(
                text,
                True,
                (),
                found.hits,
                clock.finish(),
                Usage(),
                generator.name,
                evidence=evidence,
                stages=found.stages,
            )
            return
        with clock("pack"):
            passages = self._pack(query.text, language, found.hits, generator)
            messages = build_messages(query.text, language, passages)
        packed = Stage("pack", tuple((passage.hit.chunk.id, passage.hit.score) for passage in passages))
        request = GenerationRequest(query.text, language, passages, (), messages, options.sampling)
        pieces: list[str] = []
        usage = Usage()
        with clock("generate"):
            for piece in generator.stream(request):
                if isinstance(piece, Usage):
                    usage = piece
                    continue
                if not pieces:
                    clock.mark("first_token")
                pieces.append(piece)
                yield piece
        with clock("cite"):
            cited = resolve("".join(pieces), passages)
            citations = narrow(cited.citations, passages, self.library)
        yield from citations
        yield Answer(
            cited.text,
            False,
            citations,
            found.hits,
            clock.finish(),
            usage,
            generator.name,
            cited.dropped,
            (*found.notes, *cited.notes),
            evidence,
            (*found.stages, packed) if query.explain else (),
            tuple((message.role, message.content) for message in messages) if query.explain else (),
        )

    def _pack(self, question: str, language: str, hits: Sequence[Hit], generator: Generator) -> tuple[Passage, ...]:
        options = self.options
        render = partial(render_passage, language=language)
        count, budget = generator.count_tokens, options.passage_tokens
        passages = pack(
            widen(hits, self.library),
            question=question,
            budget=budget,
            count_tokens=count,
            render=render,
            limit=options.passages,
        )
        return expand(passages, self.library, budget=budget, count_tokens=count, render=render)

    def _question_text(self, query: Query) -> str:
        """What the text retrievers look for: the question and, for a picture, what the describer sees on it."""
        parts = [query.text.strip()]
        if query.image is not None and self.describer is not None:
            parts.extend(entry.text for entry in self.describer.describe(query.image))
        text = "\n".join(part for part in parts if part)
        if not text and (query.image is None or self.image_encoder is None):
            raise BadRequest(
                "The query is empty." if query.image is None else "Nothing was recognised on the picture.",
                "Ask a question in words, or send a picture.",
            )
        return text

    def _recall(self, query: Query, need: Need, clock: Clock) -> dict[str, Ranking]:
        """All retrievers side by side; the one that needs no vector begins while the question is encoded."""
        began = time.perf_counter()
        early = {
            r.name: self.pool.submit(r.recall, self._deep(r, need)) for r in self.retrievers if r.name == "lexical"
        }
        with clock("encode"):
            need = replace(need, vectors=self._vectors(query, need.text))
        encoded = time.perf_counter() - began
        rankings = {r.name: r.recall(self._deep(r, need)) for r in self.retrievers if r.name not in early}
        rankings |= {name: future.result() for name, future in early.items()}
        clock.add("recall", time.perf_counter() - began - encoded)
        return rankings

    def _deep(self, retriever: Retriever, need: Need) -> Need:
        depth = self.options.depths.get(retriever.name)
        return need if depth is None else replace(need, depth=depth)

    def _vectors(self, query: Query, text: str) -> dict[str, Vectors]:
        vectors: dict[str, Vectors] = {}
        wanted = {r.name for r in self.retrievers}
        if text and wanted & {"dense", "entries"}:
            vectors[self.encoder.space.id] = self.encoder.encode_queries([text])[0]
        if self.image_encoder is not None and "pixels" in wanted:
            if query.image is not None:
                vectors[self.image_encoder.space.id] = self.image_encoder.encode_images([query.image])[0]
            else:
                vectors[self.image_encoder.space.id] = self.image_encoder.encode_texts([query.text])[0]
        return vectors


def _stage(name: str, hits: Sequence[Hit]) -> Stage:
    return Stage(name, tuple((hit.chunk.id, hit.score) for hit in hits))
