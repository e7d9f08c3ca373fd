"""Broken, fuzzed, locked and odd PDFs of two public collections, through the real worker: text, pictures, or a clear error."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from api import wiring
from api.settings import Settings
from ingest.protocols import Limits, Source
from ingest.worker import ParseWorker
from rag.errors import FileError
from tests.support.light import LIGHT

_SHARED = Path(os.environ.get("TUWEN_SHARED", Path(__file__).resolve().parents[4] / "shared"))
_FILES = sorted((_SHARED / "data" / "pdf-robust-dev").rglob("*.pdf"))


@pytest.mark.slow
@pytest.mark.skipif(not _FILES, reason="the collection is not here")
def test_none_crashes_hangs_or_fails_silently(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, **LIGHT, ingest={"passwords": ["openpassword"]})  # type: ignore[arg-type]
    worker = ParseWorker(partial(wiring.toolbox, settings))
    outcomes: Counter[str] = Counter()
    errors: list[tuple[str, FileError]] = []
    try:
        for path in _FILES:
            source = Source(path, path.name, "", Limits(seconds=60), members=tmp_path / path.stem)
            try:
                pages = list(worker.parse(source).pages)
                assert any(page.elements for page in pages), path.name
                outcomes["read"] += 1
            except FileError as error:
                errors.append((path.name, error))
                outcomes[type(error).__name__] += 1
    finally:
        worker.close()
    assert outcomes == {"read": 38, "EmptyFile": 12, "CorruptFile": 3}
    for name, error in errors:
        assert name in error.message
        assert error.remedy
        assert "process died" not in error.message
        assert "parser failed" not in error.message
