"""How do bytes that are downloaded become a file that is whole or not there?

They go to a temporary file beside the target, are checked against the length and SHA-256 that are
known beforehand, and only then take the target's name.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import grpc

from mediagen import errors
from mediagen.connection import Connection
from mediagen.retries import retry_delay
from mediagen.v1.job_pb2 import Artifact, Job

_LONGEST_SECONDS = 3600.0
_Came = Callable[[int], object]


def artifact_of(job: Job, index: int) -> Artifact:
    """The job's artifact with this index. Raises ArtifactNotFound."""
    for artifact in job.artifacts:
        if artifact.index == index:
            return artifact
    state = Job.State.Name(job.state).removeprefix("STATE_").lower() if job.state else "unknown"
    raise errors.ArtifactNotFound(
        f"The job has {len(job.artifacts)} artifacts, none with index {index}; it is {state}.",
        code=grpc.StatusCode.NOT_FOUND,
        reason="ARTIFACT_NOT_FOUND",
        metadata={"job_id": job.job_id, "index": str(index)},
    )


@dataclass(frozen=True)
class Expected:
    """What is known of the bytes beforehand. None and empty: nothing."""

    size_bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Source:
    """The call that the bytes come from."""

    connection: Connection
    method: Callable[..., grpc.aio.UnaryStreamCall]
    request: object

    def open(self) -> grpc.aio.UnaryStreamCall:
        """From the first byte on."""
        return self.method(
            self.request, timeout=_LONGEST_SECONDS, metadata=self.connection.metadata
        )


async def store(
    to: str | os.PathLike[str] | BinaryIO,
    expected: Expected,
    source: Source,
    silence: float,
    on_bytes: Callable[[int], object] | None = None,
) -> None:
    """Stores the bytes in a path, whole or not at all, or in a binary file, as they come.

    Raises DownloadBroken where they are not what was expected; a binary file holds wrong bytes
    then. on_bytes: called with how many have come, each time that some do.
    """
    came = on_bytes or (lambda _: None)
    if isinstance(to, str | os.PathLike):
        await _to_path(Path(to), expected, source, silence, came)
    else:
        await _to_file(to, expected, source, silence, came)


async def _to_file(
    file: BinaryIO, expected: Expected, source: Source, silence: float, came: _Came
) -> None:
    digest, length = hashlib.sha256(), 0
    call = source.open()
    try:
        while (chunk := await _chunk(call, silence)) is not None:
            length += len(chunk)
            if expected.size_bytes is not None and length > expected.size_bytes:
                raise errors.DownloadBroken(f"More than {expected.size_bytes} bytes arrived.")
            digest.update(chunk)
            file.write(chunk)
            came(length)
    except grpc.aio.AioRpcError as failure:
        raise errors.from_call(failure) from None
    finally:
        call.cancel()
    if expected.size_bytes not in (None, length):
        raise errors.DownloadBroken(f"{length} of {expected.size_bytes} bytes arrived.")
    if expected.sha256 not in ("", digest.hexdigest()):
        raise errors.DownloadBroken(
            "The bytes that arrived have another SHA-256 than the job says."
        )


async def _to_path(
    path: Path, expected: Expected, source: Source, silence: float, came: _Came
) -> None:
    """Makes *path* that file, replacing what has its name. Starts over when cut."""
    handle, name = _part_of(path)
    try:
        with os.fdopen(handle, "wb") as part:
            await _with_retries(part, expected, source, silence, came)
            part.flush()
            await asyncio.to_thread(os.fsync, part.fileno())
        os.chmod(name, 0o666 & ~_umask())  # mkstemp made it private
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _part_of(path: Path) -> tuple[int, str]:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")


async def _with_retries(
    part: BinaryIO, expected: Expected, source: Source, silence: float, came: _Came
) -> None:
    backoff, tried = source.connection.backoff, 0
    while True:
        tried += 1
        try:
            return await _to_file(part, expected, source, silence, came)
        except errors.MediagenError as error:
            again = isinstance(error, errors.DownloadBroken) or _was_cut(error)
            delay = backoff.delay(tried) if again else retry_delay(error, tried, backoff)
            if delay is None or tried > source.connection.retries:
                raise
        await asyncio.sleep(delay)
        part.seek(0)
        part.truncate()


def _was_cut(error: errors.MediagenError) -> bool:
    # Without a reason of the server's own, these codes come from a connection that broke.
    cut = {grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
    return not error.reason and error.code in cut


async def _chunk(call: grpc.aio.UnaryStreamCall, silence: float) -> bytes | None:
    try:
        async with asyncio.timeout(silence):
            body = await call.read()
    except TimeoutError:
        raise errors.Unavailable(f"No bytes came for {silence:g} seconds.") from None
    return None if body is grpc.aio.EOF else cast(bytes, body.data)


def _umask() -> int:
    # There is no way to read it but to set it; the strictest value is safe for the instant between.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
