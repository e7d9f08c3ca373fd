"""One way to use Tuwen from a command: in this process when the data directory is free, over HTTP when a server owns it."""

from __future__ import annotations

import base64
import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import httpx

from api import bulk, conversations, feedback, schemas, transcripts, uploads
from api.access import OWNER, Caller
from api.conversations import Conversations
from api.events import as_event, read_image
from api.owner import OwnerLock
from api.runner import Runner
from api.service import Service, open_service
from api.settings import Settings
from ingest.events import UNDER_WAY, FileEvent, Report
from ingest.files import InputFile, find, is_remote
from ingest.job import BUSY, WAITING
from ingest.jobs import Jobs
from rag import errors
from rag.errors import DirectoryOwned, TuwenError, Unavailable
from rag.hashing import sha256_of

OnEvent = Callable[[FileEvent], None]


class Client(Protocol):
    """What the commands need. Answers are the JSON shapes of docs/architecture.md, section 6."""

    @property
    def where(self) -> str: ...

    def search(self, body: schemas.SearchBody) -> dict[str, Any]: ...

    def answer(self, body: schemas.QueryBody) -> Iterator[tuple[str, dict[str, Any]]]: ...

    def ingest(
        self,
        places: Sequence[Path | str],
        collection: str,
        on_event: OnEvent,
        *,
        retry_failed: bool,
        sync: bool = False,
    ) -> Report:
        """Places are files and folders, and addresses (`s3://…`). With `sync`, documents whose file below them is gone are deleted."""
        ...

    def jobs(self, collection: str | None) -> list[dict[str, Any]]:
        """The queue, in the order in which files came."""
        ...

    def dead_letters(self, collection: str | None) -> list[dict[str, Any]]:
        """What failed and is not tried again by itself, with why and what to do."""
        ...

    def change_jobs(self, action: str, ids: list[str] | None) -> int:
        """cancel, pause, resume or retry jobs, by ids or names; all that it makes sense for, without. Raises NotFound."""
        ...

    def run_jobs(self, on_event: OnEvent) -> Report:
        """Works on the queue until nothing waits in it, or waits until the server has."""
        ...

    @property
    def serves(self) -> bool:
        """Whether somebody works on the queue anyway."""
        ...

    def versions(self, document_id: str) -> list[dict[str, Any]]:
        """Every version of a document that was published, the newest first. Raises NotFound."""
        ...

    def documents(self, collection: str | None) -> list[dict[str, Any]]: ...

    def document(self, document_id: str) -> dict[str, Any]:
        """The document with its chunks."""
        ...

    def pages(self, document_id: str) -> list[dict[str, Any]]:
        """Number, width, height (points) and source (`digital` or `ocr`) of each page."""
        ...

    def delete(self, document_id: str) -> None: ...

    def feedback(self, collection: str | None) -> list[dict[str, Any]]:
        """What users said about answers, oldest first."""
        ...

    def begin(self, collection: str) -> dict[str, Any]:
        """A new conversation, without turns."""
        ...

    def conversations(self, collection: str | None) -> list[dict[str, Any]]:
        """Those used last, the last first."""
        ...

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        """With the turns that are shown."""
        ...

    def rename(self, conversation_id: str, title: str) -> None: ...

    def forget(self, conversation_id: str) -> None:
        """Deletes a conversation."""
        ...

    def export(self, conversation_id: str) -> str:
        """As Markdown."""
        ...

    def close(self) -> None: ...


def connect(settings: Settings, server: str = "") -> Client:
    """Raises DirectoryOwned when another process owns the directory and listens nowhere."""
    if server:
        return HttpClient(server)
    try:
        return LocalClient(open_service(settings))
    except DirectoryOwned:
        owner = OwnerLock(settings.data).owner()
        if owner is not None and owner.url:
            return HttpClient(owner.url)
        raise


