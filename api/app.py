"""The HTTP application: routes, errors, and the lifespan that holds the service."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api import errors, schemas
from api.admission import Admission
from api.deps import State
from api.page import WEB, page
from api.routes import ask, conversations, feedback, files, health, jobs, review
from api.runner import Runner
from api.service import Service
from ingest.jobs import Jobs
from rag.errors import TuwenError, Unavailable
from rag.protocols import WarmUp
from rag.words import warm_up

log = logging.getLogger(__name__)

GENERATOR_AGAIN_S = 2.0
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(service: Service) -> FastAPI:
    """The application over an open service. The service is closed by whoever opened it."""
    queue = Jobs(service.library)
    limits = service.settings.http
    state = State(service, queue, Runner(service, queue), Admission(limits.answers_at_once, limits.answers_waiting))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ending = threading.Event()
        warming = threading.Thread(target=_warm_up, args=(state, ending), name="tuwen-warm-up", daemon=True)
        warming.start()
        try:
            yield
        finally:
            ending.set()
            warming.join(timeout=60)
            state.runner.stop()

    app = FastAPI(
        title="Tuwen",
        description="Questions about folders of real documents, answered with checked citations.",
        version="0.1.0",
        lifespan=lifespan,
    )
    app.state.tuwen = state
    errors.install(app)
    app.add_middleware(SameOrigin)
    for router in (
        ask.router,
        conversations.router,
        files.router,
        jobs.router,
        feedback.router,
        review.router,
        health.router,
    ):
        app.include_router(router)

    @app.get("/", include_in_schema=False)
    def index_page() -> HTMLResponse:
        return HTMLResponse(page("index.html"), headers={"Content-Security-Policy": _PAGE_POLICY})

    @app.get("/review", include_in_schema=False)
    def review_page() -> HTMLResponse:
        return HTMLResponse(page("review.html"), headers={"Content-Security-Policy": _PAGE_POLICY})

    app.mount("/static", StaticFiles(directory=WEB), name="static")
    return app


def _warm_up(state: State, ending: threading.Event) -> None:
    """Loads what questions need, so that the first one does not wait for it; then begins with the queue."""
    try:
        warm_up()
        _ = state.service.engine
        state.runner.start()
        _read_ahead(state)
        _wait_for_generator(state, ending)
        state.service.active()
        state.trouble = None
    except TuwenError as error:
        log.error("not ready: %s", error)
        state.trouble = schemas.error(type(error).__name__, error.message, error.remedy)["error"]
    except Exception as error:
        log.exception("not ready")
        state.trouble = schemas.error("InternalError", f"Start-up failed: {error}.", "See the server's log.")["error"]


def _read_ahead(state: State) -> None:
    try:
        state.service.warm_up()
    except TuwenError:
        raise
    except Exception:
        # Whoever asks will see whether it is more than that.
        log.warning("The first questions will take longer: nothing could be read ahead.", exc_info=True)


def _wait_for_generator(state: State, ending: threading.Event) -> None:
    """A server that starts after this one, or more slowly, is waited for; what waiting cannot mend is raised. Meanwhile /readyz says why."""
    while True:
        generator = state.service.generator
        try:
            generator.ready()
            if isinstance(generator, WarmUp):
                generator.warm_up()
            return
        except Unavailable as error:
            if state.trouble is None or state.trouble["message"] != error.message:
                log.warning("waiting for the generator: %s", error)
            state.trouble = schemas.error(type(error).__name__, error.message, error.remedy)["error"]
            if ending.wait(GENERATOR_AGAIN_S):
                raise


class SameOrigin:
    """A page of another site must not upload or delete here through a visitor's browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin and urlsplit(origin).netloc != headers.get("host"):
                message = f"Requests from {origin} are not accepted."
                body = schemas.error("BadRequest", message, "Use the page of this server.")
                await JSONResponse(body, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)
