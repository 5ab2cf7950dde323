"""What can go wrong with an object?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from obstore import exceptions as failures

if TYPE_CHECKING:
    from servicekit.object_source import Source


class ObjectError(Exception):
    """Base of what can go wrong with an object.

    * ObjectError
      - InvalidKey
      - ObjectMissing
      - ObjectExists
      - ObjectTooLarge
      - ObjectDiffers
      - StoreUnavailable (try again later)
    """


class InvalidKey(ObjectError):
    """The key is not a plain relative path."""


class ObjectMissing(ObjectError):
    """No object has this key."""


class ObjectExists(ObjectError):
    """An object has this key already; objects are never overwritten."""


class ObjectTooLarge(ObjectError):
    """The stream is longer than allowed; nothing was stored."""


class ObjectDiffers(ObjectError):
    """The stream has another hash than was said; nothing was stored."""


class StoreUnavailable(ObjectError):
    """The store did not answer, or refused us."""


@asynccontextmanager
async def translated(key: str, source: Source | None = None) -> AsyncIterator[None]:
    """The store library's errors as ours."""
    try:
        yield
    except Exception as error:
        if source is not None and source.error is not None:
            raise source.error from None
        match error:
            case ObjectError():
                raise
            case FileNotFoundError():
                raise ObjectMissing(f"No object has the key {key}.") from error
            case failures.AlreadyExistsError() | failures.PreconditionError():
                raise ObjectExists(f"An object has the key {key} already.") from error
            case failures.InvalidPathError() | ValueError():
                raise InvalidKey(f"Not a usable key: {key!r}.") from error
            case failures.BaseError() | OSError():
                raise StoreUnavailable(f"The object store failed at {key}.") from error
        raise
