"""Where and by which code a run was made: what a reader needs to know before comparing it with another."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent


@cache
def code_version() -> dict[str, Any]:
    """`{"version"}`, and in a checkout `"commit"`, and `"changed": true` where files differ from it."""
    try:
        found: dict[str, Any] = {"version": version("tuwen")}
    except PackageNotFoundError:
        found = {"version": "source"}
    commit = _git("rev-parse", "HEAD") if (_ROOT / ".git").exists() else None
    if commit:
        found["commit"] = commit[:12]
        found["changed"] = bool(_git("status", "--porcelain", "--untracked-files=no"))
    return found


def environment() -> dict[str, Any]:
    """The machine, and how busy it was: timings of a busy machine are no measurement."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(_ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
