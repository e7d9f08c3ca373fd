"""Filters and access as a caller meets them: over HTTP, in the client, on the command line."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api import deps
from api.access import Caller
from api.app import create_app
from api.schemas import FilterBody
from api.service import Service, open_service
from api.settings import load
from ingest.files import find
from rag.answers import Access, Filter, Query
from rag.errors import NotFound
from rag.filters import Comparison, parse
from tests.support.light import LIGHT


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    tmp_path = tmp_path_factory.mktemp("filters")
    folder = tmp_path / "files"
    for tenant in ("red", "blue"):
        (folder / tenant).mkdir(parents=True)
        (folder / tenant / "notes.md").write_text(
            f"---\ntenant: {tenant}\nyear: {2019 if tenant == 'red' else 2023}\n---\n# Granite\n\nGranite of {tenant} is hard.\n"
        )
    with open_service(load(tmp_path / "data", LIGHT)) as opened:
        opened.ingest(find([folder]))
        opened.ingest(find([folder / "blue"]), "private")
        yield opened


@pytest.mark.parametrize(
    "given",
    [
        {"where": "metadata.year > 2020"},
        "metadata.year > 2020",
        {"field": "metadata.year", "op": ">", "value": 2020},
        {"not": {"and": [{"field": "name", "op": "starts_with", "value": "red/"}]}},
        {"media_type": ["text/markdown"], "where": {"field": "metadata.tenant", "op": "=", "value": "blue"}},
    ],
)
def test_every_way_to_write_a_filter(service: Service, given: object) -> None:
    client = TestClient(create_app(service))
    found = client.post("/v1/search", json={"query": "granite", "filter": given}).json()
    assert [hit["document"]["name"] for hit in found["hits"]] == ["blue/notes.md"]


@pytest.mark.parametrize("given", ["page >=", {"where": {"field": "text", "op": "=", "value": 1}}, {"and": "x"}])
def test_a_wrong_filter_is_a_bad_request(service: Service, given: object) -> None:
    answer = TestClient(create_app(service)).post("/v1/search", json={"query": "granite", "filter": given})
    assert answer.status_code == 400
    assert answer.json()["error"]["remedy"]


def test_the_lists_of_old_stay_valid() -> None:
    assert FilterBody(name=["a"], language=["zh"]).to_filter() == Filter(
        names=frozenset({"a"}), languages=frozenset({"zh"})
    )
    assert FilterBody.model_validate("page = 1").to_filter() == Filter(where=Comparison("page", "=", (1,)))
    assert not FilterBody.model_validate("").to_filter()
    assert FilterBody.model_validate(FilterBody(where="page = 1").model_dump()).to_filter()


def test_a_service_is_not_asked_without_access(service: Service) -> None:
    with pytest.raises(TypeError, match="access"):
        service.search(Query("granite"))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="access"):
        service.answer(Query("granite"))  # type: ignore[call-arg]


def test_access_holds_over_http_and_hides_collections(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    red = Access(Filter(where=parse("metadata.tenant = red")))
    found = service.search(Query("granite"), access=red)
    assert {hit.document.name for hit in found.hits} == {"red/notes.md"}
    with pytest.raises(NotFound, match=r"no collection 'private' \(there is: default\)"):
        service.search(Query("granite", "private"), access=red)
    app = create_app(service)
    app.dependency_overrides[deps.caller] = lambda: Caller("red", red)
    client = TestClient(app)
    for given in ("", "metadata.tenant = blue", "not metadata.tenant = red", "name in ()"):
        hits = client.post("/v1/search", json={"query": "granite", "filter": given}).json()["hits"]
        assert {hit["document"]["name"] for hit in hits} <= {"red/notes.md"}
    answer = client.post("/v1/query", json={"question": "What is granite of blue?", "filter": "metadata.tenant = blue"})
    assert answer.json()["context"] == []
    assert "blue is hard" not in answer.text
