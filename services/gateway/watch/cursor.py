"""Where does a watch of jobs go on? A place in the tenant's feed, as text that any gateway reads.

    version 1 · generation 8 · sequence 8 · unix ms 8 · check 5     bytes in 40 letters

It says nothing of a filter. The check is no secret: it tells a cursor of this tenant from one that
was cut, mistyped or given to another tenant.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Self

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.domain.errors import CursorInvalid

VERSION = 1
_FORM = struct.Struct(">BQQQ")
_CHECK_BYTES = 5
_TEXT = re.compile(r"[A-Za-z0-9_-]{40}")
_LARGEST_INT64 = 2**63 - 1
# 9999-12-31T23:59:59.999Z, the last that a Timestamp may hold.
_LARGEST_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to *sequence* was seen; *time_ms* is about when that was, in ms since 1970."""

    generation: int
    sequence: int
    time_ms: int

    def text(self, tenant: str) -> str:
        """The cursor as a caller of *tenant* gets it."""
        fields = _FORM.pack(VERSION, self.generation, self.sequence, self.time_ms)
        return base64.urlsafe_b64encode(fields + _check(fields, tenant)).decode()

    @classmethod
    def parsed(cls, text: str, tenant: str) -> Self:
        """What `text` gave to a caller of *tenant*. Raises CursorInvalid for anything else."""
        if not _TEXT.fullmatch(text):
            raise CursorInvalid
        raw = base64.urlsafe_b64decode(text)
        fields, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
        version, generation, sequence, time_ms = _FORM.unpack(fields)
        if check != _check(fields, tenant) or version != VERSION:
            raise CursorInvalid
        if max(generation, sequence) > _LARGEST_INT64 or time_ms > _LARGEST_MS:
            raise CursorInvalid
        return cls(generation, sequence, time_ms)


def ms_of(time: Timestamp) -> int:
    """*time* in ms since 1970; 0 where it is absent or before."""
    return max(0, time.seconds * 1000 + time.nanos // 1_000_000)


def time_of(ms: int) -> Timestamp:
    """The time that is *ms* after 1970."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


def _check(fields: bytes, tenant: str) -> bytes:
    given = tenant.encode() + b"\0" + fields
    return hashlib.blake2s(given, digest_size=_CHECK_BYTES).digest()
