"""Where do a job's results go on this machine?"""

from __future__ import annotations

import mimetypes
import os
import re
from pathlib import Path

import typer

from mediagen.cli import words
from mediagen.cli.session import Session
from mediagen.v1.job_pb2 import Artifact, Job

# The standard table differs between machines; these are the kinds that models make.
_SUFFIXES = {
    "application/json": ".json",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "model/gltf-binary": ".glb",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}


def check(target: str | None) -> None:
    """Refuses a target that can not be written, before anything is paid for."""
    if target is None:
        return
    path = Path(target)
    if _is_folder(target):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise typer.BadParameter(f"{target}: {error.strerror}") from None
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise typer.BadParameter(f"{target}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{target}: the folder {folder} can not be written to")


def paths(job: Job, target: str | None) -> list[tuple[Artifact, Path]]:
    """Where each of the job's artifacts is saved.

    One to a file gets just that name; several get -1, -2, … before the suffix. In a folder (this
    one, without a target) the name is the job's id and the artifact's index.
    """
    artifacts = sorted(job.artifacts, key=lambda each: each.index)
    if target is None or _is_folder(target):
        folder = Path(target or ".")
        return [(each, folder / _own_name(job, each)) for each in artifacts]
    path = Path(target)
    if len(artifacts) == 1:
        return [(artifacts[0], path)]
    return [
        (each, path.with_name(f"{path.stem}-{number}{path.suffix}"))
        for number, each in enumerate(artifacts, 1)
    ]


async def save(session: Session, job: Job, files: list[tuple[Artifact, Path]]) -> None:
    """Downloads each artifact to its path, whole and checked."""
    for artifact, path in files:
        await session.client.download(job.job_id, artifact.index, to=path)
        named, _ = mimetypes.guess_type(path.name)
        if named and artifact.media_type and named != artifact.media_type:
            told = words.plain(artifact.media_type)
            session.hint(f"Note: {words.plain(path.name)} holds {told}, not {named}.")


def _is_folder(target: str) -> bool:
    return target.endswith(("/", os.sep)) or Path(target).is_dir()


def _own_name(job: Job, artifact: Artifact) -> str:
    # The id is the server's word: nothing of it may lead out of the folder.
    name = re.sub(r"[^A-Za-z0-9_-]", "_", job.job_id)[:100] or "job"
    return f"{name}-{artifact.index}{_suffix(artifact.media_type)}"


def _suffix(media_type: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    return _SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ".bin"
