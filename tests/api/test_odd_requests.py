"""Half a character, a number beyond every database, a name of nothing: refused in words, never a failure of the server."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.service import Service

HALF = r"\ud800"


@pytest.fixture
def http(filled: Service) -> TestClient:
    return TestClient(create_app(filled), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("search", '{"query": "panda HALF"}'),
        ("search", '{"query": "panda", "collection": "HALF"}'),
        ("search", '{"query": "panda", "filter": "name = HALF"}'),
        ("search", '{"query": "panda", "filter": {"name": ["HALF"]}}'),
        ("search", '{"query": "panda", "filter": {"where": {"field": "HALF", "op": "=", "value": 1}}}'),
        ("search", '{"query": "panda", "filter": {"where": {"field": "name", "op": "HALF", "value": "a"}}}'),
        ("search", '{"query": "panda", "filter": {"where": {"field": "name", "op": "=", "value": "HALF"}}}'),
        ("search", '{"query": "panda", "filter": {"where": {"HALF": []}}}'),
        ("search", '{"query": "panda", "HALF": 1}'),
        ("query", '{"question": "panda HALF"}'),
        ("query", '{"question": "panda", "conversation_id": "HALF"}'),
        ("feedback", '{"rating": "up", "question": "?", "collection": "HALF"}'),
        ("feedback", '{"rating": "up", "question": "?", "context": ["HALF"]}'),
        ("conversations", '{"filter": {"name": ["HALF"]}}'),
        ("conversations", '{"collection": "HALF"}'),
        ("jobs/cancel", '{"ids": ["HALF"]}'),
        ("jobs/retry", '{"ids": ["HALF"]}'),
    ],
)
def test_half_a_character(http: TestClient, path: str, body: str) -> None:
    answer = http.post(f"/v1/{path}", content=body.replace("HALF", HALF), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404, 422), answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["conversations?offset=99999999999999999999", "jobs/events?since=99999999999999999999"]
)
def test_a_number_beyond_every_database(http: TestClient, path: str) -> None:
    assert http.get(f"/v1/{path}").status_code == 422


def test_an_event_id_beyond_every_database(http: TestClient) -> None:
    answer = http.get("/v1/jobs/events", headers={"Last-Event-ID": "99999999999999999999"})
    assert answer.status_code == 422
