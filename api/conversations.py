"""Questions asked in a stored conversation: read with what was said before, answered within its scope, kept with what they were
answered from.

A conversation answers one question at a time: a second one is refused while the first is under way. What breaks off is kept as far as it came.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from api.access import Caller
from api.schemas import FilterBody, QueryBody
from rag.answers import EVERYTHING, Answer, Citation, Filter, Hit, Query, SearchResult
from rag.documents import Document
from rag.engine import Event, Rewritten
from rag.errors import Abandoned, BadRequest, ConversationBusy, NotFound, TuwenError
from rag.retrieval import history
from rag.retrieval.history import Exchange
from rag.stores.conversations import (
    Conversation,
    ConversationStore,
    KeptCitation,
    KeptPassage,
    StoredTurn,
    path,
)

if TYPE_CHECKING:
    from api.service import Service

REWRITE_TOKENS = 100
"""Left in the generator's context for the question that it makes to stand alone."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of an answer in a conversation. `turn` is None when the conversation was deleted meanwhile."""

    answer: Answer
    turn: StoredTurn | None


@dataclass(frozen=True, slots=True)
class Begun:
    """The question as it is searched for, and the turn that it becomes: it can be asked anew, whatever comes of it."""

    question: str
    conversation_id: str
    turn_id: str


def ask(service: Service, body: QueryBody, *, caller: Caller) -> Iterator[Event | Begun | Answered]:
    """The events of an answer, in the conversation that the request names or in none. Raises what `check` raises."""
    if body.conversation_id is not None:
        return service.conversations.of(caller).answer(body)
    check(service, body, caller=caller)
    return service.answer(body.to_query(), access=caller.access)


def check(service: Service, body: QueryBody, *, caller: Caller) -> None:
    """Raises BadRequest, NotFound and ConversationBusy for a request that cannot be answered, before anything is done."""
    if body.conversation_id is not None:
        service.conversations.of(caller).check(body)
    elif body.replaces is not None:
        raise BadRequest("`replaces` names a turn of no conversation.", "Give its `conversation_id`, too.")


class Conversations:
    """The conversations of one caller: at first of the owner of the data directory. Safe to use from several threads."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.store, self._access = ConversationStore(service.library.database), EVERYTHING
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    def of(self, caller: Caller) -> Conversations:
        """Those of another caller. What is under way is known to all, since ids are nobody's twice."""
        other = copy(self)
        other.store, other._access = ConversationStore(self.service.library.database, caller.name), caller.access
        return other

    def reads(self, document_id: str) -> bool:
        """Whether there is such a document that the caller may read."""
        try:
            collection = self.service.document(document_id).document.collection
        except NotFound:
            return False
        named = Filter(document_ids=frozenset({document_id}))
        return self.service.library.has_collection(collection, named & self._access.rule)

    # --- what there is -----------------------------------------------------------------------------------------------

    def create(self, collection: str, title: str = "", scope: FilterBody | None = None) -> Conversation:
        """Raises NotFound for a document in the scope that is not there."""
        scope = scope or FilterBody()
        self._check_scope(collection, scope)
        made = Conversation(collection, " ".join(title.split()), scope.model_dump_json())
        self.store.create(made)
        return made

    def change(self, conversation_id: str, title: str | None, scope: FilterBody | None) -> Conversation:
        """What is None stays. Raises NotFound, BadRequest."""
        if title is not None and not title.strip():
            raise BadRequest("A conversation needs a title.", "Give one of at least one character.")
        if scope is not None:
            conversation = self.store.get(conversation_id)
            self._check_scope(conversation.collection, scope, set(scope_of(conversation).document_id))
        return self.store.change(
            conversation_id,
            title=None if title is None else " ".join(title.split()),
            scope=None if scope is None else scope.model_dump_json(),
        )

    def widen(self, conversation_id: str, name: str) -> Conversation:
        """Takes a document of its collection into the scope, where that names documents. Raises NotFound."""
        conversation = self.store.get(conversation_id)
        scope = scope_of(conversation)
        document_id = Document.make_id(conversation.collection, name)
        if scope.document_id and document_id not in scope.document_id:
            scope = scope.model_copy(update={"document_id": [*scope.document_id, document_id]})
        if scope.name and name not in scope.name:
            scope = scope.model_copy(update={"name": [*scope.name, name]})
        return self.store.change(conversation_id, scope=scope.model_dump_json())

    def branch(self, conversation: Conversation) -> list[StoredTurn]:
        """The turns that are shown, oldest first."""
        return path(self.store.turns(conversation.id), conversation.head)

    def _check_scope(self, collection: str, scope: FilterBody, known: set[str] | None = None) -> None:
        scope.to_filter()
        there = {stored.document.id for stored in self.service.documents(collection)} if scope.document_id else set()
        there = {id_ for id_ in scope.document_id if id_ in there and self.reads(id_)}
        missing = [id_ for id_ in scope.document_id if id_ not in there | (known or set())]
        if missing:
            raise NotFound(
                f"There is no document {missing[0]} in collection {collection!r}.",
                "`tuwen documents list` shows those there are.",
            )

    # --- asking ------------------------------------------------------------------------------------------------------

    def check(self, body: QueryBody) -> Conversation:
        """Raises what `answer` would before it begins."""
        conversation = self.store.get(body.conversation_id or "")
        if body.turns:
            raise BadRequest("A stored conversation has its own turns.", "Leave out `turns`, or `conversation_id`.")
        if "collection" in body.model_fields_set and body.collection not in ("default", conversation.collection):
            raise BadRequest(
                f"The conversation is about {conversation.collection!r}, not {body.collection!r}.",
                "Begin another one for another collection.",
            )
        if conversation.id in self._busy:
            raise _busy()
        if body.replaces is not None and self.store.turn(body.replaces).conversation_id != conversation.id:
            raise NotFound(f"There is no turn {body.replaces} in this conversation.", "Load it again.")
        return conversation

    def answer(self, body: QueryBody) -> Iterator[Event | Begun | Answered]:
        """The events of an answer; the turn is stored before the last of them is given. Closing the iterator stops the generator and
        keeps what was said so far. Raises NotFound, BadRequest, ConversationBusy, and what an answer raises."""
        conversation = self.check(body)
        with self._alone(conversation.id):
            conversation = self.store.get(conversation.id)
            draft, query = self._prepare(conversation, body)
            heard = _Heard(draft)
            try:
                # Who asks a turn anew wants another answer.
                fresh = body.replaces is not None or not self.service.settings.answer.cache_conversations
                for event in self.service.answer(query, access=self._access, fresh=fresh):
                    if isinstance(event, Answer):
                        yield self._keep(heard.complete(event), event)
                    else:
                        heard.hear(event)
                        yield (
                            Begun(event.question, conversation.id, draft.id) if isinstance(event, Rewritten) else event
                        )
            except TuwenError as error:
                # Who stopped an answer knows why it broke off.
                heard.error = "" if isinstance(error, Abandoned) else error.message
                raise
            finally:
                if not heard.done:
                    with contextlib.suppress(NotFound):
                        self.store.put(heard.incomplete())

    def _prepare(self, conversation: Conversation, body: QueryBody) -> tuple[StoredTurn, Query]:
        turns = self.store.turns(conversation.id)
        parent = conversation.head if body.replaces is None else self.store.turn(body.replaces).parent
        before = path(turns, parent)
        exchanges = [Exchange(turn.searched or turn.question, turn.answer) for turn in before]
        query = body.to_query()
        query = replace(
            query, collection=conversation.collection, filter=query.filter & scope_of(conversation).to_filter()
        )
        summary = ""
        if exchanges:
            generator, prompts = self.service.generator, self.service.engine.prompts
            writes = self.service.settings.answer.summary == "generator"
            # One step further than its parent, a summary is that of the parent and what left since.
            summary = history.summarise(exchanges, before[-1].summary, generator if writes else None, prompts)
            budget = generator.context_tokens - REWRITE_TOKENS
            folded = history.fold(query.text, exchanges, summary, generator.count_tokens, budget, prompts)
            query = replace(query, turns=folded)
        return StoredTurn(conversation.id, parent, query.text.strip(), summary=summary), query

    def _keep(self, turn: StoredTurn, answer: Answer) -> Answered:
        try:
            return Answered(answer, self.store.put(turn))
        except NotFound:
            note = "The conversation was deleted meanwhile: this answer is not kept."
            return Answered(replace(answer, notes=(*answer.notes, note)), None)

    @contextlib.contextmanager
    def _alone(self, conversation_id: str) -> Iterator[None]:
        with self._guard:
            if conversation_id in self._busy:
                raise _busy()
            self._busy.add(conversation_id)
        try:
            yield
        finally:
            with self._guard:
                self._busy.discard(conversation_id)


