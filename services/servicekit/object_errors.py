"""What can go wrong with an object?"""


class ObjectError(Exception):
    """Base of what can go wrong with an object.

    * ObjectError
      - InvalidKey
      - ObjectMissing
      - ObjectExists
      - ObjectTooLarge
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


class StoreUnavailable(ObjectError):
    """The store did not answer, or refused us."""