class LocalClient:
    """Asks as `caller`: the owner of the data directory, who may read everything."""

    def __init__(self, service: Service, caller: Caller = OWNER) -> None:
        self.service = service
        self._caller = caller

    @property
    def _talks(self) -> Conversations:
        return self.service.conversations.of(self._caller)

    @property
    def where(self) -> str:
        return str(self.service.settings.data)

    def search(self, body: schemas.SearchBody) -> dict[str, Any]:
        image = read_image(body.image) if body.image else None
        return schemas.search_result(self.service.search(body.to_query(image), access=self._caller.access))

    def answer(self, body: schemas.QueryBody) -> Iterator[tuple[str, dict[str, Any]]]:
        events = conversations.ask(self.service, body, caller=self._caller)
        try:
            for event in events:
                yield as_event(event)
        finally:
            # Who stops reading stops the generator, now.
            getattr(events, "close", lambda: None)()

    def ingest(
        self,
        places: Sequence[Path | str],
        collection: str,
        on_event: OnEvent,
        *,
        retry_failed: bool,
        sync: bool = False,
    ) -> Report:
        report = bulk.ingest(self.service, places, collection, on_event, retry_failed=retry_failed)
        self.service.settle_after(report)
        if sync and not report.cancelled:
            report.deleted += bulk.delete_vanished(self.service, places, collection)
            report.states["deleted"] = len(report.deleted)
        return report

    def jobs(self, collection: str | None) -> list[dict[str, Any]]:
        queue = Jobs(self.service.library)
        # This process has the directory: whatever seems to be under way was cut off.
        queue.requeue_interrupted()
        return [uploads.shown(job) for job in queue.all(collection)]

    def dead_letters(self, collection: str | None) -> list[dict[str, Any]]:
        return [uploads.letter(dead) for dead in Jobs(self.service.library).dead_letters(collection)]

    def run_jobs(self, on_event: OnEvent) -> Report:
        report = Runner(self.service, Jobs(self.service.library)).empty(on_event)
        self.service.settle_after(report)
        return report

    @property
    def serves(self) -> bool:
        return False

    def versions(self, document_id: str) -> list[dict[str, Any]]:
        return [uploads.version(item) for item in self.service.versions(document_id)]

    def change_jobs(self, action: str, ids: list[str] | None) -> int:
        return bulk.change(Jobs(self.service.library), action, ids)

    def documents(self, collection: str | None) -> list[dict[str, Any]]:
        shown = schemas.files(self.service.documents(collection), self.service.failures(collection))
        return schemas.by_place(shown.values())

    def document(self, document_id: str) -> dict[str, Any]:
        stored = self.service.document(document_id)
        return schemas.published(stored) | {"chunks": [schemas.chunk(c) for c in self.service.chunks(document_id)]}

    def pages(self, document_id: str) -> list[dict[str, Any]]:
        return [asdict(page) for page in self.service.pages(document_id)]

    def delete(self, document_id: str) -> None:
        self.service.delete(document_id)

    def feedback(self, collection: str | None) -> list[dict[str, Any]]:
        return [feedback.shown(item) for item in feedback.listed(self.service, collection, caller=OWNER)]

    def begin(self, collection: str) -> dict[str, Any]:
        return transcripts.whole(self._talks, self._talks.create(collection))

    def conversations(self, collection: str | None) -> list[dict[str, Any]]:
        return [transcripts.summary(item) for item in self._talks.store.listed(collection)]

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        return transcripts.whole(self._talks, self._talks.store.get(conversation_id))

    def rename(self, conversation_id: str, title: str) -> None:
        self._talks.change(conversation_id, title, None)

    def forget(self, conversation_id: str) -> None:
        self._talks.store.remove(conversation_id)

    def export(self, conversation_id: str) -> str:
        return transcripts.markdown(self._talks, self._talks.store.get(conversation_id))

    def close(self) -> None:
        self.service.close()


