"""What is shown of a secret input? That it was given, and nothing of its value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from google.protobuf.struct_pb2 import Struct

MASK: Final = "**********"


def hide(given: Struct, names: Iterable[str]) -> Struct:
    """Masks the inputs of these *names* in *given*. The true values, of those that have one."""
    secrets = Struct()
    for name in names:
        if name in given.fields and given.fields[name].WhichOneof("kind") != "null_value":
            secrets.fields[name].CopyFrom(given.fields[name])
            given.fields[name].string_value = MASK
    return secrets


def reveal(given: Struct, secrets: Struct) -> None:
    """Puts the true values back into *given*."""
    for name, value in secrets.fields.items():
        given.fields[name].CopyFrom(value)
