"""The error tree, split by what the caller does about it.

TuwenError                    what happened + what to do next
├── InputError                change the request or the file
│   ├── BadRequest            the request makes no sense as it stands
│   ├── NotFound              no such document, collection, blob or conversation
│   ├── Forbidden             it is not the caller's to do
│   └── FileError             this file cannot be read; others can
│       ├── UnsupportedFile   no parser for what the bytes are
│       ├── CorruptFile       the bytes are not what they claim to be
│       ├── EncryptedFile     a password is needed
│       ├── EmptyFile         nothing in it can be searched
│       ├── Unreachable       where it is, it cannot be read now
│       └── LimitExceeded     too large, too many pages or pixels, too slow (OutOfMemory: once more)
├── Unavailable               try again later
│   ├── GeneratorUnavailable  the generator does not answer
│   ├── Overloaded            too much is asked at once (GeneratorBusy: of the generator's server)
│   ├── Abandoned             nobody waits for the answer any more
│   ├── EncoderUnavailable    a remote encoder or reranker does not answer
│   ├── ConversationBusy      another question of the conversation is being answered
│   └── DirectoryOwned        another process owns the data directory
└── SetupError                change the installation or the settings
    ├── ModelMissing          weights are not here
    ├── ModelCorrupt          weights are not what the manifest names
    ├── ExtraMissing          a Python package is not installed
    ├── BadSetting            a setting has no meaning or contradicts another
    ├── SpaceMismatch         stored vectors belong to another model
    └── StoreCorrupt          the library or the index is damaged
"""

from __future__ import annotations


class TuwenError(Exception):
    """`message` says what happened to which file or request; `remedy` says what to do next."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[type[TuwenError], tuple[str, str]]:
        # Both arguments have to survive the way back from a worker process.
        return type(self), (self.message, self.remedy)


class InputError(TuwenError):
    """The caller has to change the request or the file."""


class BadRequest(InputError):
    """The request makes no sense as it stands."""


class NotFound(InputError):
    """What the request names does not exist."""


class Forbidden(InputError):
    """What the request asks is not the caller's to do."""


class FileError(InputError):
    """This file cannot be ingested; the rest of its batch can."""


class UnsupportedFile(FileError):
    """There is no parser for what the bytes are."""


class CorruptFile(FileError):
    """The bytes are not what they claim to be."""


class EncryptedFile(FileError):
    """The file is locked by a password."""


class EmptyFile(FileError):
    """The file holds nothing that could be searched."""


class Unreachable(FileError):
    """The place where the file is did not give it; the next run asks again."""


class LimitExceeded(FileError):
    """The file is beyond a limit of the settings."""


class OutOfMemory(LimitExceeded):
    """The parse process grew beyond its limit; a new one, with nothing else in it, may not."""


class Unavailable(TuwenError):
    """Something outside does not answer now; the same request may succeed later."""


class GeneratorUnavailable(Unavailable):
    """The generator cannot be reached, is overloaded, or died."""


class Overloaded(Unavailable):
    """Too much is asked at once; `retry_after` is when to come again, in seconds."""

    def __init__(self, message: str, remedy: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[Overloaded], tuple[str, str, float]]:  # type: ignore[override]
        return type(self), (self.message, self.remedy, self.retry_after)


class GeneratorBusy(GeneratorUnavailable, Overloaded):
    """The generator's server says that it has no room for this request now (429, 503)."""


class Abandoned(Unavailable):
    """Whoever waited for the answer has gone; the work was stopped."""


class EncoderUnavailable(Unavailable):
    """A remote encoder or reranker cannot be reached."""


class ConversationBusy(Unavailable):
    """Another question of this conversation is being answered: turns come one after the other."""


class DirectoryOwned(Unavailable):
    """Another process owns the data directory."""


class SetupError(TuwenError):
    """The operator has to change the installation or the settings."""


class ModelMissing(SetupError):
    """A model's weights are not on this machine."""


class ModelCorrupt(SetupError):
    """A model's weights do not have the sha256 that the manifest names."""


class ExtraMissing(SetupError):
    """A Python package that this setting needs is not installed."""


class BadSetting(SetupError):
    """A setting has no meaning, or contradicts another."""


class SpaceMismatch(SetupError):
    """Vectors of different spaces would meet."""


class StoreCorrupt(SetupError):
    """The library or the index is damaged."""
