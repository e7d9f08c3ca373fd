"""Kept BM25 scores: the same order and scores as FTS5's, in every collection and under every filter, also after a change."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answers import Filter
from rag.documents import Chunk, Document
from rag.fakes import HashingTextEncoder
from rag.filters import parse
from rag.stores.lexical import SqliteLexicalIndex
from rag.stores.library import SqliteLibrary
from rag.stores.postings import Postings
from rag.stores.publishing import Publication, digests_of

SPACE = HashingTextEncoder().space
WORDS = "granite basalt slate marble chalk flint running runs ran 岩石 花岗岩 don't x²".split()


def publish(library: SqliteLibrary, collection: str, name: str, texts: list[str]) -> None:
    id_ = Document.make_id(collection, name)
    chunks = [Chunk(f"{id_}.{n}", id_, n, "text", text, language="en") for n, text in enumerate(texts)]
    vectors = np.eye(len(texts), SPACE.dimension, dtype=np.float32)
    library.store_vectors(SPACE, [key for chunk in chunks for key in digests_of(chunk)], vectors)
    document = Document(id_, collection, name, "text/plain", library.blobs.put_bytes(name.encode()), 1)
    library.publish(Publication(document, "s", [], [], list(chunks)), SPACE.id)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> SqliteLibrary:
    made = SqliteLibrary(tmp_path_factory.mktemp("postings"))
    made.register(SPACE)
    random = np.random.default_rng(3)
    for collection, documents in (("default", 12), ("other", 5)):
        for number in range(documents):
            texts = [" ".join(random.choice(WORDS, int(random.integers(1, 12)))) for _ in range(6)]
            publish(made, collection, f"{number}.txt", texts)
    return made


ALLOWED = [None, "name = 3.txt", 'name != "0.txt"', "name in (1.txt, 2.txt) or collection = other"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "nowhere", '"']), min_size=1, max_size=5),
    st.sampled_from(["default", "other", "none"]),
    st.integers(1, 80),
    st.sampled_from(ALLOWED),
)
def test_the_same_as_asking_fts5(
    library: SqliteLibrary, words: list[str], collection: str, k: int, rule: str | None
) -> None:
    allowed = Filter(where=parse(rule)) if rule else None
    index = SqliteLexicalIndex(library.database)
    asked = " ".join(words)
    by_fts5 = index.search(collection, asked, k, allowed)
    by_postings = index.search(collection, asked, k, allowed)
    assert [id_ for id_, _ in by_postings] == [id_ for id_, _ in by_fts5]
    assert [score for _, score in by_postings] == pytest.approx([score for _, score in by_fts5], rel=1e-6)


def test_a_change_is_seen_at_once(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    publish(library, "default", "a.txt", ["granite", "slate"])
    index = SqliteLexicalIndex(library.database)
    for _ in range(2):
        assert len(index.search("default", "granite", 9)) == 1
    publish(library, "default", "b.txt", ["granite granite", "chalk"])
    for _ in range(2):
        assert len(index.search("default", "granite", 9)) == 2
    library.delete(Document.make_id("default", "a.txt"))
    for _ in range(2):
        assert [id_.rpartition(".")[2] for id_, _ in index.search("default", "granite", 9)] == ["0"]
        assert index.search("default", "slate", 9) == []


def test_no_more_is_kept_than_there_is_room_for(library: SqliteLibrary) -> None:
    postings = Postings(library.database, capacity=50)
    matches = WORDS[:6]
    assert postings.scores(matches) is None
    full = Postings(library.database)
    assert full.scores(matches) is None
    for one, other in zip(postings.scores(matches) or (), full.scores(matches) or (), strict=True):
        np.testing.assert_array_equal(one, other)
    assert postings._size == sum(len(rows) for rows, _ in postings._kept.values()) <= 50
    assert full._size > 50


def test_lengths_are_not_read_again_and_again(tmp_path: Path) -> None:
    """Reading them took a second: for the next 20, an index that changes is asked itself."""
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    now = iter([100.0, 101.0, 102.0, 122.0, 123.0])
    postings = Postings(library.database, clock=lambda: next(now))
    publish(library, "default", "a.txt", ["granite", "slate"])
    assert postings.scores(["granite"]) is None
    assert postings.scores(["granite"]) is not None
    publish(library, "default", "b.txt", ["granite"])
    assert postings.scores(["granite"]) is None
    assert postings.scores(["granite"]) is None
    found = postings.scores(["granite"])
    assert found is not None
    assert len(found[0]) == 2


def test_what_is_read_at_the_start_is_the_commonest_words(library: SqliteLibrary) -> None:
    postings = Postings(library.database, capacity=400)
    assert 0 < postings.warm_up() <= 200
    assert postings.scores(["granite"]) is not None


def test_its_terms_are_those_of_the_index() -> None:
    from rag.stores.schema import MIGRATIONS
    from rag.stores.terms import TOKENIZER, Terms

    assert any(f"content_rowid = 'chunk', tokenize = '{TOKENIZER}'" in step for step in MIGRATIONS)
    terms = Terms()
    assert terms.of(["running", "岩石", "don't", "running", '"', "café"]) == ["run", "岩石", None, "run", None, "cafe"]
