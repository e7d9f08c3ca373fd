"""Office documents locked by a password ([MS-OFFCRYPTO]), opened by one that was given (msoffcrypto-tool)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from ingest.containers import PASSWORDS
from rag.errors import EncryptedFile


@contextmanager
def unlocked(path: Path, name: str, passwords: Sequence[str]) -> Iterator[Path]:
    """The document without its lock, as a temporary file. Raises EncryptedFile when no password fits."""
    if not passwords:
        raise EncryptedFile(f"{name} is an Office document locked by a password.", PASSWORDS)
    msoffcrypto = import_module("msoffcrypto")
    with tempfile.TemporaryDirectory(prefix="tuwen-") as folder, path.open("rb") as file:
        opened = Path(folder) / "document"
        try:
            locked = msoffcrypto.OfficeFile(file)
        except Exception as error:  # the library raises what its readers of OLE raise
            raise EncryptedFile(f"{name} is locked in a way that is not known ({error}).", PASSWORDS) from error
        for password in passwords:
            try:
                locked.load_key(password=password)
                with opened.open("wb") as out:
                    locked.decrypt(out)
            except Exception:  # a wrong password shows as one of many errors  # noqa: S112
                continue
            yield opened
            return
        raise EncryptedFile(
            f"{name} is an Office document locked by a password. None of the {len(passwords)} passwords given fits.",
            PASSWORDS,
        )
