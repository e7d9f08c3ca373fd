"""Generators that say what a test wrote: one in process, one as an OpenAI-shaped HTTP server.

Shipped, so that who embeds Tuwen can test without a model.
"""

from __future__ import annotations

import json
import select
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType, TracebackType
from typing import Any

from rag.answers import Usage
from rag.errors import TuwenError
from rag.protocols import GenerationRequest


class ScriptedGenerator:
    """Answers with the given texts, one per request, the last one again and again; an error in the script is raised.

    `requests` are those it was given, `closed_early` how many answers nobody read to their end.
    """

    def __init__(
        self,
        *script: str | TuwenError,
        context_tokens: int = 2048,
        piece_characters: int = 4,
        not_ready: TuwenError | None = None,
    ) -> None:
        self._script: Sequence[str | TuwenError] = script or ("Scripted answer [1].",)
        self._context_tokens = context_tokens
        self._piece = piece_characters
        self._not_ready = not_ready
        self.requests: list[GenerationRequest] = []
        self.closed_early = 0

    @property
    def name(self) -> str:
        return "scripted"

    @property
    def context_tokens(self) -> int:
        return self._context_tokens

    def count_tokens(self, text: str) -> int:
        """One token per four characters, at least one per word."""
        return max((len(text) + 3) // 4, len(text.split()))

    def stream(self, request: GenerationRequest) -> Iterator[str | Usage]:
        said = self._script[min(len(self.requests), len(self._script) - 1)]
        self.requests.append(request)
        if isinstance(said, TuwenError):
            raise said
        finished = False
        try:
            for start in range(0, len(said), self._piece):
                yield said[start : start + self._piece]
            finished = True
        finally:
            self.closed_early += not finished
        prompt = sum(self.count_tokens(message.content) for message in request.messages)
        yield Usage(prompt, self.count_tokens(said))

    def ready(self) -> None:
        if self._not_ready is not None:
            raise self._not_ready

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the scripted server answers to one chat completion.

    `status` other than 200 sends `body` (or an error object). `break_after` pieces the connection is cut; `raw` replaces the event stream
    by bytes of one's own. `before_s` (before anything), `first_s` (after the head, as while a prompt is read), `between_s` and `after_s`
    (behind `raw`) are pauses.
    """

    pieces: tuple[str, ...] = ("Scripted ", "answer [1].")
    status: int = 200
    body: str = ""
    raw: bytes | None = None
    before_s: float = 0.0
    first_s: float = 0.0
    between_s: float = 0.0
    after_s: float = 0.0
    break_after: int | None = None
    usage: bool = True
    retry_after: str = ""
    """Sent with a `status` other than 200."""


@dataclass
class _State:
    replies: Sequence[Reply]
    models: Sequence[str]
    key: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


class ScriptedServer:
    """An OpenAI-shaped server on a free port, for `with`; the last reply is given again and again.

    `requests` are the bodies of the chat completions; `hung_up` is set when a client left before the end of a stream.
    """

    def __init__(self, *replies: Reply, models: Sequence[str] = ("scripted",), key: str = "") -> None:
        self._state = _State(replies or (Reply(),), models, key)
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """With `/v1`, as clients want it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self._state.requests

    @property
    def hung_up(self) -> threading.Event:
        return self._state.hung_up

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: _State

    def do_GET(self) -> None:
        if self._authorised() and self.path.rstrip("/").endswith("/models"):
            models = [{"id": name, "object": "model", "owned_by": "tuwen"} for name in self.state.models]
            self._send_json(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if not self._authorised():
            return
        with self.state.lock:
            reply = self.state.replies[min(len(self.state.requests), len(self.state.replies) - 1)]
            self.state.requests.append(body)
        time.sleep(reply.before_s)
        if reply.status != 200:
            error = {
                "error": {"message": reply.body or "scripted failure", "type": "server_error", "code": reply.status}
            }
            self._send_json(reply.status, error, {"Retry-After": reply.retry_after} if reply.retry_after else {})
            return
        try:
            if body.get("stream"):
                self._send_stream(reply, body)
            else:
                self._send_json(200, _completion(reply, body))
        except (BrokenPipeError, ConnectionResetError):
            self.state.hung_up.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server uses
        """Silent."""

    def _authorised(self) -> bool:
        if self.state.key and self.headers.get("Authorization") != f"Bearer {self.state.key}":
            self._send_json(401, {"error": {"message": "wrong key", "type": "invalid_request_error", "code": 401}})
            return False
        return True

    def _send_json(self, status: int, value: object, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_stream(self, reply: Reply, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        self._wait(reply.first_s)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.wfile.flush()
            self._wait(reply.after_s)
            return
        for place, piece in enumerate(reply.pieces):
            if place == reply.break_after:
                return
            self._event(body, [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None}])
            self._wait(reply.between_s)
        self._event(body, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
        if reply.usage and (body.get("stream_options") or {}).get("include_usage"):
            self._event(body, [], _usage(reply, body))
        self.wfile.write(b"data: [DONE]\n\n")

    def _wait(self, seconds: float) -> None:
        """Raises ConnectionResetError as soon as the client hangs up."""
        if seconds and select.select([self.connection], [], [], seconds)[0]:
            raise ConnectionResetError

    def _event(self, body: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> None:
        event = {
            "id": "chatcmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": body.get("model", "scripted"),
            "choices": choices,
            "usage": usage,
        }
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()


def _completion(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(reply.pieces)}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", "scripted"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(reply, body),
    }


def _usage(reply: Reply, body: dict[str, Any]) -> dict[str, int]:
    prompt = sum(len(str(message.get("content", "")).split()) for message in body.get("messages", []))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(reply.pieces),
        "total_tokens": prompt + len(reply.pieces),
    }
