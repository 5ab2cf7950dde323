"""A job as callers see it: domain values to protobuf, and back where a worker sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.v1 import attempt_pb2, failure_pb2, job_pb2
from store.domain.charging import charge_reason
from store.domain.failure import Failure, FieldViolation, clean_text
from store.domain.job import Artifact, Attempt, Job

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A job whose calls are refused for hours makes hundreds; each view would repeat them all.
ATTEMPTS_SHOWN = 50


def timestamp(moment: datetime | None) -> Timestamp | None:
    """The protobuf form of *moment*, to the microsecond."""
    if moment is None:
        return None
    since = moment - _EPOCH  # FromDatetime takes ten times as long, and every view has several
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def duration(delta: timedelta) -> Duration:
    """The protobuf form of *delta*."""
    message = Duration()
    message.FromTimedelta(delta)
    return message


def failure_message(failure: Failure | None) -> failure_pb2.Failure | None:
    """The public form of *failure*."""
    if failure is None:
        return None
    return failure_pb2.Failure(
        reason=failure_pb2.FailureReason.Value(failure.reason),
        message=failure.message,
        retry_advice=failure_pb2.RetryAdvice.Value(failure.advice),
        field_violations=[
            failure_pb2.FieldViolation(field=v.field, description=v.description)
            for v in failure.violations
        ],
    )


def failure_of(message: failure_pb2.Failure) -> Failure:
    """The failure that a worker sent; an enum value of a newer worker is kept as unspecified."""
    return Failure(
        reason=_name(failure_pb2.FailureReason, message.reason),
        message=clean_text(message.message),
        advice=_name(failure_pb2.RetryAdvice, message.retry_advice),
        violations=tuple(
            FieldViolation(clean_text(v.field, 200), clean_text(v.description))
            for v in message.field_violations[:100]
        ),
    )


def _name(enum: Any, number: int) -> str:
    values = enum.DESCRIPTOR.values_by_number
    return str((values.get(number) or values[0]).name)


def attempt_message(attempt: Attempt) -> attempt_pb2.Attempt:
    """The public form of *attempt*."""
    return attempt_pb2.Attempt(
        number=attempt.number,
        state=attempt_pb2.Attempt.State.Value(f"STATE_{attempt.state}"),
        charge=attempt_pb2.Charge.Value(f"CHARGE_{attempt.charge}"),
        prediction_id=attempt.prediction_id or "",
        create_time=timestamp(attempt.create_time),
        submit_time=timestamp(attempt.submit_time),
        end_time=timestamp(attempt.end_time),
        failure=failure_message(attempt.failure),
        seed=attempt.seed,
        predict_seconds=attempt.predict_seconds,
        charge_reason=attempt_pb2.ChargeReason.Value(charge_reason(attempt)),
        provider_metrics=dict(attempt.metrics),
        model_version=attempt.model_version or "",
    )


def artifact_message(artifact: Artifact) -> job_pb2.Artifact:
    """The public form of *artifact*, without the URLs of its bytes and of its preview's."""
    preview = artifact.preview
    return job_pb2.Artifact(
        index=artifact.index,
        media_type=artifact.media_type,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        output_path=artifact.output_path,
        width=artifact.width,
        height=artifact.height,
        duration=None if artifact.duration is None else duration(artifact.duration),
        preview=None
        if preview is None
        else job_pb2.Preview(
            media_type=preview.media_type,
            width=preview.width,
            height=preview.height,
            size_bytes=preview.size_bytes,
        ),
        delete_time=timestamp(artifact.delete_time),
    )


def job_message(job: Job) -> job_pb2.Job:
    """What changes about *job*: the public form, without its request."""
    return job_pb2.Job(
        job_id=str(job.job_id),
        state=job_pb2.Job.State.Value(f"STATE_{job.state}"),
        stage=job_pb2.Job.Stage.Value(f"STAGE_{job.stage or 'UNSPECIFIED'}"),
        progress_percent=job.progress,
        revision=job.revision,
        create_time=timestamp(job.create_time),
        update_time=timestamp(job.update_time),
        start_time=timestamp(job.start_time),
        end_time=timestamp(job.end_time),
        deadline=timestamp(job.deadline),
        next_attempt_time=timestamp(job.next_attempt_time),
        cancel_request_time=timestamp(job.cancel_request_time),
        attempts=[attempt_message(attempt) for attempt in job.attempts[-ATTEMPTS_SHOWN:]],
        charge=attempt_pb2.Charge.Value(f"CHARGE_{job.charge}"),
        failure=failure_message(job.failure),
        artifacts=[artifact_message(artifact) for artifact in job.artifacts],
        output=struct_pb2.Value.FromString(job.output) if job.output is not None else None,
        redrive_of=str(job.redrive_of or ""),
        redriven_as=str(job.redriven_as or ""),
        log_tail=job.log_tail,
    )


def whole_job(view: bytes, request: bytes) -> job_pb2.Job:
    """The whole job, from the two columns that hold its halves."""
    job = job_pb2.Job.FromString(view)
    job.request.ParseFromString(request)
    return job
