"""What a server with OpenAI's interface did wrong, as errors of the tree."""

from __future__ import annotations

import httpx

from rag.errors import BadRequest, BadSetting, GeneratorBusy, GeneratorUnavailable, TuwenError

BUSY = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})
LONGEST_RETRY_S = 60.0


def refused(base_url: str, model: str, response: httpx.Response) -> TuwenError:
    """For an answer other than 200, its body read."""
    status, said = response.status_code, _message(response)
    if status in (401, 403):
        return key_refused(base_url)
    if status == httpx.codes.NOT_FOUND:
        return BadSetting(
            f"{base_url} knows no model {model}, or no /chat/completions.",
            "Check generator.model and generator.base_url (it ends in /v1).",
        )
    if status in (400, 413, 422):
        return BadRequest(
            f"{base_url} refused the request: {said.rstrip('.')}.",
            "When it speaks of the length, set generator.context_tokens to what the server was started with; when of pictures, set "
            "generator.images to 0 or name a vision model.",
        )
    if status in BUSY:
        return GeneratorBusy(
            f"{base_url} has no room for another request ({status}: {said}).",
            "Ask again later, or add a server (generator.servers).",
            _retry_after(response),
        )
    return GeneratorUnavailable(f"{base_url} answers {status}: {said}", "Ask again later, or look at its log.")


def lost(base_url: str, error: Exception, timeout: httpx.Timeout) -> TuwenError:
    """For a connection that failed."""
    if isinstance(error, httpx.ConnectTimeout):
        return unreachable(base_url, error)
    if isinstance(error, httpx.TimeoutException):
        return GeneratorUnavailable(
            f"{base_url} said nothing for {timeout.read or 0:g} seconds.",
            "Ask again later, or set a longer generator.timeout_seconds.",
        )
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError):
        return GeneratorUnavailable(f"The answer of {base_url} broke off ({type(error).__name__}).", "Ask again.")
    return unreachable(base_url, error)


def unreachable(base_url: str, error: BaseException) -> GeneratorUnavailable:
    return GeneratorUnavailable(
        f"No answer from {base_url} ({type(error).__name__}).",
        "Start the server, check generator.base_url, or choose another generator (generator.kind).",
    )


def key_refused(base_url: str) -> BadSetting:
    return BadSetting(f"{base_url} refuses the key.", "Set generator.api_key to a key that it knows.")


def _message(response: httpx.Response) -> str:
    try:
        error = response.json()
        error = error.get("error", error)
        return str(error["message"] if isinstance(error, dict) else error)[:300]
    except (ValueError, AttributeError, KeyError, TypeError):
        return response.text[:300]


def _retry_after(response: httpx.Response) -> float:
    """Seconds; a date is not looked into."""
    said = response.headers.get("retry-after", "")
    return min(float(said), LONGEST_RETRY_S) if said.isdigit() else 1.0
