"""A session of ONNX Runtime on the CPU, as everything that answers questions opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil


def cores() -> int:
    """Physical ones: as many threads the runtime takes by itself."""
    return psutil.cpu_count(logical=False) or 1


def open_session(model: Path | bytes, threads: int) -> Any:
    """Of a file or of a graph in memory; `threads` 0 leaves the number to the runtime. Raises whatever the runtime does: classes of its own
    that share no base but Exception, so that the caller says whose model it was."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # After a forward the runtime's threads would spin for some milliseconds and take the cores from the search that follows.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
