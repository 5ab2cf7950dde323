"""What a worker or gateway sends, as the domain says it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from google.protobuf.struct_pb2 import Struct, Value

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import job_pb2
from store.adapters.projection import artifact_message, failure_of
from store.domain.charging import MOST_METRICS, Metrics
from store.domain.errors import JobNotFound
from store.domain.failure import ProviderFailure, clean_tail, clean_text
from store.domain.job import Artifact, Preview
from store.domain.states import AttemptState, FailureKind, Refusal, Road, Stage

LONGEST_METRIC = 64
LONGEST_WAIT = timedelta(hours=1)  #: a longer Retry-After is not believed
LONGEST_MEDIA = timedelta(days=365)
MOST_PIXELS = 2**31 - 1  #: of one side; what a column holds
LONGEST_VERSION = 100


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


def version_of(
    message: pb.RecordPredictionRequest | pb.RecordSucceededRequest,
) -> str | None:
    """The version that the provider says runs; None: it does not say."""
    return clean_text(message.model_version, LONGEST_VERSION) or None


def refusal_message(reason: Refusal) -> pb.RefusalReason.ValueType:
    """The wire form of *reason*."""
    return pb.RefusalReason.Value(f"REFUSAL_REASON_{reason}")


def road_message(road: Road) -> pb.Road.ValueType:
    """The wire form of *road*."""
    return pb.Road.Value(f"ROAD_{road}")


def artifact_of(stored: pb.StoredArtifact) -> Artifact:
    """What a worker stored. A measure that can not be is taken for one that was not read."""
    artifact = stored.artifact
    length = artifact.duration.ToTimedelta() if artifact.HasField("duration") else None
    return Artifact(
        index=artifact.index,
        object_key=stored.object_key,
        media_type=artifact.media_type,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        output_path=artifact.output_path,
        width=_measure(artifact.width),
        height=_measure(artifact.height),
        duration=length if length is not None and timedelta() <= length <= LONGEST_MEDIA else None,
        preview=_preview_of(stored),
    )


def _measure(given: int) -> int:
    return given if given <= MOST_PIXELS else 0


def _preview_of(stored: pb.StoredArtifact) -> Preview | None:
    if not stored.preview_object_key or not stored.artifact.HasField("preview"):
        return None
    preview = stored.artifact.preview
    return Preview(
        object_key=stored.preview_object_key,
        media_type=preview.media_type,
        width=_measure(preview.width),
        height=_measure(preview.height),
        size_bytes=min(preview.size_bytes, MOST_PIXELS),
    )


def stored_message(artifact: Artifact) -> pb.StoredArtifact:
    """The wire form of what was stored."""
    preview = artifact.preview
    return pb.StoredArtifact(
        artifact=artifact_message(artifact),
        object_key=artifact.object_key,
        preview_object_key=preview.object_key if preview is not None else "",
    )


def plain_struct(message: Struct) -> dict[str, Any]:
    """What a Struct holds, with its numbers as they came."""
    return {name: _plain(value) for name, value in message.fields.items()}


def _plain(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return plain_struct(value.struct_value)
        case "list_value":
            return [_plain(each) for each in value.list_value.values]
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)
