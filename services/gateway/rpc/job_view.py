"""How does a caller see a job? With the URLs of its artifacts and their previews."""

from __future__ import annotations

from mediagen.v1 import job_pb2
from servicekit.printing import artifact_url, preview_url


class JobView:
    """Adds what only the gateway knows: its public address."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def show(self, job: job_pb2.Job) -> job_pb2.Job:
        """*job* itself, with the URLs set; doing it twice changes nothing."""
        for artifact in job.artifacts:
            where = (self._public_url, job.job_id, artifact.index)
            artifact.url = artifact_url(*where)
            if artifact.HasField("preview"):
                artifact.preview.url = preview_url(*where)
        return job
