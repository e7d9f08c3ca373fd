"""Errors as HTTP: one table from the error tree to status codes, one shape of body."""

from __future__ import annotations

import logging
import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api import schemas
from rag import errors

log = logging.getLogger(__name__)

STATUS: dict[type[errors.TuwenError], int] = {
    errors.BadRequest: 400,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.UnsupportedFile: 415,
    errors.LimitExceeded: 413,
    errors.FileError: 422,
    errors.InputError: 400,
    errors.ConversationBusy: 409,
    errors.Overloaded: 429,
    errors.Unavailable: 503,
    errors.SetupError: 503,
    errors.TuwenError: 500,
}


def status_of(error: errors.TuwenError) -> int:
    """The status of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def retry_after(error: errors.TuwenError) -> dict[str, str]:
    """The header that says when to come again (RFC 9110, 10.2.3), where the error knows."""
    return {"Retry-After": str(math.ceil(error.retry_after))} if isinstance(error, errors.Overloaded) else {}


def install(app: FastAPI) -> None:
    @app.exception_handler(errors.TuwenError)
    def tuwen_error(_: Request, error: errors.TuwenError) -> JSONResponse:
        body = schemas.error(type(error).__name__, error.message, error.remedy)
        return JSONResponse(body, status_of(error), headers=retry_after(error))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        message = f"`{where}`: {first['msg']}." if where else f"{first['msg']}."
        return JSONResponse(
            schemas.error("BadRequest", message, "The routes and their fields are listed at /docs."), 422
        )

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail}."
        body = schemas.error("HttpError", message, "The routes are listed at /docs.")
        return JSONResponse(body, error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        body = schemas.error("InternalError", "The server failed to answer this request.", "See the server's log.")
        return JSONResponse(body, 500)
