"""Folders and remote places into a collection through the persistent queue: what a killed load did not get to is known to the next server, too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path

from api import wiring
from api.service import Service
from api.settings import Settings
from ingest.bulk.farm import Farm
from ingest.events import FileEvent, Report
from ingest.files import InputFile, is_remote
from ingest.jobs import Jobs
from ingest.known import look_of
from ingest.sync import vanished, vanished_remote
from rag.errors import TuwenError
from rag.stores.records import Look


def ingest(
    service: Service,
    places: Sequence[Path | str],
    collection: str,
    on_event: Callable[[FileEvent], None],
    *,
    retry_failed: bool = False,
) -> Report:
    """Only files that do not look as they did when they were published or failed become jobs; unchanged ones cost nothing. An
    interrupted load is set aside: `tuwen ingest` again, or `tuwen jobs resume`, goes on with it. Raises Unavailable, SetupError."""
    jobs = Jobs(service.library)
    looks = service.library.looks(collection)
    found = list(service.sources.files(places))
    queued = {
        file.name: file for file in jobs.add((f for f in found if not _looks_known(f, looks.get(f.name))), collection)
    }

    def tell(event: FileEvent) -> None:
        file = queued.get(event.name)
        if file is not None:
            jobs.tell(file.job, event)
        on_event(event)

    try:
        with _cluster(service.settings) if service.settings.ingest.ray else nullcontext() as farm:
            return service.ingest(
                [queued.get(file.name, file) for file in found],
                collection,
                tell,
                retry_failed=retry_failed,
                dropped=jobs.dropped,
                farm=farm,
            )
    except TuwenError as error:
        jobs.put_back(error)
        raise
    except BaseException:
        # Nobody who presses Ctrl-C wants the next server to go on with it by itself.
        jobs.pause([file.job for file in queued.values()])
        raise


@contextmanager
def _cluster(settings: Settings) -> Iterator[Farm]:
    """Ray prints what happens to its actors on stdout, where a program reads what the command answers."""
    with redirect_stdout(sys.stderr), wiring.farm(settings) as farm:
        yield farm


def _looks_known(file: InputFile, look: Look | None) -> bool:
    try:
        return look is not None and replace(look, sha256="") == look_of(file)
    except OSError:
        return False


def delete_vanished(service: Service, places: Sequence[Path | str], collection: str) -> list[str]:
    """Deletes the documents whose file below the folders or remote places is gone. Answers their names. Raises BadRequest for an empty
    folder, and for a list of addresses."""
    gone = vanished(service.library, collection, [Path(place) for place in places if not is_remote(str(place))])
    for place in (str(place) for place in places if is_remote(str(place))):
        gone += vanished_remote(service.library, collection, service.sources.of(place), place)
    for id_, _ in gone:
        service.delete(id_)
    return [name for _, name in gone]


def change(jobs: Jobs, action: str, ids: list[str] | None) -> int:
    """cancel, pause, resume or retry, by ids or names. Answers how many jobs it concerned. Raises NotFound."""
    given = None if ids is None else jobs.named(ids)
    return {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume, "retry": jobs.retry}[action](given)
