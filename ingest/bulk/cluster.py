"""Ray: finding or starting it, and making actors on it (https://docs.ray.io/en/latest/ray-core/actors.html)."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ingest.protocols import Stopped
from rag.errors import BadSetting, ExtraMissing, TuwenError, Unavailable

log = logging.getLogger(__name__)

LOCAL = "local"
_STARTS = 3
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
PLACE_SECONDS = 180.0
"""How long a cluster may take to find a place for an actor: one that grows on demand starts a machine first."""


class Cluster:
    """A connection to Ray, for as long as this process lives or until `close`.

    `address` is `local` (Ray is started on this machine), `auto` (the cluster that this machine belongs to), `host:port` or
    `ray://host:port`. `actors` is how many will be made. Raises ExtraMissing, BadSetting, Unavailable.
    """

    def __init__(self, address: str, actors: int) -> None:
        # Nothing is told to anybody outside about who uses Ray, and how.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address == LOCAL:
            _lock()
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ExtraMissing(
                "Ray is not installed.", "Install it on every machine of the cluster: pip install 'tuwen[ray]'"
            ) from error
        self.ray: ModuleType = ray
        self.address = address
        self._mine = not ray.is_initialized()
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if self._mine and address == LOCAL:
                # Actors beyond the number of processors take turns, as parse processes of one machine do.
                count = max(actors, os.cpu_count() or 1)
                ray.init(num_cpus=count, include_dashboard=False, **quiet)
            elif self._mine:
                ray.init(address=address, **quiet)
        except ValueError as error:
            raise BadSetting(
                f"{address!r} is no address of Ray: {error}.", "Give local, auto, host:port or ray://host:port."
            ) from error
        except Exception as error:  # Ray raises it as it is when a node does not start in time
            raise Unavailable(
                f"Ray cannot be used at {address}: {_reason(error)}.",
                "Start a cluster with `ray start --head`, correct the address, or use `--ray local`; try again when the machine is less busy.",
            ) from error

    def start(
        self,
        kind: type,
        *arguments: Any,
        cpus: float = 1.0,
        gpus: float = 0.0,
        restarts: int = 0,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Any:
        """A new actor, alive. Raises Unavailable when the cluster has no place for it, and Stopped."""
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": restarts, "max_task_retries": restarts}
        make = self.ray.remote(kind).options(scheduling_strategy="SPREAD", **options)
        for attempt in range(1, _STARTS + 1):
            actor = make.remote(*arguments)
            try:
                self._wait_until_alive(actor, kind, stopped)
                return actor
            except self.ray.exceptions.RayError as error:
                # Its machine may have gone, or been short of memory, just then.
                log.warning("%s did not start (%d of %d): %s", kind.__name__, attempt, _STARTS, _reason(error))
                if attempt == _STARTS:
                    raise Unavailable(
                        f"No {kind.__name__} could be started on Ray at {self.address}: {_reason(error)}.",
                        "Install the same version of Tuwen, with the extra `ray`, on every machine of the cluster.",
                    ) from error
        raise AssertionError

    def _wait_until_alive(self, actor: Any, kind: type, stopped: Callable[[], bool]) -> None:
        alive = actor.pid.remote()
        end = time.monotonic() + PLACE_SECONDS
        while not self.ray.wait([alive], timeout=0.25)[0]:
            if stopped():
                self.kill(actor)
                raise Stopped(kind.__name__)
            if time.monotonic() > end:
                self.kill(actor)
                there = self.ray.cluster_resources()
                raise Unavailable(
                    f"Ray at {self.address} found no place for {kind.__name__} within {PLACE_SECONDS:.0f} s; "
                    f"it has {there.get('CPU', 0):g} processors and {there.get('GPU', 0):g} GPUs.",
                    "Add machines, or lower `ingest.workers` and `ingest.ray_encoders`.",
                )
        self.ray.get(alive)

    def result(self, reference: Any) -> Any:
        """The answer of a call of an actor. Raises the TuwenError that it answered, and Unavailable when it is gone for good."""
        try:
            answer = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            raise Unavailable(f"Work was lost on Ray at {self.address}: {_reason(error)}.", "Run it again.") from error
        if isinstance(answer, TuwenError):
            raise answer
        return answer

    def kill(self, actor: Any) -> None:
        self.ray.kill(actor, no_restart=True)

    def near(self, actor: Any) -> bool:
        """Whether an actor runs on this machine, so that it can open this machine's files."""
        if self.ray.util.client.ray.is_connected():
            return False
        here = self.ray.get_runtime_context().get_node_id()
        try:
            return bool(self.ray.get(actor.__ray_call__.remote(_node)) == here)
        except self.ray.exceptions.RayError:
            # It died just now; the next call says so where it can be made again.
            return False

    def close(self) -> None:
        """Ends Ray, where it was begun here."""
        if self._mine:
            self.ray.shutdown()


def _lock() -> None:
    """Ray listens on every network of the machine and runs what it is sent: without the token of this process, nothing.
    https://docs.ray.io/en/latest/ray-security/token-auth.html"""
    # Ray reads this once, when it is imported; where that was done before, whoever did it has decided.
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _node(_: object) -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


def _reason(error: Exception) -> str:
    """The last line: those before it say where."""
    return (_COLOURS.sub("", str(error)).strip().splitlines() or [type(error).__name__])[-1].strip().rstrip(".")