class HttpClient:
    """Raises the errors that the server names, and Unavailable when none answers."""

    def __init__(self, url: str, *, poll_seconds: float = 0.3) -> None:
        self._url, self._poll = url.rstrip("/"), poll_seconds
        self._http = httpx.Client(base_url=self._url, timeout=httpx.Timeout(600.0, connect=5.0), trust_env=False)

    @property
    def where(self) -> str:
        return self._url

    def search(self, body: schemas.SearchBody) -> dict[str, Any]:
        return self._call("POST", "/v1/search", json=body.model_dump())

    def answer(self, body: schemas.QueryBody) -> Iterator[tuple[str, dict[str, Any]]]:
        wanted = body.model_dump() | {"stream": True}
        try:
            with self._http.stream("POST", "/v1/query", json=wanted) as response:
                if response.is_error:
                    response.read()
                    raise _error_from(response)
                for name, data in read_events(response.iter_lines()):
                    if name == "error":
                        raise _named(data["error"])
                    yield name, data
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def ingest(
        self,
        places: Sequence[Path | str],
        collection: str,
        on_event: OnEvent,
        *,
        retry_failed: bool,  # noqa: ARG002
        sync: bool = False,
    ) -> Report:
        """Uploads what the server does not have yet and waits until it is done. Raises BadRequest for `sync` and addresses."""
        remote = [str(place) for place in places if is_remote(str(place))]
        if remote:
            raise errors.BadRequest(
                f"A server takes files, and does not fetch them from {remote[0]}.",
                "Stop the server and run the command on its data directory; or copy the files here and ingest those.",
            )
        if sync:
            raise errors.BadRequest(
                "A server does not know where its documents' files are, and cannot tell which are gone.",
                "Stop the server and run the command on its data directory, or delete documents with `tuwen documents delete`.",
            )
        began = time.monotonic()
        report = Report()
        listed = self._call("GET", "/v1/files", params={"collection": collection})["files"]
        known = {file["name"]: file for file in listed}
        waiting: dict[str, InputFile] = {}

        def tell(event: FileEvent) -> None:
            report.states[event.state] += event.state not in UNDER_WAY
            if event.state == "failed":
                report.failures.append(event)
            report.warnings.extend((event.name, warning) for warning in event.warnings)
            report.chunks += event.chunks
            on_event(event)

        for file in find([Path(place) for place in places]):
            have = known.get(file.name)
            if have is not None and have.get("sha256") == sha256_of(file.path) and have["status"] == "published":
                tell(FileEvent(file.name, "unchanged", have["id"]))
                continue
            try:
                with file.path.open("rb") as data:
                    accepted = self._call(
                        "POST",
                        "/v1/files",
                        files={"file": (file.path.name, data)},
                        data={"collection": collection, "name": file.name, "priority": "bulk"},
                    )
                waiting[accepted["id"]] = file
                on_event(FileEvent(file.name, "parsing"))
            except errors.InputError as error:
                tell(
                    FileEvent(
                        file.name, "failed", "", None, None, 0, (), type(error).__name__, error.message, error.remedy
                    )
                )
        while waiting:
            states = {f["id"]: f for f in self._call("GET", "/v1/files", params={"collection": collection})["files"]}
            for id_ in list(waiting):
                state = states.get(id_, {"status": "failed", "name": waiting[id_].name})
                if state["status"] in WAITING:
                    continue
                tell(_settled(id_, state))
                del waiting[id_]
            if waiting:
                time.sleep(self._poll)
        report.states = Counter({state: count for state, count in report.states.items() if count})
        report.seconds = time.monotonic() - began
        return report

    def jobs(self, collection: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/v1/jobs", params=_given(collection=collection))["jobs"]
        return found

    def dead_letters(self, collection: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/v1/jobs/failed", params=_given(collection=collection))[
            "failed"
        ]
        return found

    def run_jobs(self, on_event: OnEvent) -> Report:
        began, report = time.monotonic(), Report()
        waiting = {job["id"] for job in self.jobs(None) if job["status"] in BUSY}
        while waiting:
            time.sleep(self._poll)
            states = {job["id"]: job for job in self.jobs(None)}
            for id_ in [id_ for id_ in waiting if states.get(id_, {}).get("status") not in BUSY]:
                waiting.discard(id_)
                if id_ in states:
                    event = _settled(id_, states[id_])
                    report.states[event.state] += 1
                    report.failures += [event] if event.state == "failed" else []
                    on_event(event)
        report.seconds = time.monotonic() - began
        return report

    @property
    def serves(self) -> bool:
        return True

    def versions(self, document_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", f"/v1/files/{document_id}/versions")["versions"]
        return found

    def change_jobs(self, action: str, ids: list[str] | None) -> int:
        return int(self._call("POST", f"/v1/jobs/{action}", json={"ids": ids})["jobs"])

    def documents(self, collection: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/v1/files", params=_given(collection=collection))["files"]
        return found

    def document(self, document_id: str) -> dict[str, Any]:
        shown = self._call("GET", f"/v1/files/{document_id}")
        return shown | self._call("GET", f"/v1/files/{document_id}/chunks")

    def pages(self, document_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", f"/v1/files/{document_id}/pages")["pages"]
        return found

    def delete(self, document_id: str) -> None:
        self._call("DELETE", f"/v1/files/{document_id}")

    def feedback(self, collection: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/v1/feedback", params=_given(collection=collection))[
            "feedback"
        ]
        return found

    def begin(self, collection: str) -> dict[str, Any]:
        return self._call("POST", "/v1/conversations", json={"collection": collection})

    def conversations(self, collection: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/v1/conversations", params=_given(collection=collection))[
            "conversations"
        ]
        return found

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/conversations/{conversation_id}")

    def rename(self, conversation_id: str, title: str) -> None:
        self._call("PATCH", f"/v1/conversations/{conversation_id}", json={"title": title})

    def forget(self, conversation_id: str) -> None:
        self._call("DELETE", f"/v1/conversations/{conversation_id}")

    def export(self, conversation_id: str) -> str:
        return self._request("GET", f"/v1/conversations/{conversation_id}/export").text

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        body: dict[str, Any] = self._request(method, path, **arguments).json()
        return body

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            raise _error_from(response)
        return response

    def _unreachable(self, error: httpx.HTTPError) -> Unavailable:
        return Unavailable(
            f"No Tuwen server answers at {self._url}: {error or type(error).__name__}.",
            "Start it with `tuwen serve`, or correct --server (TUWEN_SERVER).",
        )


def encode_image(path: Path) -> str:
    """A picture file as base64. Raises BadRequest."""
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise errors.BadRequest(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def read_events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events with JSON data (WHATWG HTML, section 9.2), by name."""
    name, data = "message", io.StringIO()
    for line in lines:
        if not line:
            if data.tell():
                yield name, json.loads(data.getvalue())
            name, data = "message", io.StringIO()
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.write(line[5:].removeprefix(" "))


def _settled(id_: str, state: dict[str, Any]) -> FileEvent:
    error = state.get("error", {})
    return FileEvent(
        state["name"],
        state["status"],
        id_,
        pages=state.get("pages"),
        chunks=state.get("chunks", 0),
        warnings=tuple(state.get("warnings", ())),
        error=error.get("type", ""),
        message=error.get("message", ""),
        remedy=error.get("remedy", ""),
    )


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _error_from(response: httpx.Response) -> TuwenError:
    try:
        return _named(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"The server answered {response.status_code} to {response.request.url}.", "See its log.")


def _named(error: dict[str, str]) -> TuwenError:
    kind = getattr(errors, error.get("type", ""), TuwenError)
    known = kind if isinstance(kind, type) and issubclass(kind, TuwenError) else TuwenError
    return known(error.get("message", ""), error.get("remedy", ""))
