"""When are the bytes of a result deleted? Once they were kept long enough, and the job is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from store.domain.job import Job


def delete_old(job: Job, now: datetime, kept: timedelta) -> Job:
    """The job with those artifacts deleted that are older than *kept*, and that no other job may
    need. They stay listed.

    The last revision of a final job has been sent: its record is completed, not its history.
    """
    if not job.final:
        return job
    artifacts = tuple(
        replace(each, delete_time=now)
        if each.delete_time is None and each.create_time is not None
        and each.create_time < now - kept
        and (each.kept_until is None or each.kept_until <= now)
        else each
        for each in job.artifacts
    )  # fmt: skip
    return job if artifacts == job.artifacts else replace(job, artifacts=artifacts)
