"""POST of JSON with retries, for encoders and rerankers that are somebody else's server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from rag.errors import EncoderUnavailable

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0


class JsonClient:
    """Calls one server. A refusal that may pass (429, 5xx, no connection, timeout) is tried again after 0.5, 1, 2 … s, or
    after what the server's Retry-After says; `attempts` counts the first call. Safe to use from several threads.

    `setting` is named in errors, for example `encoder.base_url`. `client` and `sleep` are replaceable for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        setting: str,
        api_key: str = "",
        timeout: float = 60.0,
        attempts: int = 4,
        client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url, self._setting, self._attempts, self._sleep = base_url.rstrip("/"), setting, attempts, sleep
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or httpx.Client(timeout=httpx.Timeout(timeout, connect=10.0))

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """The decoded answer. Raises EncoderUnavailable."""
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                answer = self._client.post(self._base_url + path, json=dict(body), headers=self._headers)
            except httpx.HTTPError as error:
                if last or not isinstance(error, httpx.TransportError):
                    raise self._unavailable(str(error) or type(error).__name__) from error
                self._sleep(_pause(attempt, ""))
                continue
            if answer.is_success:
                return self._decoded(answer)
            if last or answer.status_code not in RETRIED:
                raise self._unavailable(f"it answered {answer.status_code}: {answer.text[:200]}")
            self._sleep(_pause(attempt, answer.headers.get("retry-after", "")))
        raise AssertionError("unreachable")

    def _decoded(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise self._unavailable("its answer is not JSON") from error

    def unexpected(self, what: str) -> EncoderUnavailable:
        """For an answer that is JSON but not of the expected shape."""
        return self._unavailable(what)

    def _unavailable(self, reason: str) -> EncoderUnavailable:
        return EncoderUnavailable(
            f"The server at {self._base_url} cannot be used: {reason}.",
            f"Check that it runs, and the setting {self._setting} and its key.",
        )

    def close(self) -> None:
        self._client.close()


def _pause(attempt: int, retry_after: str) -> float:
    if retry_after.isdigit():
        return min(float(retry_after), LONGEST_PAUSE)
    return float(min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE))
