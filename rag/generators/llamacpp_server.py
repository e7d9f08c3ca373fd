"""The child process of `LlamaCppGenerator`: llama.cpp with one model, on a port of this machine that only its parent knows.

Run as a script with Python's `-P` (its folder holds a module named like the `openai` package). It reads one line of JSON
from standard input (`path`, `threads`, `context_tokens`, `key`), loads the model, and writes one line of JSON (`address`, or `error`) to
standard output. It ends when standard input closes, so that it never outlives its parent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

BATCH_TOKENS = 128
"""Prompt tokens read between two looks at whether the caller is still there: 2 s of one slow core."""
CACHE_MIB = 256
"""Memory for the state of earlier prompts: about nine of 1,000 tokens for a model of 1.5 billion parameters."""


def main() -> None:
    # llama.cpp writes to both streams from native code; what it says goes to the parent's log file (standard error).
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.loads(sys.stdin.readline())
    # Started before the load: a parent that dies meanwhile must not leave a gigabyte behind.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        server = _serve(task["path"], int(task["threads"]), int(task["context_tokens"]), task["key"])
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=reply, flush=True)
        sys.exit(1)
    print(json.dumps({"address": server.listening_address}), file=reply, flush=True)
    threading.Event().wait()


def _serve(path: str, threads: int, context_tokens: int, key: str) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = context_tokens
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_prompt = True
    params.cache_ram_mib = CACHE_MIB
    params.api_keys = [key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = params.endpoint_slots = False
    params.verbosity = 1
    return xllamacpp.Server(params)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
