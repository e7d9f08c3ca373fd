"""The persistent queue: every file that waits, is under way, or came to its end, in the library's database.

    queued → parsing → embedding → published | unchanged | failed | cancelled
    queued, parsing, embedding → paused → queued

What may pass (a server that does not answer) is tried again after a growing wait; what may not, ends as failed with its
reason, and stays there until somebody retries or deletes it. Whatever a killed process was working on is queued again. A
person's upload goes before a bulk load.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.dead_letters import DeadLetter, dead_letters, revive
from ingest.events import FileEvent
from ingest.files import InputFile
from ingest.job import BULK, COLUMNS, NEXT_REVISION, PERSON, UNDER_WAY, WAITING, Job
from rag.documents import Document
from rag.errors import NotFound, Unavailable
from rag.hashing import sha256_of
from rag.stores.library import SqliteLibrary

MAX_ATTEMPTS = 8
FIRST_WAIT, LONGEST_WAIT = 10.0, 600.0
"""Seconds before the second attempt, doubled for each further one."""
_PROGRESS_SECONDS = 0.5


class Jobs:
    """Each change is one transaction. Safe to use from several threads of the process that owns the library."""

    def __init__(self, library: SqliteLibrary, now: Callable[[], float] = time.time) -> None:
        self._library, self._now = library, now
        self._guard = threading.Lock()
        self._dropped: set[str] = set()
        self._told: dict[str, float] = {}
        self._under_way: set[str] = set()
        """Taken, and not at their end yet, also where another upload of the name took the job's place meanwhile: versions of one document come
        one after the other, or the one that is read faster would be put under the other."""

    # --- in ----------------------------------------------------------------------------------------------------------

    def accept(self, path: Path, name: str, collection: str, priority: int = PERSON, owner: str = "") -> Job:
        """Takes an uploaded file over: once this returns, the bytes are stored and the work is queued. `owner` names the caller who sent it."""
        sha256 = sha256_of(path)
        self._library.blobs.put_file(path, sha256)
        id_ = Document.make_id(collection, name)
        job = Job(
            id_, collection, name, sha256, path.stat().st_size, "", "", priority, "queued", at=self._now(), owner=owner
        )
        self._put([job])
        # Not what stands in the queue by now, which another upload of this name may have replaced.
        return job

    def add(self, files: Iterable[InputFile], collection: str) -> list[InputFile]:
        """Queues the files of a bulk load, in one transaction, and answers them with their jobs."""
        now = self._now()
        jobs, named = [], []
        for file in files:
            id_ = Document.make_id(collection, file.name)
            size = file.path.stat().st_size if not file.remote and file.path.exists() else file.size
            root = str(file.root) if file.root else ""
            path = file.source if file.remote else str(file.path)
            jobs.append(Job(id_, collection, file.name, "", size, path, root, BULK, "queued", at=now))
            named.append(_with_job(file, id_))
        self._put(jobs)
        return named

    def _put(self, jobs: Sequence[Job]) -> None:
        with self._guard:
            self._dropped -= {job.id for job in jobs}
        rows = [
            (j.id, j.collection, j.name, j.sha256, j.size, j.path, j.root, j.priority, j.state, j.at, j.owner)
            for j in jobs
        ]
        with self._library.database.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO jobs (id, collection, name, sha256, size, path, root, priority, state, at, owner, revision)"
                f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NEXT_REVISION})",
                rows,
            )

    # --- out ---------------------------------------------------------------------------------------------------------

    def get(self, id_: str) -> Job:
        """Raises NotFound."""
        found = self._select("id = ?", [id_])
        if not found:
            raise NotFound(f"There is no file with id {id_}.", "GET /v1/files lists those there are.")
        return found[0]

    def all(self, collection: str | None = None) -> list[Job]:
        """In the order in which they came."""
        return self._select("?1 IS NULL OR collection = ?1", [collection], "at, rowid")

    def changed_since(self, revision: int, limit: int = 1_000) -> list[Job]:
        """Jobs that changed after a revision, in the order of their latest change."""
        return self._select("revision > ?", [revision], "revision", limit)

    def revision(self) -> int:
        row = self._library.database.reader.execute("SELECT coalesce(max(revision), 0) FROM jobs").fetchone()
        return int(row[0])

    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        rows = self._library.database.reader.execute("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state")
        return dict(rows.fetchall())

    def dead_letters(self, collection: str | None = None) -> list[DeadLetter]:
        """What failed and is not tried again by itself, by collection and name."""
        return dead_letters(self._library, collection)

    def _select(self, condition: str, values: Sequence[Any], order: str = "at", limit: int = -1) -> list[Job]:
        rows = self._library.database.reader.execute(
            f"SELECT {COLUMNS} FROM jobs WHERE {condition} ORDER BY {order} LIMIT {limit:d}", values
        )
        return [Job(*row) for row in rows]

    # --- work --------------------------------------------------------------------------------------------------------

    def requeue_interrupted(self) -> int:
        """At start: what an earlier process was working on when it ended is work again."""
        self.release()
        return self._move(UNDER_WAY, "queued")

    def release(self, ids: Iterable[str] | None = None) -> None:
        """Nobody works on these (on any) any more."""
        with self._guard:
            self._under_way -= set(self._under_way if ids is None else ids)

    def waiting(self) -> tuple[str, float] | None:
        """The collection of the next job, and for how many seconds it still has to wait; None when nothing is queued."""
        row = self._library.database.reader.execute(
            "SELECT collection, not_before FROM jobs WHERE state = 'queued' "
            "ORDER BY not_before > ?1, CASE WHEN not_before > ?1 THEN not_before END, priority DESC, at, rowid LIMIT 1",
            (self._now(),),
        ).fetchone()
        return None if row is None else (row[0], max(0.0, row[1] - self._now()))

    def take(self, collection: str) -> Job | None:
        """The next job, marked as being parsed; None when the next one is of another collection, or has to wait. An upload waits as long as an
        earlier one of the same name is worked on."""
        with self._guard:
            busy = json.dumps(sorted(self._under_way))
        with self._library.database.transaction() as db:
            row = db.execute(
                f"SELECT {COLUMNS} FROM jobs WHERE state = 'queued' AND not_before <= ? "
                "AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY priority DESC, at, rowid LIMIT 1",
                (self._now(), busy),
            ).fetchone()
            if row is None or row[1] != collection:
                return None
            db.execute(
                "UPDATE jobs SET state = 'parsing', page = NULL, chunks = 0, attempts = attempts + 1, "
                f"error = '', message = '', remedy = '', revision = {NEXT_REVISION} WHERE id = ?",
                (row[0],),
            )
        with self._guard:
            self._under_way.add(row[0])
        return self.get(row[0])

    def input(self, job: Job) -> InputFile:
        """The file of a job. Raises NotFound when the bytes of an upload are gone."""
        path = Path(job.path) if job.path else self._library.blobs.path(job.sha256)
        root = Path(job.root) if job.root else None
        return InputFile(path, job.name, job.path, root, job.sha256, job.id, urgent=job.priority >= PERSON)

    def tell(self, job_id: str, event: FileEvent, sha256: str = "") -> None:
        """What the pipeline says of a job's file. An upload of other bytes in the meantime is not touched."""
        if event.state in UNDER_WAY:
            self._progress(job_id, event, sha256)
            return
        self._told.pop(job_id, None)
        self.release([job_id])
        self._settle(
            "state = ?, chunks = ?, pages = coalesce(?, pages), error = ?, message = ?, remedy = ?",
            [event.state, event.chunks, event.pages, event.error, event.message, event.remedy],
            job_id,
            sha256,
        )

    def _progress(self, job_id: str, event: FileEvent, sha256: str) -> None:
        now = time.monotonic()
        if event.state == "parsing" and now - self._told.get(job_id, 0.0) < _PROGRESS_SECONDS:
            return
        self._told[job_id] = now
        self._settle(
            "state = ?, page = coalesce(?, page), pages = coalesce(?, pages), chunks = ?",
            [event.state, event.page, event.pages, event.chunks],
            job_id,
            sha256,
        )

    def _settle(self, change: str, values: Sequence[Any], job_id: str, sha256: str = "") -> None:
        with self._library.database.transaction() as db:
            db.execute(
                f"UPDATE jobs SET {change}, revision = {NEXT_REVISION} WHERE id = ? AND state IN ('queued', 'parsing', 'embedding') "
                "AND (? = '' OR sha256 = ?)",
                [*values, job_id, sha256, sha256],
            )

    def put_back(self, error: Exception) -> int:
        """Everything under way, after the run broke off for a reason that is no file's fault. Answers how many are queued again:
        what was tried too often is given up."""
        self.release()
        message, remedy = getattr(error, "message", str(error)), getattr(error, "remedy", "")
        passing = isinstance(error, Unavailable)
        back = 0
        for job in self._select("state IN ('parsing', 'embedding')", []):
            given_up = job.attempts >= MAX_ATTEMPTS
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** max(0, job.attempts - 1)) if passing else LONGEST_WAIT / 10
            self._settle(
                "state = ?, not_before = ?, error = ?, message = ?, remedy = ?",
                ["failed" if given_up else "queued", self._now() + wait, type(error).__name__, message, remedy],
                job.id,
            )
            back += not given_up
        return back

    # --- what a person does ------------------------------------------------------------------------------------------

    def dropped(self, file: InputFile) -> bool:
        """Whether the file's job was cancelled or paused: asked by the pipeline while it works on it."""
        return file.job in self._dropped

    def cancel(self, ids: Sequence[str] | None = None) -> int:
        """Ends jobs (all that have not come to their end, without ids). Answers how many."""
        return self._stop(ids, "cancelled")

    def pause(self, ids: Sequence[str] | None = None) -> int:
        """Sets jobs aside; what was read of a long file is kept. Answers how many."""
        return self._stop(ids, "paused")

    def _stop(self, ids: Sequence[str] | None, state: str) -> int:
        stopped = self._ids(WAITING, ids)
        with self._guard:
            self._dropped |= set(stopped)
        return self._move(WAITING, state, stopped)

    def resume(self, ids: Sequence[str] | None = None) -> int:
        """Queues paused jobs again. Answers how many."""
        return self._again(("paused",), ids)

    def retry(self, ids: Sequence[str] | None = None) -> int:
        """Queues failed and cancelled jobs again, without ids all that failed. Answers how many. A file that failed by its own fault
        is tried again, too; for one inside an archive, the archive is read again."""
        letters = {letter.id: letter for letter in dead_letters(self._library)}
        wanted = list(letters) if ids is None else list(ids)
        dead = revive(self._library, [letters[id_] for id_ in wanted if id_ in letters])
        own = [id_ for id_ in wanted if id_ not in letters]
        there = [id_ for id_ in dead if self._select("id = ?", [id_])]
        return self._again(("failed", "cancelled", "published", "unchanged"), there) + self._again(("cancelled",), own)

    def _again(self, states: Sequence[str], ids: Sequence[str] | None) -> int:
        found = self._ids(states, ids)
        with self._guard:
            self._dropped -= set(found)
        with self._library.database.transaction() as db:
            afresh = ", attempts = 0, not_before = 0, error = '', message = '', remedy = ''"
            return self._change(db, states, "queued", found, afresh)

    def named(self, given: Sequence[str]) -> list[str]:
        """The ids of jobs and dead letters that are meant by their id or by their name. Raises NotFound."""
        found: list[str] = []
        for text in given:
            rows = self._library.database.reader.execute(
                "SELECT id FROM jobs WHERE ? IN (id, name)", (text,)
            ).fetchall()
            ids = [row[0] for row in rows] or [
                letter.id for letter in dead_letters(self._library) if text in (letter.id, letter.name)
            ]
            if not ids:
                raise NotFound(f"There is no job {text!r}.", "`tuwen jobs list --all` shows those there are.")
            found.extend(ids)
        return list(dict.fromkeys(found))

    def hurry(self) -> None:
        """Nothing waits for its next attempt any more: somebody wants the queue done now."""
        with self._library.database.transaction() as db:
            db.execute("UPDATE jobs SET not_before = 0 WHERE state = 'queued'")

    def _ids(self, states: Sequence[str], ids: Sequence[str] | None) -> list[str]:
        """Those of the ids (of all, without) whose job is in one of the states. Raises NotFound for an id without a job."""
        if ids is None:
            return [job.id for job in self._select(f"state IN ({_marks(states)})", states)]
        return [job.id for job in map(self.get, ids) if job.state in states]

    def _move(self, states: Sequence[str], state: str, ids: Sequence[str] | None = None) -> int:
        with self._library.database.transaction() as db:
            return self._change(db, states, state, self._ids(states, ids) if ids is None else ids)

    @staticmethod
    def _change(db: sqlite3.Connection, states: Sequence[str], state: str, ids: Sequence[str], more: str = "") -> int:
        statement = (
            f"UPDATE jobs SET state = ?, revision = {NEXT_REVISION}{more} WHERE id = ? AND state IN ({_marks(states)})"
        )
        return sum(db.execute(statement, [state, id_, *states]).rowcount for id_ in ids)


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _with_job(file: InputFile, job: str) -> InputFile:
    return replace(file, job=job)
