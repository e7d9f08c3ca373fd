"""What holds for all tests: where the weights are that `tuwen models pull` fetched (those that need a missing one skip and say so), and
that no property is a test of time."""

import os
from pathlib import Path

from hypothesis import settings

from api.settings import ModelSettings
from rag.errors import SetupError
from rag.weights import locate

_WANTED = {"TUWEN_LABEL_WEIGHTS": "efficientnet-lite2", "TUWEN_TEST_GGUF": "smollm2-135m-instruct"}


def pytest_configure() -> None:
    # On a busy machine an example may take any time; speed is measured by the benchmarks.
    settings.register_profile("tuwen", deadline=None)
    settings.load_profile("tuwen")
    models = Path(os.environ.setdefault("TUWEN_MODELS__DIR", str(ModelSettings().dir)))
    for variable, name in _WANTED.items():
        if variable not in os.environ:
            try:
                os.environ[variable] = str(locate(name, models))
            except SetupError:
                continue
