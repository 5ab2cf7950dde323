"""What is the file of a result called? The same by the command line, the page and a program."""

from __future__ import annotations

import mimetypes
import re

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
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}


def file_name(job: Job, artifact: Artifact) -> str:
    """The job's id, the artifact's index, and a suffix by what it is: "0198…-0.webp"."""
    # The id is the server's word: nothing of it may lead out of the folder.
    name = re.sub(r"[^A-Za-z0-9_-]", "_", job.job_id)[:100] or "job"
    return f"{name}-{artifact.index}{_suffix(artifact.media_type)}"


def _suffix(media_type: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    return _SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ".bin"
