"""The command line: binds the rest. Every command takes --json; exit status 0, 1 on failure, 2 on wrong use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from api.terminal import errors, print_json
from eval.commands import app as eval_app
from rag.errors import BadRequest

app = typer.Typer(
    name="tuwen",
    help="Questions about folders of real documents, answered with checked citations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
documents_app = typer.Typer(help="List, show and delete documents.", no_args_is_help=True)
jobs_app = typer.Typer(help="The queue of files: what waits, is under way, or failed.", no_args_is_help=True)
models_app = typer.Typer(help="List, fetch and verify model weights.", no_args_is_help=True)
app.add_typer(documents_app, name="documents")
app.add_typer(jobs_app, name="jobs")
app.add_typer(models_app, name="models")
app.add_typer(eval_app, name="eval")

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="TUWEN_DATA", help="Data directory (default: ./.tuwen).", show_default=False),
]
Server = Annotated[str, typer.Option("--server", envvar="TUWEN_SERVER", help="Use the server at this URL.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Collection = Annotated[str, typer.Option("--collection", "-c", help="Collection of documents.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show what each step left, and the prompt.")]
FilterText = Annotated[
    str, typer.Option("--filter", help="Only where this holds: 'language = zh and page >= 3' (docs/filters.md).")
]
TopK = Annotated[int, typer.Option("--top-k", "-k", min=1, max=200, help="How many hits.")]
SchemeName = Annotated[
    Literal["vector", "aligned", "hybrid"] | None,
    typer.Option("--scheme", help="How is searched (docs/reranking.md); that of the settings.", show_default=False),
]


def main() -> None:
    app()


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "",
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    ask_first: Annotated[str, typer.Option("--ask", help="Ask this over HTTP once ready, and print the answer.")] = "",
    as_json: Json = False,
) -> None:
    """Answer questions over HTTP, with a web page at /."""
    from api.server import run

    with errors(as_json):
        given = {"host": host or None, "port": port}
        run(_settings(data, {"http": given}), open_page=open_page, ask_first=ask_first, as_json=as_json)


@app.command()
def ingest(
    places: Annotated[
        list[str], typer.Argument(help="Files, folders, and addresses: s3://…, https://… (docs/ingest.md).")
    ],
    data: Data = None,
    server: Server = "",
    collection: Collection = "default",
    workers: Annotated[int | None, typer.Option(min=1, max=512, help="Parse processes (ingest.workers).")] = None,
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="ADDRESS", help="Work on a Ray cluster: local, auto or host:port.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option(help="Try files again that failed before, though unchanged.")] = False,
    sync: Annotated[bool, typer.Option("--sync", help="Delete documents whose file in the folders is gone.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and ingest what changes, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between looks, with --watch.")] = 3.0,
    events: Annotated[bool, typer.Option("--events", help="Print progress as lines of JSON on stderr.")] = False,
    as_json: Json = False,
) -> None:
    """Read files into a collection. Unchanged files are skipped; a bad file is reported and the rest goes on."""
    import threading

    from api import terminal
    from api.client import LocalClient
    from api.service import check_collection
    from ingest.files import find, is_remote
    from ingest.sync import watch as watched

    failed = False
    with errors(as_json), _client(data, server, {"ingest": {"workers": workers, "ray": ray}}) as client:
        check_collection(collection)
        if ray and not isinstance(client, LocalClient):
            raise BadRequest(
                f"{client.where} owns the data directory, and ingests what is uploaded without Ray.",
                "Stop the server and run the command on its data directory.",
            )
        paths = [Path(place) for place in places if not is_remote(place)]
        if len(paths) < len(places) and watch:
            raise BadRequest(
                "--watch looks at folders of this machine only.", "Run the command again when there is more."
            )
        for again, _ in enumerate(watched(paths, every, threading.Event()) if watch else [None]):
            # What is elsewhere is counted while it is ingested: it is not listed twice.
            total = 0 if as_json or events or len(paths) < len(places) else sum(1 for _ in find(paths))
            with (
                # What was sent to a server is its own to work on.
                terminal.interruptible(quiet=as_json or not isinstance(client, LocalClient)),
                terminal.ingest_view(total, as_json=as_json, events=events, each=again > 0) as tell,
            ):
                report = client.ingest(places, collection, tell, retry_failed=retry_failed, sync=sync)
            failed = bool(report.states["failed"])
            if as_json:
                print_json(terminal.report_json(report))
            elif not watch or set(report.states) - {"unchanged"}:
                terminal.show_report(report)
            if watch and not again and not as_json:
                terminal.err.print("Watching for changes; Ctrl-C ends it.")
    if failed:
        raise typer.Exit(1)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")] = "",
    image: Annotated[Path | None, typer.Option(help="Look for what this picture shows.")] = None,
    data: Data = None,
    server: Server = "",
    collection: Collection = "default",
    top_k: TopK = 10,
    filter_text: FilterText = "",
    scheme: SchemeName = None,
    explain: Explain = False,
    as_json: Json = False,
) -> None:
    """Find passages, tables and pictures."""
    from api import schemas, terminal
    from api.client import encode_image

    with errors(as_json), _client(data, server) as client:
        if not question.strip() and image is None:
            raise BadRequest("There is no question.", 'Give one: tuwen search "…", or a picture with --image FILE.')
        encoded = encode_image(image) if image else ""
        only = schemas.FilterBody(where=filter_text or None)
        body = schemas.SearchBody(
            query=question,
            image=encoded,
            collection=collection,
            top_k=top_k,
            filter=only,
            explain=explain,
            scheme=scheme,
        )
        result = client.search(body)
        if as_json:
            print_json(result)
        else:
            terminal.show_hits(result)
            terminal.show_explained(result)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in English or Chinese.")],
    data: Data = None,
    server: Server = "",
    collection: Collection = "default",
    top_k: TopK = 10,
    filter_text: FilterText = "",
    scheme: SchemeName = None,
    explain: Explain = False,
    as_json: Json = False,
) -> None:
    """Answer a question with citations."""
    from api import schemas, terminal
    from api.answer_view import answer_view

    with errors(as_json), _client(data, server) as client, answer_view() as view:
        only = schemas.FilterBody(where=filter_text or None)
        body = schemas.QueryBody(
            question=question, collection=collection, top_k=top_k, filter=only, explain=explain, scheme=scheme
        )
        for name, event in client.answer(body):
            if name == "message" and not as_json:
                view.piece(event["delta"])
            elif name == "final_answer":
                if as_json:
                    print_json(event)
                else:
                    view.end(event)
                    terminal.show_explained(event)


@app.command()
def chat(
    data: Data = None,
    server: Server = "",
    collection: Collection = "default",
    conversation: Annotated[str, typer.Option(help="Go on with the conversation that has this id.")] = "",
    top_k: TopK = 10,
    as_json: Json = False,
) -> None:
    """Ask in turns: conversations are kept, answers cited. /help lists the commands; Ctrl-C stops an answer."""
    from api.chat import converse
    from api.service import check_collection

    with errors(as_json), _client(data, server) as client:
        check_collection(collection)
        converse(client, collection=collection, conversation=conversation, top_k=top_k, as_json=as_json)


@documents_app.command("list")
def list_documents(
    data: Data = None,
    server: Server = "",
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only this collection.")] = None,
    as_json: Json = False,
) -> None:
    """List documents, and files that could not be ingested."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        files = client.documents(collection)
        if as_json:
            print_json({"files": files})
        else:
            terminal.show_documents(files)


