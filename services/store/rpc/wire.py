"""What a worker or gateway sends, as the domain says it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from google.protobuf.duration_pb2 import Duration

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import job_pb2
from store.adapters.projection import artifact_message, failure_of
from store.domain.charging import MOST_METRICS, Metrics
from store.domain.errors import JobNotFound
from store.domain.failure import ProviderFailure, clean_tail
from store.domain.job import Artifact
from store.domain.states import AttemptState, FailureKind, Refusal, Road, Stage

LONGEST_METRIC = 64
LONGEST_WAIT = timedelta(hours=1)  #: a longer Retry-After is not believed


def job_id_of(text: str) -> UUID:
    """The id; JobNotFound for what can not be one, as for one that is not there."""
    try:
        return UUID(text)
    except ValueError:
        raise JobNotFound(text) from None


def known_ids(texts: Iterable[str]) -> list[UUID]:
    """The ids among *texts*; what can not be one is left out."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def stage_of(number: int) -> Stage | None:
    """The stage that a worker reports; None for one that is not known here."""
    value = job_pb2.Job.Stage.DESCRIPTOR.values_by_number.get(number)
    name = value.name.removeprefix("STAGE_") if value is not None else ""
    return Stage(name) if name in Stage.__members__ else None


def provider_failure_of(message: pb.ProviderFailure) -> ProviderFailure:
    """The failure that a worker reports. A kind of a newer worker counts as permanent."""
    value = pb.FailureKind.DESCRIPTOR.values_by_number.get(message.kind)
    name = value.name.removeprefix("FAILURE_KIND_") if value is not None else ""
    kind = FailureKind(name) if name in FailureKind.__members__ else FailureKind.PERMANENT
    retry_after: timedelta | None = None
    if message.HasField("retry_after"):
        retry_after = max(timedelta(), min(message.retry_after.ToTimedelta(), LONGEST_WAIT))
    return ProviderFailure(kind, failure_of(message.failure), retry_after)


def end_of(number: int) -> AttemptState:
    """How a prediction ended without a result."""
    ends = {
        pb.PREDICTION_END_CANCELED: AttemptState.CANCELED,
        pb.PREDICTION_END_ABORTED: AttemptState.ABORTED,
    }
    return ends.get(pb.PredictionEnd.ValueType(number), AttemptState.FAILED)


def sane(seconds: float | None) -> float | None:
    """The provider's records hold negative times and nothing guards against infinite ones."""
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), 1e7)


def measured(metrics: Mapping[str, float]) -> Metrics:
    """What the provider measured: finite numbers under names of a sane length, not too many."""
    fit = [
        (name, value)
        for name, value in metrics.items()
        if math.isfinite(value) and len(name) <= LONGEST_METRIC and "\x00" not in name
    ]
    return tuple(sorted(fit)[:MOST_METRICS])


def tail_of(
    message: pb.LeaseReport | pb.RecordSucceededRequest | pb.RecordEndedRequest,
) -> str | None:
    """What the model printed last; None: not told."""
    return clean_tail(message.log_tail) if message.HasField("log_tail") else None


def refusal_message(reason: Refusal) -> pb.RefusalReason.ValueType:
    """The wire form of *reason*."""
    return pb.RefusalReason.Value(f"REFUSAL_REASON_{reason}")


def road_message(road: Road) -> pb.Road.ValueType:
    """The wire form of *road*."""
    return pb.Road.Value(f"ROAD_{road}")


def artifact_of(stored: pb.StoredArtifact) -> Artifact:
    """What a worker stored."""
    artifact = stored.artifact
    return Artifact(
        index=artifact.index,
        object_key=stored.object_key,
        media_type=artifact.media_type,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        output_path=artifact.output_path,
    )


def stored_message(artifact: Artifact) -> pb.StoredArtifact:
    """The wire form of what was stored."""
    return pb.StoredArtifact(artifact=artifact_message(artifact), object_key=artifact.object_key)


def duration(delta: timedelta) -> Duration:
    """The wire form of *delta*."""
    message = Duration()
    message.FromTimedelta(delta)
    return message
