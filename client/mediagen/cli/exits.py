"""What do the exit codes mean? Scripts rely on them; docs/cli.md shows this table."""

from __future__ import annotations

from enum import IntEnum

from mediagen import errors
from mediagen.v1.job_pb2 import Job


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    JOB_FAILED = 1
    USAGE = 2  # the request is invalid, or a file can not be written
    NOT_FOUND = 3
    UNAVAILABLE = 4  # the server can not be reached, or can not answer
    JOB_CANCELED = 5
    STILL_RUNNING = 6  # --max-wait is over; the job goes on
    BUG = 70
    INTERRUPTED = 130
    READER_GONE = 141


_CALLERS_FAULT = (
    errors.AccessDenied,
    errors.InvalidRequest,
    errors.RequestIdReused,
)


def of_error(error: errors.MediagenError) -> Exit:
    """The exit code of a refused call."""
    if isinstance(error, errors.NotFound):
        return Exit.NOT_FOUND
    return Exit.USAGE if isinstance(error, _CALLERS_FAULT) else Exit.UNAVAILABLE


def of_job(job: Job) -> Exit:
    """The exit code of a command that followed a job to its end."""
    if job.state == Job.STATE_COMPLETED:
        return Exit.OK
    return Exit.JOB_CANCELED if job.state == Job.STATE_CANCELED else Exit.JOB_FAILED