class _Heard:
    """What came of an answer so far."""

    def __init__(self, draft: StoredTurn) -> None:
        self._draft = draft
        self._pieces: list[str] = []
        self._citations: list[Citation] = []
        self.done = False
        self.error = ""

    def hear(self, event: Event) -> None:
        if isinstance(event, Rewritten):
            self._draft = replace(self._draft, searched=event.question)
        elif isinstance(event, SearchResult):
            self._draft = replace(self._draft, context=tuple(map(_passage, event.hits)))
        elif isinstance(event, Citation):
            self._citations.append(event)
        elif isinstance(event, str):
            self._pieces.append(event)

    def complete(self, answer: Answer) -> StoredTurn:
        self.done = True
        return replace(
            self._draft,
            answer=answer.text,
            abstained=answer.abstained,
            citations=tuple(map(_citation, answer.citations)),
            context=tuple(map(_passage, answer.context)),
            notes=answer.notes,
            timings=dict(answer.timings),
            generator=answer.generator,
        )

    def incomplete(self) -> StoredTurn:
        # Markers in text that was not checked may name anything: only what was checked is kept as a citation.
        return replace(
            self._draft,
            answer="".join(self._pieces),
            state="incomplete",
            citations=tuple(map(_citation, self._citations)),
            error=self.error,
        )


def scope_of(conversation: Conversation) -> FilterBody:
    return FilterBody.model_validate_json(conversation.scope)


def _busy() -> ConversationBusy:
    return ConversationBusy(
        "Another question of this conversation is being answered.", "Wait for its end, or stop it, then ask again."
    )


def _passage(hit: Hit) -> KeptPassage:
    chunk, document = hit.chunk, hit.document
    return KeptPassage(
        chunk.id,
        document.id,
        document.name,
        document.media_type,
        chunk.kind,
        chunk.page,
        tuple(tuple(box.as_list()) for box in chunk.boxes),
        chunk.headings,
        chunk.text,
        round(hit.score, 6),
        tuple(hit.sources),
    )


def _citation(item: Citation) -> KeptCitation:
    return KeptCitation(
        item.marker,
        item.chunk_id,
        item.document.id,
        item.document.name,
        item.document.media_type,
        item.page,
        tuple(tuple(box.as_list()) for box in item.boxes),
        item.quote,
        item.verified,
        round(item.score, 4),
    )
