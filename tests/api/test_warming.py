"""What a server reads at its start is what its first question needs; whoever may read less finds no more."""

from api.service import Service
from rag.answers import EVERYTHING, Query
from rag.protocols import IndexKey


def test_the_first_question_finds_everything_read(filled: Service) -> None:
    filled.warm_up()
    key = IndexKey("default", filled.encoder.space.id, "text")
    ids = filled.library.vectors_by_id(key)[0]
    assert len(filled.library._kept.vectors(key, ids)) == len(filled.library._kept.languages(ids)) == len(ids) == 2
    assert filled.lexical._postings._size > 0
    found = filled.search(Query("How much bamboo does a panda eat?"), access=EVERYTHING)
    assert found.hits[0].document.name == "pandas.md"


def test_an_empty_library_has_nothing_to_read(service: Service) -> None:
    service.warm_up()
    assert service.library.collections() == {}
