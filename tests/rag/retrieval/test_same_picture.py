"""Asked with a picture that is there, that one comes first."""

import hashlib

from rag.answers import Hit
from rag.documents import Chunk, DocumentRef, ImageChunk, ImageData
from rag.retrieval.same_picture import same_first

DATA = b"the bytes of a picture"
REF = DocumentRef("d", "d.pdf", "application/pdf", "default")


def picture(id_: str, data: bytes, score: float) -> Hit:
    return Hit(ImageChunk(id_, "d", 0, hashlib.sha256(data).hexdigest(), "image/png", 9, 9, ()), REF, score)


def test_the_same_bytes_come_first_and_keep_scores_in_order() -> None:
    text = Hit(Chunk("t", "d", 1, "text", "words", "d"), REF, 0.7)
    hits = [picture("a", b"other", 0.9), text, picture("b", DATA, 0.5), picture("c", b"third", 0.4)]
    found = same_first(hits, ImageData(DATA, "image/png", 9, 9))
    assert [hit.chunk.id for hit in found] == ["b", "a", "t", "c"]
    assert [hit.score for hit in found] == [0.9, 0.9, 0.7, 0.4]


def test_another_picture_changes_nothing() -> None:
    hits = [picture("a", b"other", 0.9), picture("b", DATA, 0.5)]
    assert same_first(hits, ImageData(b"new", "image/png", 9, 9)) == hits
    assert same_first([], ImageData(DATA, "image/png", 9, 9)) == []
