"""Where do a job's results go on this machine?"""

from __future__ import annotations

import mimetypes
import os
from functools import partial
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn

from mediagen.cli import words
from mediagen.cli.session import Session
from mediagen.naming import file_name
from mediagen.v1.job_pb2 import Artifact, Job


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
        return [(each, folder / file_name(job, each)) for each in artifacts]
    path = Path(target)
    if len(artifacts) == 1:
        return [(artifacts[0], path)]
    return [
        (each, path.with_name(f"{path.stem}-{number}{path.suffix}"))
        for number, each in enumerate(artifacts, 1)
    ]


async def save(session: Session, job: Job, files: list[tuple[Artifact, Path]]) -> None:
    """Downloads each artifact to its path, whole and checked; a terminal shows how far it is."""
    for artifact, path in files:
        with _progress(session) as progress:
            told = f"saving {words.plain(path.name)}"
            line = progress.add_task(told, total=artifact.size_bytes or None)
            came = partial(_came, progress, line)
            await session.client.download(job.job_id, artifact.index, to=path, on_bytes=came)
        named, _ = mimetypes.guess_type(path.name)
        if named and artifact.media_type and named != artifact.media_type:
            told = words.plain(artifact.media_type)
            session.hint(f"Note: {words.plain(path.name)} holds {told}, not {named}.")


def _came(progress: Progress, line: TaskID, count: int) -> None:
    progress.update(line, completed=count)


def _progress(session: Session) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(24),
        DownloadColumn(binary_units=True),
        console=session.err,
        transient=True,
        disable=session.quiet or not session.err.is_terminal,
    )


def _is_folder(target: str) -> bool:
    return target.endswith(("/", os.sep)) or Path(target).is_dir()
