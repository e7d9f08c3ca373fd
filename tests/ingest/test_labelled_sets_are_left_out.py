import logging
from pathlib import Path

import pytest

from ingest.files import find


def test_questions_beside_documents_are_no_document(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "guide.md").write_text("# Guide")
    asked = tmp_path / "questions.json"
    asked.write_text('[{"id": 1, "question": "Why?", "answer": "Because."}]')
    with caplog.at_level(logging.WARNING):
        assert [file.name for file in find([tmp_path])] == ["guide.md"]
    assert "questions.json holds questions" in caplog.text
    assert [file.name for file in find([asked])] == ["questions.json"]


def test_a_document_of_that_name_is_one(tmp_path: Path) -> None:
    (tmp_path / "questions.json").write_text('{"frequently asked": ["opening hours"]}')
    assert [file.name for file in find([tmp_path])] == ["questions.json"]
