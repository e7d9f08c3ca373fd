"""A misspelt word is read as its nearest spelling; names, short words and words of other scripts are left alone."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Filter
from rag.documents import Chunk, Document
from rag.fake_stores import MemoryLibrary
from rag.fakes import HashingTextEncoder
from rag.protocols import Space, Vocabulary
from rag.retrieval.spelling import correct, held_whole, respell
from rag.stores.library import SqliteLibrary
from rag.stores.publishing import Publication, digests_of
from rag.stores.vocabulary import SqliteVocabulary

TEXTS = {
    "one": {
        "a.md": "A pension for disability and illness.",
        "b.md": "Proteins fold. The protein is a protein.",
        "d.md": "It was heated.",
    },
    "two": {"c.md": "Aerodynamic heating of slender bodies."},
}
SPACE = Space("test", "0" * 64, 4, "none")


def documents() -> list[tuple[Document, Chunk]]:
    made = []
    for collection, texts in TEXTS.items():
        for name, text in texts.items():
            document = Document(
                Document.make_id(collection, name),
                collection,
                name,
                "text/markdown",
                hashlib.sha256(text.encode()).hexdigest(),
                len(text),
            )
            made.append((document, Chunk(f"{document.id}.0", document.id, 0, "text", text, language="en")))
    return made


def memory(_: Path) -> Vocabulary:
    library = MemoryLibrary(HashingTextEncoder())
    for document, chunk in documents():
        library.add(document, [chunk])
    return library


def sqlite(folder: Path) -> Vocabulary:
    library = SqliteLibrary(folder)
    library.register(SPACE)
    for document, chunk in documents():
        library.blobs.put_bytes(chunk.text.encode())
        library.store_vectors(SPACE, digests_of(chunk), np.ones((1, 4), np.float32))
        library.publish(Publication(document, "settings", [], [], [chunk]), SPACE.id)
    return SqliteVocabulary(library.database)


@pytest.fixture(params=[memory, sqlite])
def vocabulary(request: pytest.FixtureRequest, tmp_path: Path) -> Vocabulary:
    made: Vocabulary = request.param(tmp_path)
    return made


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ("what is a disabilty pension", "what is a disability pension"),
        ("idsability", "disability"),
        ("Protien folding?", "Protein folding?"),
        ("proetin", "protein"),
        ("the pension for illness", "the pension for illness"),
        ("wat is PROTIEN", "wat is PROTEIN"),
        ("残疾人 disabilty 补助", "残疾人 disability 补助"),
    ],
)
def test_the_nearest_word_is_read(vocabulary: Vocabulary, asked: str, read: str) -> None:
    assert correct(asked, vocabulary, "one").text == read


@pytest.mark.parametrize("asked", ["残疾人补助", "дисабилти", "prot", "p53 protien9", "disabelities of xyz", "", "the"])
def test_what_is_left_alone(vocabulary: Vocabulary, asked: str) -> None:
    assert correct(asked, vocabulary, "one").changed == {}


def test_only_words_that_may_be_read_are_offered(vocabulary: Vocabulary) -> None:
    assert correct("aerodynmic", vocabulary, "one").changed == {}
    assert correct("aerodynmic", vocabulary, "two").changed == {"aerodynmic": "aerodynamic"}
    assert correct("protien", vocabulary, "one", Filter(names=frozenset({"a.md"}))).changed == {}
    assert correct("protien", vocabulary, "one", Filter(names=frozenset({"b.md"}))).added == "protein"


def test_a_form_that_only_others_have_written_is_not_offered(vocabulary: Vocabulary) -> None:
    # `heated` has the stem of `heating`, which stands in the other collection alone: an index of stems cannot tell them apart.
    assert not vocabulary.written("one", "heating")
    assert correct("heatng", vocabulary, "one").changed == {}
    assert correct("heatng", vocabulary, "two").changed == {"heatng": "heating"}
    assert vocabulary.written("one", "heated", Filter(names=frozenset({"d.md"})))
    assert not vocabulary.written("one", "heated", Filter(names=frozenset({"a.md"})))


def test_words_of_a_deleted_document_are_gone(tmp_path: Path) -> None:
    library = SqliteLibrary(tmp_path)
    library.register(SPACE)
    (document, chunk), *_ = documents()
    library.blobs.put_bytes(chunk.text.encode())
    library.store_vectors(SPACE, digests_of(chunk), np.ones((1, 4), np.float32))
    library.publish(Publication(document, "settings", [], [], [chunk]), SPACE.id)
    vocabulary = SqliteVocabulary(library.database)
    assert "disability" in vocabulary.beginning("d")
    library.delete(document.id)
    assert "disability" not in vocabulary.beginning("d")


def test_an_ordinary_word_is_left_alone(vocabulary: Vocabulary) -> None:
    assert correct("proteid", vocabulary, "one").changed == {"proteid": "protein"}
    assert correct("proteid", vocabulary, "one", ordinary=lambda word: word == "proteid").changed == {}


def test_held_whole_needs_a_tokenizer_that_cuts() -> None:
    def pieces(texts: Sequence[str]) -> list[int]:
        return [1 if text == "kind" else len(text) for text in texts]

    assert held_whole("kind", pieces)
    assert not held_whole("kinb", pieces)
    assert not held_whole("kind", HashingTextEncoder().count_tokens)


@given(st.text(max_size=60))
def test_a_question_without_unknown_words_stays_as_it_is(text: str) -> None:
    class Everything:
        def has(self, collection: str, word: str, allowed: Filter | None = None) -> bool:
            return True

        written = has

        def beginning(self, letter: str) -> dict[str, int]:
            raise AssertionError(letter)

    assert correct(text, Everything(), "one").text == text
    assert respell(text, {}) == text
