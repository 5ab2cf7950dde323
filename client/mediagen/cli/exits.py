"""What do the exit codes mean? Scripts rely on them; docs/cli.md shows this table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from mediagen import errors
from mediagen.v1.job_pb2 import Job
from mediagen.v1.operator_service_pb2 import DeadLetterResult


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    JOB_FAILED = 1
    USAGE = 2  # the request is invalid, or a file can not be written
    NOT_FOUND = 3
    UNAVAILABLE = 4  # the server can not be reached, or can not answer
    JOB_CANCELED = 5
    STILL_RUNNING = 6  # --max-wait is over; the job goes on
    UNDONE = 7  # `dead redrive`, `dead discard`: not all of it was done, or would be
    BUG = 70
    INTERRUPTED = 130
    READER_GONE = 141


_CALLERS_FAULT = (
    errors.AccessDenied,
    errors.InvalidRequest,
    errors.RequestIdReused,
    errors.TooManyEndpoints,
    errors.TooManyUploads,
    errors.TransitionRefused,
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


_DONE = (DeadLetterResult.OUTCOME_DONE, DeadLetterResult.OUTCOME_ALREADY_DONE)
_REFUSED = (
    DeadLetterResult.OUTCOME_MAY_PAY_TWICE,
    DeadLetterResult.OUTCOME_NOT_OPEN,
    DeadLetterResult.OUTCOME_NOT_FOUND,
    DeadLetterResult.OUTCOME_SECRETS_WIPED,
)


def of_outcomes(results: Iterable[DeadLetterResult]) -> Exit:
    """The exit code of a command that decided about dead letters.

    What was not decided counts more than what was refused: there, repeating the command helps.
    """
    outcomes = {each.outcome for each in results}
    if outcomes - {*_DONE, *_REFUSED}:
        return Exit.UNAVAILABLE
    return Exit.UNDONE if outcomes & {*_REFUSED} else Exit.OK