@documents_app.command("show")
def show_document(document_id: str, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """Show a document as it is searched."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        shown = client.document(document_id)
        if as_json:
            print_json(shown)
        else:
            terminal.show_documents([shown | {"chunks": len(shown["chunks"])}])
            for key, value in shown["metadata"].items():
                terminal.out.print(f"metadata.{key}: {value}", markup=False)
            for chunk in shown["chunks"]:
                page = f"page {chunk['page']}, " if chunk["page"] else ""
                terminal.out.rule(f"{page}{chunk['kind']}", align="left")
                terminal.out.print(chunk["text"], markup=False)


@documents_app.command("delete")
def delete_documents(
    document_ids: Annotated[list[str], typer.Argument(help="Ids, from `documents list`.")],
    data: Data = None,
    server: Server = "",
    as_json: Json = False,
) -> None:
    """Delete documents with every trace of them."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        for document_id in document_ids:
            client.delete(document_id)
        if as_json:
            print_json({"deleted": document_ids})
        else:
            terminal.out.print(f"{len(document_ids)} deleted")


@documents_app.command("versions")
def list_versions(document_id: str, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """List the versions of a document that were published, the newest first; that one is searched."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        versions = client.versions(document_id)
        if as_json:
            print_json({"versions": versions})
        else:
            terminal.show_versions(versions)


@jobs_app.command("list")
def list_jobs(
    data: Data = None,
    server: Server = "",
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only this collection.")] = None,
    status: Annotated[str, typer.Option(help="Only jobs in this state: queued, paused, parsing, failed, …")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also those that came to a good end.")] = False,
    as_json: Json = False,
) -> None:
    """List the queue: what waits, is under way, was paused, or failed, and why."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        found = [job for job in client.jobs(collection) if status in ("", job["status"])]
        if as_json:
            print_json({"jobs": found})
        else:
            terminal.show_jobs(found, everything=everything or bool(status))


@jobs_app.command("failed")
def list_dead_letters(
    data: Data = None,
    server: Server = "",
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only this collection.")] = None,
    as_json: Json = False,
) -> None:
    """List what failed, also inside archives, with the reason and what to do."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        found = client.dead_letters(collection)
        if as_json:
            print_json({"failed": found})
        else:
            terminal.show_dead_letters(found)


@jobs_app.command("run")
def run_jobs(data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """Work on the queue until nothing waits in it. A server does so anyway; then this waits for it."""
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        with terminal.ingest_view(0, as_json=as_json, events=False) as tell:
            report = client.run_jobs(tell)
        if as_json:
            print_json(terminal.report_json(report))
        else:
            terminal.show_report(report)
    if report.states["failed"]:
        raise typer.Exit(1)


Ids = Annotated[list[str] | None, typer.Argument(help="Ids or names, from `jobs list`; without one, all.")]


@jobs_app.command("cancel")
def cancel_jobs(ids: Ids = None, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """End jobs that wait or are under way; nothing of their files is published."""
    _change_jobs("cancel", ids, data, server, as_json)


@jobs_app.command("pause")
def pause_jobs(ids: Ids = None, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """Set jobs aside; pages that were read are kept."""
    _change_jobs("pause", ids, data, server, as_json)


@jobs_app.command("resume")
def resume_jobs(ids: Ids = None, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """Queue paused jobs again."""
    _change_jobs("resume", ids, data, server, as_json)


@jobs_app.command("retry")
def retry_jobs(ids: Ids = None, data: Data = None, server: Server = "", as_json: Json = False) -> None:
    """Queue again what failed: all of it, or what is named; a file inside an archive with its archive."""
    _change_jobs("retry", ids, data, server, as_json)


_DONE = {"cancel": "cancelled", "pause": "paused", "resume": "queued again", "retry": "queued again"}


def _change_jobs(action: str, ids: list[str] | None, data: Path | None, server: str, as_json: bool) -> None:
    from api import terminal

    with errors(as_json), _client(data, server) as client:
        changed = client.change_jobs(action, ids or None)
        if as_json:
            print_json({"action": action, "jobs": changed})
        else:
            terminal.out.print(f"{changed:,} {_DONE[action]}" if changed else f"Nothing to {action}.")
            if changed and action in ("resume", "retry") and not client.serves:
                terminal.out.print("Nobody works on the queue now: `tuwen jobs run` does, and so does `tuwen serve`.")


@models_app.command("list")
def list_models(data: Data = None, as_json: Json = False) -> None:
    """Which models Tuwen knows, which are here, and what the settings make of them."""
    from api import models

    with errors(as_json):
        models.show(_settings(data), as_json)


@models_app.command("pull")
def pull_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Models; without a name, those that the settings need.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fetch weights and verify them; what was interrupted goes on where it stopped."""
    from api import models

    with errors(as_json):
        models.pull(_settings(data), names or [], as_json)


@models_app.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(help="Models; without a name, all that are here.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compute the sha256 of every file of a model and compare it with the manifest."""
    from api import models

    with errors(as_json):
        models.verify(_settings(data), names or [], as_json)


@models_app.command("convert")
def convert_model(
    source: Annotated[Path, typer.Argument(help="Folder of a CLIPModel or ChineseCLIPModel of Hugging Face.")],
    target: Annotated[Path, typer.Argument(help="Folder to write to.")],
    as_json: Json = False,
) -> None:
    """Convert a CLIP of Hugging Face for open_clip, which searches pictures with it."""
    from api import models

    with errors(as_json):
        models.convert(source, target, as_json)


@app.command()
def plan(
    model: Annotated[str, typer.Argument(help="A model's name (deepseek-r1, qwen2.5-7b, …), or its config.json.")],
    gpu: Annotated[
        str, typer.Option(help="A card's name, or memory,bandwidth,TFLOPS in GB, GB/s and dense bf16; cpu:… for none.")
    ] = "h100",
    gpus: Annotated[int, typer.Option(min=1, max=64, help="How many, by tensor parallelism.")] = 1,
    precision: Annotated[
        str,
        typer.Option(help="Of the weights: bf16, fp8, int8, int4, fp32 (default: as published).", show_default=False),
    ] = "",
    kv: Annotated[str, typer.Option(help="Of the cache: bf16 or fp8.")] = "bf16",
    context: Annotated[int, typer.Option(min=2, help="Tokens of a user's prompt and answer together.")] = 4096,
    answer: Annotated[int, typer.Option(min=1, help="Of them, those of the answer.")] = 300,
    users: Annotated[int, typer.Option(min=1, help="Who are answered at the same time.")] = 1,
    bandwidth_share: Annotated[
        float | None, typer.Option(min=0.01, max=1, help="Of the peak, while writing.", show_default="0.7")
    ] = None,
    as_json: Json = False,
) -> None:
    """Whether a model fits on cards (or a CPU), for how many users, and how fast: weights, caches and a roofline."""
    from dataclasses import replace

    from api.plan_view import show_plan
    from rag.planning.catalogue import find_device, find_model
    from rag.planning.plan import Wish, make_plan
    from rag.planning.roofline import EXPECTED

    with errors(as_json):
        architecture, notes = find_model(model)
        assumed = EXPECTED if bandwidth_share is None else replace(EXPECTED, bandwidth=bandwidth_share)
        wish = Wish(precision, kv, context, answer, users, gpus, assumed)
        made = make_plan(architecture, find_device(gpu), wish)
        if as_json:
            print_json(made.as_json() | {"notes": list(notes)})
        else:
            show_plan(made, notes)


@app.command()
def doctor(
    data: Data = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the vector index anew from the library.")] = False,
    as_json: Json = False,
) -> None:
    """Check that every published chunk is whole and found by its own vector and words."""
    from api import terminal
    from api.service import open_service

    with errors(as_json), open_service(_settings(data)) as service:
        rebuilt = None
        if rebuild:
            with terminal.downloading() as progress:
                task = progress.add_task("rebuilding", total=None)
                rebuilt = service.rebuild(lambda done, total: progress.update(task, completed=done, total=total))
        problems = service.verify()
        documents, precisions = service.documents(), service.precisions()
        shown = {
            "documents": len(documents),
            "chunks": sum(stored.chunks for stored in documents),
            "indexes": [
                {"collection": s.key.collection, "content": s.key.content, "expected": s.expected, "found": s.found}
                for s in service.examine()
            ],
            "vectors": precisions,
            "rebuilt": rebuilt,
            "problems": problems,
        }
        if as_json:
            print_json(shown)
        else:
            terminal.out.print(f"{shown['documents']} documents, {shown['chunks']} chunks")
            terminal.show_precisions(precisions, service.settings.index.vectors)
            for problem in problems:
                terminal.out.print(f"[red]![/] {problem}")
            terminal.out.print("Everything is in order." if not problems else "Run `tuwen doctor --rebuild`.")
    if problems:
        raise typer.Exit(1)


def _settings(data: Path | None, overrides: dict[str, Any] | None = None) -> Any:
    from api.settings import load

    return load(data, overrides)


@contextlib.contextmanager
def _client(data: Path | None, server: str, overrides: dict[str, Any] | None = None) -> Iterator[Any]:
    from api.client import connect

    client = connect(_settings(data, overrides), server)
    try:
        yield client
    finally:
        client.close()


if __name__ == "__main__":
    main()
