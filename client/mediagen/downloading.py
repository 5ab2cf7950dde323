"""How do an artifact's bytes become a file that is whole or not there?

They go to a temporary file beside the target, are checked against the length and SHA-256 that the
job tells, and only then take the target's name.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import grpc

from mediagen import errors
from mediagen.retries import Backoff, retry_delay
from mediagen.v1.job_pb2 import Artifact, Job

OpenStream = Callable[[], grpc.aio.UnaryStreamCall]


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


async def to_file(
    file: BinaryIO, artifact: Artifact, open_stream: OpenStream, silence: float
) -> None:
    """Writes the artifact's bytes to *file* as they come.

    Raises DownloadBroken where they are not the artifact's; *file* holds wrong bytes then.
    """
    digest, length = hashlib.sha256(), 0
    call = open_stream()
    try:
        while (chunk := await _chunk(call, silence)) is not None:
            length += len(chunk)
            if length > artifact.size_bytes:
                raise errors.DownloadBroken(f"More than {artifact.size_bytes} bytes arrived.")
            digest.update(chunk)
            file.write(chunk)
    except grpc.aio.AioRpcError as failure:
        raise errors.from_call(failure) from None
    finally:
        call.cancel()
    if length != artifact.size_bytes:
        raise errors.DownloadBroken(f"{length} of {artifact.size_bytes} bytes arrived.")
    if digest.hexdigest() != artifact.sha256:
        raise errors.DownloadBroken(
            "The bytes that arrived have another SHA-256 than the job says."
        )


async def to_path(
    path: Path,
    artifact: Artifact,
    open_stream: OpenStream,
    *,
    silence: float,
    retries: int,
    backoff: Backoff,
) -> None:
    """Makes *path* the artifact's file, replacing what has its name. Starts over when cut."""
    handle, name = _part_of(path)
    try:
        with os.fdopen(handle, "wb") as part:
            await _with_retries(part, artifact, open_stream, silence, retries, backoff)
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
    part: BinaryIO,
    artifact: Artifact,
    open_stream: OpenStream,
    silence: float,
    retries: int,
    backoff: Backoff,
) -> None:
    tried = 0
    while True:
        tried += 1
        try:
            return await to_file(part, artifact, open_stream, silence)
        except errors.MediagenError as error:
            again = isinstance(error, errors.DownloadBroken) or _was_cut(error)
            delay = backoff.delay(tried) if again else retry_delay(error, tried, backoff)
            if delay is None or tried > retries:
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
