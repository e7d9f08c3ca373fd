"""What Tuwen can do, in one object: the command line, the HTTP routes and the evaluation bench all call this.

A service owns a data directory. Models and the vector index are opened when first needed, so that listing documents loads none.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from api import wiring
from api.conversations import Conversations
from api.owner import OwnerLock
from api.settings import Settings
from api.warming import warm_up
from ingest.crop import cropped
from ingest.embedding import Models
from ingest.events import FileEvent, Report
from ingest.files import InputFile
from ingest.pipeline import Pipeline
from ingest.render import render_page
from ingest.sources.remote import Sources
from rag.answers import Access, Hit, Query, SearchResult
from rag.documents import AnyChunk, Box, ImageChunk, ImageData, Page
from rag.engine import Engine, Event
from rag.errors import BadRequest, BadSetting, CorruptFile, NotFound, SpaceMismatch, StoreCorrupt, TuwenError
from rag.protocols import Generator, ImageDescriber, ImageEncoder, TextEncoder, VectorStore
from rag.response_cache import ResponseCache
from rag.stores.index import IndexState, VectorIndex
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.records import Failure, Stored, Version
from rag.stores.rows import digest
from rag.stores.vectors import Precision
from rag.stores.versions import settled_version
from rag.stores.vocabulary import SqliteVocabulary

if TYPE_CHECKING:
    from ingest.bulk.farm import Farm

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_SCALE = 2.0
"""Pixels per point of what a vision model sees of a page."""
SETTLE_ABOVE = 1_000
"""New chunks above which the vector index is told to write itself out: below, adding them anew at the next opening is as fast."""


def open_service(settings: Settings, command: str | None = None, reuse: wiring.Reuse | None = None) -> Service:
    """Takes the data directory. `reuse` is for the bench. Raises DirectoryOwned, StoreCorrupt."""
    lock = OwnerLock(settings.data)
    lock.acquire(command)
    try:
        return Service(settings, lock, reuse)
    except BaseException:
        lock.release()
        raise


class Service:
    """Use `open_service`; close it when done. Safe to use from several threads; ingests run one after the other."""

    def __init__(self, settings: Settings, lock: OwnerLock, reuse: wiring.Reuse | None = None) -> None:
        self.settings = settings
        self.lock = lock
        self._reuse = reuse
        self.library = SqliteLibrary(settings.data, settings.index.vectors)
        self._made: dict[str, Any] = {}
        self._making = threading.RLock()
        self._ingesting = threading.Lock()
        self._swept = False

    def close(self) -> None:
        for name in ("generator", "store"):
            if name in self._made:
                self._made[name].close()
        self.library.close()
        self.lock.release()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- parts, each made once, when first needed --------------------------------------------------------------------

    def _once(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            with self._making:
                if name not in self._made:
                    self._made[name] = make()
        made: T = self._made[name]
        return made

    @property
    def encoder(self) -> TextEncoder:
        return self._once("encoder", self._open_encoder)

    @property
    def image_encoder(self) -> ImageEncoder | None:
        return self._once("image_encoder", partial(wiring.image_encoder, self.settings))

    @property
    def describer(self) -> ImageDescriber | None:
        return self._once("describer", partial(wiring.describer, self.settings))

    @property
    def generator(self) -> Generator:
        return self._once("generator", partial(wiring.generator, self.settings))

    @property
    def conversations(self) -> Conversations:
        return self._once("conversations", partial(Conversations, self))

    @property
    def sources(self) -> Sources:
        """Where files come from beside this machine."""
        return self._once("sources", partial(wiring.sources, self.settings))

    @property
    def index(self) -> VectorIndex:
        """The vector index, equal to the library: what an earlier process left unfinished is finished first."""
        return self._once("index", self._open_index)

    @property
    def store(self) -> VectorStore:
        return self._once("store", self._open_store)

    @property
    def lexical(self) -> SqliteLexicalIndex:
        return self._once("lexical", lambda: SqliteLexicalIndex(self.library.database, self.library.permitted))

    @property
    def engine(self) -> Engine:
        return self._once(
            "engine",
            lambda: wiring.engine(
                self.settings,
                library=self.library,
                lexical=self.lexical,
                store=self._indexed_store(),
                encoder=self.encoder,
                image_encoder=self.image_encoder,
                describe=lambda: self.describer,
                generate=lambda: self.generator,
                picture=self._picture,
                look=self._look,
                vocabulary=SqliteVocabulary(self.library.database),
            ),
        )

    def _picture(self, chunk: ImageChunk) -> ImageData | None:
        try:
            data = self.library.blobs.path(chunk.image_sha256).read_bytes()
        except (OSError, NotFound):
            return None
        return ImageData(data, chunk.media_type, chunk.width, chunk.height)

    def _look(self, hit: Hit) -> ImageData | None:
        """The picture of a figure; of anything else the part of its page where it stands."""
        if hit.chunk.kind == "image":
            return self._picture(hit.chunk)
        boxes = [box for box in hit.chunk.boxes if box.page == hit.chunk.page]
        pages = {page.number: page for page in self.library.pages(hit.document.id)} if boxes else {}
        if hit.chunk.page not in pages:
            return None
        try:
            drawn = self.page_image(hit.document.id, hit.chunk.page, LOOK_SCALE)
        except (TuwenError, OSError):
            return None
        return cropped(drawn, pages[hit.chunk.page].width, Box.around(boxes))

    def _open_encoder(self) -> TextEncoder:
        encoder = wiring.text_encoder(self.settings)
        return encoder if self._reuse is None else wiring.remembering(encoder, self._reuse)

    def retune(self, settings: Settings) -> None:
        """Other settings over the same index, with the models and the index that are open: for settings that change neither.

        Nobody may be asking meanwhile.
        """
        with self._making:
            self.settings = settings.model_copy(update={"data": self.settings.data})
            if "generator" in self._made:
                self._made["generator"].close()
            for name in ("engine", "generator", "describer", "answers"):
                self._made.pop(name, None)

    def settle(self) -> None:
        """Has the vector index write itself out, so that opening it again reads files instead of adding every vector anew.

        After a large ingest, when nobody is searching. Another command than this one would wait for it at every start: 7 s for
        9,300 vectors on a quiet machine.
        """
        with self._ingesting, self._making:
            store = self.store
            for name in ("engine", "index"):
                self._made.pop(name, None)
            store.settle()

    def settle_after(self, report: Report) -> None:
        """Settles after an ingest that made it worth while."""
        if report.chunks > SETTLE_ABOVE:
            new = self.index.last_run
            self.settle()
            # Its graph is another one now.
            self.index.reach(new)

    def _indexed_store(self) -> VectorStore:
        _ = self.index
        return self.store

    def _open_store(self) -> VectorStore:
        folder = self.settings.data / "index"
        try:
            return wiring.vector_store(self.settings, folder)
        except StoreCorrupt as error:
            # Everything in it is in the library, too: `recover` fills the new one.
            log.warning("%s It is made anew from the library.", error.message)
            shutil.rmtree(folder, ignore_errors=True)
            return wiring.vector_store(self.settings, folder)

    def _open_index(self) -> VectorIndex:
        self._check_space()
        index = VectorIndex(self.library, self.store, self._spaces())
        for state in index.recover():
            log.warning("index %s had %d of %d vectors: repaired", state.key, state.found, state.expected)
        return index

    def _spaces(self) -> dict[str, str]:
        spaces = {"text": self.encoder.space.id, "entries": self.encoder.space.id}
        if self.image_encoder is not None:
            spaces["pixels"] = self.image_encoder.space.id
        return spaces

    def _check_space(self) -> None:
        """Documents that the active encoder never saw would silently not be found."""
        self.library.register(self.encoder.space)
        if self.image_encoder is not None:
            self.library.register(self.image_encoder.space)
        missing = len(self.library.texts_without_vector(self.encoder.space.id))
        if missing:
            raise SpaceMismatch(
                f"{missing} texts of this library were embedded by another model than {self.encoder.space.model}.",
                "Run `tuwen doctor --rebuild` to embed them with it, or set the encoder back.",
            )
        if self.image_encoder is not None:
            self._check_pictures(self.image_encoder)

    def _check_pictures(self, encoder: ImageEncoder) -> None:
        """One picture without a vector may be damaged; all of them were never shown to this model."""
        missing, there = self.library.pictures_without_vector(encoder.space.id), self.library.picture_count()
        if missing and len(missing) == there:
            raise SpaceMismatch(
                f"None of the {there} pictures of this library has a vector of {encoder.space.model}.",
                "Run `tuwen doctor --rebuild` to embed them with it, or set `pictures.image_encoder` back.",
            )

    # --- ingest ------------------------------------------------------------------------------------------------------

    def ingest(
        self,
        files: Iterable[InputFile],
        collection: str = "default",
        on_event: Callable[[FileEvent], None] = lambda _: None,
        *,
        retry_failed: bool = False,
        cancel: threading.Event | None = None,
        dropped: Callable[[InputFile], bool] = lambda _: False,
        farm: Farm | None = None,
    ) -> Report:
        """Ingests files, with `farm` on a cluster; a bad one is reported and the rest goes on. Raises Unavailable, SetupError."""
        check_collection(collection)
        with self._ingesting:
            report = self._pipeline(farm).run(
                files, collection, on_event, retry_failed=retry_failed, cancel=cancel, dropped=dropped
            )
            if not report.cancelled and (report.states["failed"] or not self._swept):
                self.library.sweep()
                self._swept = True
        return report

    def _pipeline(self, farm: Farm | None) -> Pipeline:
        return Pipeline(
            self.library,
            wiring.chunker(
                self.settings,
                wiring.TextTools(
                    lambda texts: self.encoder.count_tokens(texts), lambda texts: self.encoder.encode_passages(texts)
                ),
            ),
            self._open_models if farm is None else lambda: farm.models(self._open_models()),
            partial(wiring.parse_worker, self.settings, self._reuse) if farm is None else farm.worker,
            self._once("toolbox_version", partial(wiring.toolbox_version, self.settings)),
            limits=wiring.limits(self.settings),
            workers=self.settings.ingest.workers,
            sources=self.sources,
        )

    def _open_models(self) -> Models:
        longest, wanted = self.encoder.max_tokens, self.settings.ingest.chunk_tokens
        if wanted > longest:
            raise BadSetting(
                f"`ingest.chunk_tokens` is {wanted}; {self.encoder.space.model} reads {longest} tokens at most.",
                f"Set it to {longest} or less.",
            )
        self._check_space()
        # Chroma takes 0.6 s to open, and nothing needs it before the first documents are published.
        threading.Thread(target=self._open_ahead, name="tuwen-index", daemon=True).start()
        return Models(lambda: self.index, self.encoder, self.image_encoder)

    def _open_ahead(self) -> None:
        # What goes wrong is raised where the index is used.
        with contextlib.suppress(Exception):
            _ = self.index

    # --- questions ---------------------------------------------------------------------------------------------------

    def warm_up(self) -> None:
        files = sorted(path for path in (self.settings.data / "index").rglob("*") if path.is_file())
        warm_up(self.engine, self.library, self.lexical, files)

    def search(self, query: Query, *, access: Access) -> SearchResult:
        """`access` is what the caller may read; EVERYTHING where that is meant."""
        query = replace(query, access=access)
        self._check_known(query.collection, access)
        return self.engine.search(query)

    def answer(self, query: Query, *, access: Access, fresh: bool = False) -> Iterator[Event]:
        """`access` is what the caller may read; EVERYTHING where that is meant. `fresh` takes no answer that was kept."""
        query = replace(query, access=access)
        self._check_known(query.collection, access)
        asked = self.settings.answer
        # The bench measures; an answer that was kept took no time.
        measuring = query.explain or self._reuse is not None
        if fresh or measuring or not asked.cache or (query.turns and not asked.cache_conversations):
            return self.engine.answer(query)
        state = partial(settled_version, self.library.database, query.collection)
        engine = self.engine
        key = (query, engine.prompts.sha256, engine.options.examples.sha256, engine.date_for(query))
        return self._answers.answer(key, state, lambda: self.engine.answer(query))

    @property
    def _answers(self) -> ResponseCache[int, Event]:
        return self._once("answers", lambda: ResponseCache(self.settings.answer.cache))

    def _check_known(self, collection: str, access: Access) -> None:
        """A collection of which the caller may read nothing is, for the caller, not there."""
        if not self.library.has_collection(collection, access.rule):
            known = self.library.collections(access.rule)
            there = ", ".join(known) or "none yet"
            raise NotFound(
                f"There is no collection {collection!r} (there is: {there}).",
                f"{'Name one of those, or ingest' if known else 'Ingest'} documents into it with `tuwen ingest PATH -c {collection}`.",
            )

    # --- documents ---------------------------------------------------------------------------------------------------

    def documents(self, collection: str | None = None) -> list[Stored]:
        return self.library.documents(collection)

    def failures(self, collection: str | None = None) -> list[Failure]:
        return self.library.failures(collection)

    def document(self, document_id: str) -> Stored:
        return self.library.document(document_id)

    def versions(self, document_id: str) -> list[Version]:
        """The newest first. Raises NotFound."""
        self.library.document(document_id)
        return self.library.versions(document_id)

    def chunks(self, document_id: str) -> list[AnyChunk]:
        self.library.document(document_id)
        return self.library.chunks(document_id)

    def pages(self, document_id: str) -> list[Page]:
        self.library.document(document_id)
        return self.library.pages(document_id)

    def delete(self, document_id: str) -> None:
        """Removes every trace of a document. Raises NotFound."""
        self.library.delete(document_id)
        self._answers.clear()
        self.index.flush()

    def original(self, document_id: str) -> tuple[Path, Stored]:
        """Where the document's bytes are. Raises NotFound."""
        stored = self.library.document(document_id)
        return self.library.blobs.path(stored.document.sha256), stored

    def page_image(self, document_id: str, number: int, scale: float = 2.0) -> bytes:
        """A page as PNG at `scale` pixels per point. Raises NotFound for formats that have no pages to show."""
        path, stored = self.original(document_id)
        pages = {page.number: page for page in self.library.pages(document_id)}
        if number not in pages or stored.document.media_type not in wiring.RENDERED:
            raise NotFound(
                f"{stored.document.name} has no picture of page {number}.",
                f"It has {len(pages)} pages." if pages else "Documents of this type have no pages; read its chunks.",
            )
        page = pages[number]
        # A poster-sized page must not become a gigapixel.
        scale = min(scale, (16_000_000 / max(1.0, page.width * page.height)) ** 0.5)
        return render_page(path, number, scale, wiring.passwords(self.settings))

    def picture(self, chunk_id: str) -> tuple[bytes, str]:
        """The picture of an image chunk and its media type. Raises NotFound."""
        found = self.library.hydrate([chunk_id]).get(chunk_id)
        if found is None or found[0].kind != "image":
            raise NotFound(f"There is no picture {chunk_id}.", "Take the chunk_id of a hit of kind `image`.")
        chunk = found[0]
        return self.library.blobs.path(chunk.image_sha256).read_bytes(), chunk.media_type

    # --- health ------------------------------------------------------------------------------------------------------

    def active(self) -> dict[str, str]:
        """Which models are in use, by their honest names. Loads them."""
        image_encoder = self.image_encoder
        describer = self.describer
        return {
            "text_encoder": self.encoder.space.model,
            "image_encoder": image_encoder.space.model if image_encoder else "none: pictures are found by their texts",
            "image_describer": " + ".join(
                name for name in (describer.name if describer else "", self.settings.vision.model) if name
            )
            or "none",
            "reranker": self.engine.reranker.name if self.engine.reranker else "none",
            "generator": self.generator.name,
        }

    def precisions(self) -> dict[Precision, int]:
        """How many vectors of texts are stored in which precision."""
        return self.library.precisions(self.encoder.space.id)

    def examine(self) -> list[IndexState]:
        return self.index.examine()

    def rebuild(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Embeds what the active models have not seen, stores all vectors in the precision that is set, and makes the vector index anew.
        Answers the number of vectors."""
        with self._ingesting:
            self._embed_missing(progress)
            if self.settings.index.vectors == "int8":
                self.library.to_bytes(progress)
            index = VectorIndex(self.library, self.store, self._spaces())
            with self._making:
                self._made["index"] = index
                self._made.pop("answers", None)
            return index.rebuild(progress)

    def _embed_missing(self, progress: Callable[[int, int], None] | None) -> None:
        self.library.register(self.encoder.space)
        texts = self.library.texts_without_vector(self.encoder.space.id)
        if self.settings.index.vectors == "float32":
            # What was rounded cannot be made whole again but by the model.
            texts += self.library.texts_in_bytes(self.encoder.space.id)
        for start in range(0, len(texts), 64):
            part = texts[start : start + 64]
            if any(digest(text) != key for key, text in part):
                raise StoreCorrupt("A chunk's text does not have the hash it is stored under.", "Ingest again.")
            vectors = self.encoder.encode_passages([text for _, text in part])
            self.library.store_vectors(self.encoder.space, [key for key, _ in part], vectors)
            if progress:
                progress(start + len(part), len(texts))
        if self.image_encoder is not None:
            self._embed_missing_pictures(self.image_encoder)

    def _embed_missing_pictures(self, encoder: ImageEncoder) -> None:
        self.library.register(encoder.space)
        for sha256, media_type, width, height in self.library.pictures_without_vector(encoder.space.id):
            data = self.library.blobs.path(sha256).read_bytes()
            try:
                vectors = encoder.encode_images([ImageData(data, media_type, width, height)])
            except CorruptFile as error:
                log.warning("a picture has no vector: %s", error)
                continue
            self.library.store_vectors(encoder.space, [sha256], vectors)

    def verify(self) -> list[str]:
        """Checks that every published chunk is found by its own vector and its own words; answers what is wrong."""
        from api.verify import verify

        return verify(self)


def check_collection(name: str) -> None:
    if not name.strip() or len(name) > 200 or any(ord(character) < 32 for character in name):
        raise BadRequest(
            f"{name!r} is no name for a collection.", "Give 1 to 200 characters without control characters."
        )
