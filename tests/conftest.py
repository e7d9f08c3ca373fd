"""Tells the tests where the weights are that `tuwen models pull` fetched; those that need a missing one skip and say so."""

import os
from pathlib import Path

from api.settings import ModelSettings
from rag.errors import SetupError
from rag.weights import locate

_WANTED = {"TUWEN_LABEL_WEIGHTS": "efficientnet-lite2", "TUWEN_TEST_GGUF": "smollm2-135m-instruct"}


def pytest_configure() -> None:
    models = Path(os.environ.setdefault("TUWEN_MODELS__DIR", str(ModelSettings().dir)))
    for variable, name in _WANTED.items():
        if variable not in os.environ:
            try:
                os.environ[variable] = str(locate(name, models))
            except SetupError:
                continue
