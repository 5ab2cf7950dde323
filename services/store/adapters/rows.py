"""Rows to domain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from store.domain.failure import Failure, FieldViolation
from store.domain.job import (
    Artifact,
    Attempt,
    Dispatched,
    Job,
    Leased,
    Mover,
    Preview,
    Reconciling,
    Waiting,
)
from store.domain.states import AttemptState, Charge, Stage, State, WorkClass

Row = Mapping[Any, Any]


def failure_of_json(value: dict[str, Any] | None) -> Failure | None:
    """The failure that `failure_json` wrote."""
    if value is None:
        return None
    violations = tuple(FieldViolation(*each) for each in value.get("violations", ()))
    return Failure(value["reason"], value["message"], value["advice"], violations)


def failure_json(failure: Failure | None) -> dict[str, Any] | None:
    """A failure for a JSONB column."""
    if failure is None:
        return None
    return {
        "reason": failure.reason,
        "message": failure.message,
        "advice": failure.advice,
        "violations": [[v.field, v.description] for v in failure.violations],
    }


def attempt_of(row: Row) -> Attempt:
    """One row of the ledger."""
    return Attempt(
        number=row["number"],
        state=AttemptState(row["state"]),
        submit_token=row["submit_token"],
        account=row["account"],
        fingerprint=row["fingerprint"],
        input=row["input"],
        seed=row["seed"],
        cancel_after=row["cancel_after"],
        create_time=row["create_time"],
        send_by=row["send_by"],
        settle_until=row["settle_until"],
        prediction_id=row["prediction_id"],
        submit_time=row["submit_time"],
        end_time=row["end_time"],
        output=row["output"],
        failure=failure_of_json(row["failure"]),
        charge=Charge(row["charge"]),
        predict_seconds=row["predict_seconds"],
        metrics=tuple(sorted(row["metrics"].items())),
        clear_scans=row["clear_scans"],
        unclear_scans=row["unclear_scans"],
        last_scan_time=row["last_scan_time"],
        seen_later=row["seen_later"],
        model_version=row["model_version"],
    )


def _preview_of(row: Row) -> Preview | None:
    if row["preview_key"] is None:
        return None
    return Preview(
        object_key=row["preview_key"],
        media_type=row["preview_type"],
        width=row["preview_width"],
        height=row["preview_height"],
        size_bytes=row["preview_bytes"],
    )


def artifact_of(row: Row) -> Artifact:
    """One stored result."""
    length = row["duration_ms"]
    return Artifact(
        index=row["index"],
        object_key=row["object_key"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        output_path=row["output_path"],
        width=row["width"],
        height=row["height"],
        duration=None if length is None else timedelta(milliseconds=length),
        preview=_preview_of(row),
        create_time=row["create_time"],
        delete_time=row["delete_time"],
        kept_until=row["kept_until"],
    )


def _mover_of(row: Row, due: datetime | None) -> Mover | None:
    match row["mover"]:
        case "ADMISSION":
            return Waiting()
        case "DISPATCH":
            assert due is not None
            return Dispatched(due)
        case "LEASE":
            return Leased(row["lease_owner"], row["lease_token"], row["lease_until"])
        case "RECONCILER":
            return Reconciling()
    return None


def job_of(
    row: Row,
    attempts: tuple[Attempt, ...],
    artifacts: tuple[Artifact, ...],
    due: datetime | None,
) -> Job:
    """A job from its row and those that belong to it."""
    return Job(
        job_id=row["job_id"],
        tenant=row["tenant"],
        create_time=row["create_time"],
        deadline=row["deadline"],
        state=State(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        progress=row["progress"],
        revision=row["revision"],
        mover=_mover_of(row, due),
        dispatch=row["dispatch"],
        lease_epoch=row["lease_epoch"],
        work_class=WorkClass(row["work_class"]),
        retries=row["retries"],
        postponements=row["postponements"],
        takeovers=row["takeovers"],
        update_time=row["update_time"],
        start_time=row["start_time"],
        end_time=row["end_time"],
        next_attempt_time=row["next_attempt_time"],
        cancel_request_time=row["cancel_request_time"],
        deadline_noted=row["deadline_noted"],
        failure=failure_of_json(row["failure"]),
        output=row["output"],
        log_tail=row["log_tail"],
        redrive_of=row["redrive_of"],
        redriven_as=row["redriven_as"],
        attempts=attempts,
        artifacts=artifacts,
    )
