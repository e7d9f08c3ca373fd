"""docs/http.md names every route there is, with an example, and its JSON is JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.routes import ask, conversations, feedback, files, health, jobs, review

TEXT = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
ROUTES = [
    (method, route.path)
    for router in (
        ask.router,
        conversations.router,
        files.router,
        jobs.router,
        feedback.router,
        review.router,
        health.router,
    )
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_described(method: str, path: str) -> None:
    assert re.search(rf"`{method} {re.escape(path)}`", TEXT), f"docs/http.md does not describe {method} {path}"


def test_no_route_is_described_that_is_not_there() -> None:
    described = set(re.findall(r"`(GET|POST|DELETE|PUT|PATCH) (/[^`]*)`", TEXT))
    assert described <= set(ROUTES)


def test_json_examples_are_json() -> None:
    examples = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert len(examples) > 8
    for example in examples:
        json.loads(example)
