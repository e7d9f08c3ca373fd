"""The search flow on one screen: describe → spell → exclusions, variants? → recall (all retrievers) → fuse → rocchio → regularise → hydrate
→ fold → rerank | align? → diversify? → noise?
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import nsmallest

import numpy as np

from rag.answers import Hit, Query, Scheme, SearchResult, Stage
from rag.clock import Clock
from rag.crowd import Crowd
from rag.documents import AnyChunk, DocumentRef, ImageData
from rag.errors import Abandoned, BadRequest, BadSetting, SetupError, TuwenError, Unavailable
from rag.language import language_of
from rag.options import Options
from rag.prompts import BUILT_IN, Prompts, spelling_notes
from rag.protocols import (
    Aligner,
    Generator,
    ImageDescriber,
    ImageEncoder,
    IndexKey,
    Library,
    Reranker,
    TextEncoder,
    Vectors,
    Vocabulary,
)
from rag.retrieval import abstain
from rag.retrieval.align import Picture, align_all, align_pictures, no_picture
from rag.retrieval.beyond_words import beyond_words
from rag.retrieval.convex import Convex, ranks_of
from rag.retrieval.diversify import diversify
from rag.retrieval.exclusion import without_exclusions
from rag.retrieval.fold import fold
from rag.retrieval.fuse import Fused, reciprocal_rank_fusion
from rag.retrieval.likeness import likeness
from rag.retrieval.near import NOTHING_NEAR, Near
from rag.retrieval.noise import without_noise
from rag.retrieval.question import plain, says_nothing, with_picture
from rag.retrieval.recall import Need, Ranking, Retriever, space_of
from rag.retrieval.regularise import regularise
from rag.retrieval.remember import Remembering, StepCache
from rag.retrieval.rerank import CLOSED, FOREIGN, Gate, from_the_other_language, rerank
from rag.retrieval.rocchio import FIRST, rocchio
from rag.retrieval.same_picture import same_first
from rag.retrieval.spelling import Spelling, correct, held_whole, respell
from rag.retrieval.variants import Variants, average, make_variants

MAX_TOP_K = 200
_SPARE = 20
"""Passages that are read beyond those wanted, since repeats are folded."""
_DEEPER = 3
"""So many times as many are read where folding left too few."""


@dataclass(frozen=True, slots=True)
class _Fine:
    """The reranker for one question, None where the gate is shut; `across` languages or not."""

    reranker: Reranker | None = None
    gate: Gate = CLOSED
    across: bool = False


@dataclass(slots=True)
class _Told:
    """What a search tells of its steps, gathered on the way."""

    stages: list[Stage] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Searcher:
    """Finds passages. Holds adapters, and no state but what a generator wrote for steps of questions; safe to use from several threads."""

    library: Library
    encoder: TextEncoder
    retrievers: Sequence[Retriever]
    generate: Callable[[], Generator]
    """Gives the generator; called when an answer is asked for, so that a search never loads one."""
    describer: ImageDescriber | None = None
    image_encoder: ImageEncoder | None = None
    reranker: Reranker | None = None
    aligner: Aligner[str] | None = None
    picture_aligner: Aligner[ImageData] | None = None
    picture: Picture = no_picture
    """Reads the picture of a chunk, for the picture aligner."""
    vocabulary: Vocabulary | None = None
    options: Options = field(default_factory=Options)
    prompts: Prompts = BUILT_IN
    steps: StepCache = field(default_factory=StepCache)
    """What a generator wrote for steps of the question."""
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "tuwen-recall"))
    crowd: Crowd = field(default_factory=Crowd)

    def search(self, query: Query) -> SearchResult:
        """Raises BadRequest for an empty query, CorruptFile for a picture that is none, Unavailable and SetupError."""
        with self.crowd:
            return self._search(query)

    def _search(self, query: Query) -> SearchResult:
        clock = Clock()
        query = replace(query, text=plain(query.text))
        if not 1 <= query.top_k <= MAX_TOP_K:
            raise BadRequest(f"top_k is {query.top_k}.", f"Give a number from 1 to {MAX_TOP_K}.")
        with clock("describe"):
            asked = self._question_text(query)
        with clock("spell"):
            spelling = self._spell(asked, query)
            text, query = spelling.text, replace(query, text=respell(query.text, spelling.changed))
        scheme = query.scheme or self.options.scheme
        aligning = self._aligner() if scheme == "aligned" and text else None
        deep = max(self.options.depth, query.top_k, self.options.aligned_depth if aligning else 0)
        # By words, what was written is searched for beside what it was read as.
        need = Need(f"{asked} {spelling.added}".strip(), query.collection, {}, query.allowed, deep)
        variants, notes = self._variants(query, clock)
        rankings, vector = self._recall(query, need, text, clock, variants.passages)
        others = [self._recall(replace(query, image=None), replace(need, text=q), q, clock) for q in variants.questions]
        with self.crowd.turn:
            with clock("fuse"):
                near = self._near(query.collection, [rankings, *(found for found, _ in others)], scheme)
                varied = [self._fuse(q, *found, near) for q, found in zip(variants.questions, others, strict=True)]
                fused = average(self._fuse(query.text or text, rankings, vector, near), varied)
                fused = self._regularise(fused, near)
            fine = self._fine(text, scheme, fused)
            with clock("hydrate"):
                hits = self._hits(query, fused, self._wanted(query, fine.gate.depth, aligning is not None))
        told = _Told(notes=notes, skipped=("variants",) if notes else ())
        if query.explain:
            told.stages += [Stage(name, tuple(ranking)) for name, ranking in rankings.items()]
            told.stages += [_fused(f"variant {n}", found) for n, found in enumerate(varied, start=1)]
            told.stages += [_fused("fuse", fused), _stage("fold", hits)]
        hits, fine = self._reranked(text, hits, fine, told, clock)
        hits = self._aligned(query, text, scheme, hits, aligning, told, clock)
        hits = self._thinned(query, hits, fine, told, clock)[: query.top_k]
        seen, read_as = likeness(rankings), query.text if spelling.changed else ""
        notes = (*spelling_notes(spelling.changed, language_of(text), self.prompts), *told.notes)
        # By vectors everything that is allowed is found.
        if not fused and query.filter and any(space_of(r) is not None for r in self.retrievers):
            notes = (*notes, "No passage of this collection fits the filter.")
        result = SearchResult(
            tuple(hits),
            clock.finish(),
            notes,
            read_as=read_as,
            plainer=variants.plainer,
            likeness=seen,
            skipped=told.skipped,
        )
        if not query.explain:
            return result
        return replace(
            result,
            stages=(*told.stages, _stage("hits", hits)),
            evidence=abstain.score(variants.plainer or text, hits, seen, self.encoder.space.model),
            how=self._how(text, scheme, variants, fine, told),
        )

    def _reranked(self, text: str, hits: list[Hit], fine: _Fine, told: _Told, clock: Clock) -> tuple[list[Hit], _Fine]:
        if fine.reranker is None:
            return hits, fine
        try:
            with clock("rerank"):
                hits = rerank(fine.reranker, text, hits, fine.gate.depth, weight=fine.gate.weight)
        except Abandoned:
            raise
        except Unavailable as error:
            # What was found is worth more than an error, and whoever measures is told.
            told.notes, told.skipped = (*told.notes, _without(error)), (*told.skipped, "rerank")
            return hits, replace(fine, reranker=None)
        told.stages.append(_stage("rerank", hits))
        return hits, fine

    def _aligned(
        self,
        query: Query,
        text: str,
        scheme: Scheme,
        hits: list[Hit],
        aligning: Aligner[str] | None,
        told: _Told,
        clock: Clock,
    ) -> list[Hit]:
        """By fine-grained alignment: all of the first hits in the scheme `aligned`, pictures among the first in `hybrid`."""
        if aligning is not None:
            with clock("align"):
                hits = align_all(text, hits[: self.options.aligned_depth], aligning, self.picture_aligner, self.picture)
        elif scheme == "hybrid" and self.picture_aligner is not None and query.text.strip():
            with clock("align"):
                hits = align_pictures(
                    query.text, hits, self.picture_aligner, self.picture, depth=self.options.rerank_depth
                )
        else:
            return hits
        told.stages.append(_stage("align", hits))
        return hits

    def _thinned(self, query: Query, hits: list[Hit], fine: _Fine, told: _Told, clock: Clock) -> list[Hit]:
        """Without what repeats better hits, or falls below the least score; a picture that is the question comes first."""
        if query.image is not None and not query.text.strip():
            hits = same_first(hits, query.image)
        if self.options.diversity > 0:
            with clock("diversify"):
                vectors = self._vectors_of(query.collection, [hit.chunk.id for hit in hits])
                hits = diversify(hits, *vectors, relevance=1 - self.options.diversity, first=query.top_k)
            told.stages.append(_stage("diversify", hits))
        # The least score was fitted on scores of questions about passages in their own language.
        if self.options.least_score > 0 and "rerank" not in told.skipped and not fine.across:
            # What the reranker did not read has a score of another kind, and is worse than all that it read.
            read = fine.gate.depth if fine.reranker is not None else len(hits)
            above = without_noise(hits[:read], self.options.least_score)
            if hits and not above:
                told.notes = (*told.notes, f"No passage scored {self.options.least_score:g} (retrieval.least_score).")
            hits = above
            told.stages.append(_stage("noise", hits))
        return hits

    def _how(self, text: str, scheme: Scheme, variants: Variants, fine: _Fine, told: _Told) -> dict[str, object]:
        used = fine.reranker or (self.reranker if "rerank" not in told.skipped else None)
        gate = fine.gate
        return {
            "question": text,
            "language": language_of(text),
            "scheme": scheme,
            "fusion": self.options.fusion,
            "reranker": {"name": used.name, "depth": gate.depth, "weight": gate.weight} if used else None,
            "variants": {"questions": list(variants.questions), "passages": list(variants.passages)},
            "skipped": list(told.skipped),
        }

    def _fine(self, text: str, scheme: Scheme, fused: Sequence[Fused]) -> _Fine:
        """The reranker, and how far it is let through for a question in this language, about passages in these."""
        if self.reranker is None or scheme != "hybrid" or not text:
            return _Fine()
        options, asked = self.options, language_of(text)
        gate, across = options.rerank_by_language.get(asked, Gate(options.rerank_weight, options.rerank_depth)), False
        if FOREIGN in options.rerank_by_language:
            first = self.library.languages([one.chunk_id for one in fused[: options.rerank_by_language[FOREIGN].depth]])
            across = from_the_other_language(asked, first.values())
            gate = options.rerank_by_language[FOREIGN] if across else gate
        return _Fine(self.reranker, gate, across) if gate.open else _Fine()

    def _wanted(self, query: Query, reranked: int, aligning: bool) -> int:
        """Hits that the steps after folding look at."""
        wanted = max(query.top_k, reranked, self.options.rerank_depth if self.picture_aligner is not None else 0)
        wanted = max(wanted, self.options.aligned_depth if aligning else 0)
        # Diversity chooses among more than it leaves.
        return wanted * _DEEPER if self.options.diversity > 0 else wanted

    def _hits(self, query: Query, fused: Sequence[Fused], wanted: int) -> list[Hit]:
        """At least `wanted` of the fused, read and with repeats folded, as far as there are so many."""
        hits: list[Hit] = []
        # Each passage that is read costs some 60 µs, to make it and to compare it with the others: of 100 hits few repeat one another.
        for reach in (wanted + _SPARE, wanted * _DEEPER + _SPARE):
            found = self._read(query, [f.chunk_id for f in fused[:reach]])
            candidates = [Hit(*found[f.chunk_id], f.score, f.ranks) for f in fused[:reach] if f.chunk_id in found]
            hits = fold(candidates, self.options.fold)
            if len(hits) >= wanted or reach >= len(fused):
                break
        return hits

    def _read(self, query: Query, chunk_ids: Sequence[str]) -> dict[str, tuple[AnyChunk, DocumentRef]]:
        """The chunks, of those that the caller may read: retrievers keep to the filter already, and one that did not would be stopped here."""
        if query.access.rule:
            permitted = self.library.allows(chunk_ids, query.access.rule)
            chunk_ids = [chunk_id for chunk_id in chunk_ids if chunk_id in permitted]
        return self.library.hydrate(chunk_ids)

    def _aligner(self) -> Aligner[str]:
        if self.aligner is None:
            raise BadSetting(
                f"The text encoder {self.encoder.space.model} gives no vectors of single tokens, which the scheme `aligned` compares.",
                "Choose another scheme (retrieval.scheme), or the encoder of the embedded profile.",
            )
        return self.aligner

    def _near(self, collection: str, found: Sequence[Mapping[str, Ranking]], scheme: Scheme) -> Near:
        """The text vectors of the candidates, for the steps of the scheme `hybrid` that compare them."""
        options = self.options
        if scheme != "hybrid" or max(options.rocchio, options.regularise) <= 0:
            return NOTHING_NEAR
        ids = [
            chunk_id for rankings in found for ranking in rankings.values() for chunk_id, _ in ranking[: options.depth]
        ]
        return Near.of(*self._vectors_of(collection, list(dict.fromkeys(ids))))

    def _fuse(self, text: str, rankings: Mapping[str, Ranking], vector: Vectors | None, near: Near) -> list[Fused]:
        options = self.options
        ranks = ranks_of(rankings)
        languages = self.library.languages(list(ranks))
        asked = language_of(text)
        if options.fusion == "rrf":
            names = {name: [chunk_id for chunk_id, _ in ranking] for name, ranking in rankings.items()}
            assumed = {"lexical": beyond_words(names, languages, asked)}
            return reciprocal_rank_fusion(names, k=options.rrf_k, weights=options.weights, assumed=assumed)
        foreign = {chunk_id for chunk_id, language in languages.items() if language != asked}
        convex = Convex(rankings, depth=options.depth, weights=options.weights, foreign=foreign)
        moved = rankings
        if vector is not None and near and rankings.get("dense"):
            scores = convex.scores(rankings) or {}
            first = nsmallest(FIRST, ((-score, id_) for id_, score in scores.items() if id_ in near))
            moved = {
                **rankings,
                "dense": rocchio(
                    vector,
                    rankings["dense"],
                    [(id_, -score) for score, id_ in first],
                    near,
                    weight=options.rocchio,
                    depth=options.depth,
                    foreign=foreign,
                ),
            }
        # What a retriever gave a passage stays what is told of it.
        return convex.fused(moved, ranks)

    def _regularise(self, fused: list[Fused], near: Near) -> list[Fused]:
        first = [one.chunk_id for one in fused[: self.options.depth] if one.chunk_id in near]
        if not first or self.options.regularise <= 0:
            return fused
        return regularise(fused, first, near.of_ids(first), weight=self.options.regularise)

    def _spell(self, text: str, query: Query) -> Spelling:
        if self.vocabulary is None or not self.options.spelling or not query.text:
            return Spelling(text)
        ordinary = partial(held_whole, count_tokens=self.encoder.count_tokens)
        return correct(text, self.vocabulary, query.collection, query.allowed, ordinary=ordinary)

    def _variants(self, query: Query, clock: Clock) -> tuple[Variants, tuple[str, ...]]:
        """The question without what it excludes, and what the generator makes of it; where that cannot be asked, what there is, and a note."""
        shorter = without_exclusions(query.text) if self.options.exclusions else ""
        plainly = Variants((shorter,) if shorter else (), plainer=shorter)
        if not self.options.variants or not query.text:
            return plainly, ()
        with clock("variants"):
            try:
                generator = Remembering(self.generate(), self.steps)
            except (Unavailable, SetupError) as error:
                return plainly, (_without(error),)
            kinds, count = self.options.variants, self.options.variant_count
            made = make_variants(query.text, generator, kinds, count, self.prompts)
            made = replace(made, questions=(*plainly.questions, *made.questions), plainer=shorter)
            return made, (_without(made.failed),) if made.failed else ()

    def _vectors_of(self, collection: str, chunk_ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """The text vectors of the chunks that have one."""
        return self.library.vectors_by_id(IndexKey(collection, self.encoder.space.id, "text"), chunk_ids)

    def _question_text(self, query: Query) -> str:
        """What the text retrievers look for: the question and, for a picture, what the describer sees on it."""
        text = query.text
        if query.image is not None and self.describer is not None:
            text = with_picture(text, self.describer.describe(query.image))
        if says_nothing(text) and (query.image is None or self.image_encoder is None):
            nothing = "has no word to look for" if text else "is empty"
            raise BadRequest(
                f"The query {nothing}." if query.image is None else "Nothing was recognised on the picture.",
                "Ask a question in words, or send a picture.",
            )
        return text

    def _recall(
        self, query: Query, need: Need, text: str, clock: Clock, passages: Sequence[str] = ()
    ) -> tuple[dict[str, Ranking], Vectors | None]:
        """All retrievers; those that need no vector, side by side with the encoding of `text`. The vectors of `passages` join the
        question's own, which is told too."""
        began = time.perf_counter()
        retrievers = self._retrievers(query)
        # Where others keep the processors busy, to hand work over saves nobody time, and costs some.
        aside = [r for r in retrievers if space_of(r) is None] if self.crowd.alone else []
        early = {r.name: self.pool.submit(r.recall, self._deep(r, need)) for r in aside}
        with clock("encode"):
            need = replace(need, vectors=self._vectors(query, text, passages))
        encoded = time.perf_counter() - began
        rankings = {r.name: r.recall(self._deep(r, need)) for r in retrievers if r.name not in early}
        rankings |= {name: future.result() for name, future in early.items()}
        clock.add("recall", time.perf_counter() - began - encoded)
        return rankings, need.vectors.get(self.encoder.space.id)

    def _retrievers(self, query: Query) -> list[Retriever]:
        """All in the scheme `hybrid`, those of vectors in the others."""
        hybrid = (query.scheme or self.options.scheme) == "hybrid"
        return [r for r in self.retrievers if hybrid or space_of(r) is not None]

    def _deep(self, retriever: Retriever, need: Need) -> Need:
        depth = self.options.depths.get(retriever.name)
        return need if depth is None else replace(need, depth=depth)

    def _vectors(self, query: Query, text: str, passages: Sequence[str]) -> dict[str, Vectors]:
        vectors: dict[str, Vectors] = {}
        wanted = {space_of(r) for r in self.retrievers}
        if text and self.encoder.space.id in wanted:
            vector = self.encoder.encode_queries([text])[0]
            if passages:
                mean = np.vstack([vector, self.encoder.encode_passages(passages)]).mean(axis=0)
                vector = mean / max(float(np.linalg.norm(mean)), 1e-9)
            vectors[self.encoder.space.id] = vector
        if self.image_encoder is not None and self.image_encoder.space.id in wanted:
            if query.image is not None:
                vectors[self.image_encoder.space.id] = self.image_encoder.encode_images([query.image])[0]
            else:
                vectors[self.image_encoder.space.id] = self.image_encoder.encode_texts([query.text])[0]
        return vectors


def _without(error: TuwenError) -> str:
    """The note of a search that did without a step."""
    return f"{error.message} The search did without it. {error.remedy}".strip()


def _fused(name: str, found: Sequence[Fused]) -> Stage:
    return Stage(name, tuple((one.chunk_id, one.score) for one in found))


def _stage(name: str, hits: Sequence[Hit]) -> Stage:
    return Stage(name, tuple((hit.chunk.id, hit.score) for hit in hits))
