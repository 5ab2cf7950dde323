"""Which files did callers upload as inputs? Kept for a day, in memory, within a bound."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEPT_FOR = 24 * 3600.0
MOST_BYTES = 100 * 1024 * 1024
KEEP_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    id: str
    name: str
    content_type: str
    body: bytes
    metadata: Mapping[str, Any]
    created_at: float
    kept_for: float = KEPT_FOR

    @property
    def expires_at(self) -> float:
        return self.created_at + self.kept_for

    @property
    def signature(self) -> str:
        """What the download address carries in place of a token."""
        return hashlib.sha256(self.id.encode() + self.body[:64]).hexdigest()[:32]


class Uploads:
    """The uploaded files, oldest first; the oldest go when there are too many bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._bytes = 0

    def add(self, upload: Upload) -> None:
        for old in [
            each.id for each in self._kept.values() if each.expires_at <= upload.created_at
        ]:
            self.remove(old)
        self._kept[upload.id] = upload
        self._bytes += len(upload.body)
        while self._bytes > KEEP_BYTES:
            self.remove(next(iter(self._kept)))

    def get(self, upload_id: str, now: float) -> Upload | None:
        found = self._kept.get(upload_id)
        return found if found and now < found.expires_at else None

    def all(self, now: float) -> list[Upload]:
        """Newest first."""
        found = [self.get(upload_id, now) for upload_id in tuple(self._kept)]
        return [upload for upload in reversed(found) if upload]

    def remove(self, upload_id: str) -> None:
        self._bytes -= len(self._kept.pop(upload_id).body)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart/form-data body."""

    name: str
    filename: str | None
    content_type: str
    body: bytes


def parse_multipart(content_type: str, body: bytes) -> list[Part]:
    """The parts of a form; anything unreadable gives fewer parts."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if not match:
        return []
    parts = []
    for chunk in (b"\r\n" + body).split(b"\r\n--" + match.group(1).encode())[1:]:
        head, separator, content = chunk.partition(b"\r\n\r\n")
        if not separator:
            continue
        headers = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="([^"]*)"', headers)
        filename = re.search(r'filename="([^"]*)"', headers)
        kind = re.search(r"content-type: *([^\r\n]+)", headers, re.IGNORECASE)
        if name:
            parts.append(
                Part(
                    name.group(1),
                    filename.group(1) if filename else None,
                    kind.group(1).strip() if kind else "text/plain",
                    content,
                )
            )
    return parts
