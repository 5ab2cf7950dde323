"""How is a prediction's last word told to the store? Also by whoever does not hold the job."""

from __future__ import annotations

from typing import Any

from generator.domain.answers import Prediction
from generator.domain.progress import tail
from generator.domain.values import to_value
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb

# A larger output burdens the ledger; it is read from the provider again when it is saved.
LARGEST_OUTPUT = 8 * 1024 * 1024


def succeeded(job_id: str, prediction_id: str, final: Prediction) -> pb.RecordSucceededRequest:
    """It ended with a result."""
    request = pb.RecordSucceededRequest(
        job_id=job_id,
        prediction_id=prediction_id,
        predict_seconds=final.predict_seconds,
        metrics=final.metrics,
        log_tail=tail(final.logs) or None,
        model_version=final.version,
    )
    if (output := _storable(final.output)) is not None:
        request.output.CopyFrom(output)
    return request


def ended(
    job_id: str,
    prediction_id: str,
    end: pb.PredictionEnd.ValueType,
    failure: pb.ProviderFailure,
    final: Prediction | None,
) -> pb.RecordEndedRequest:
    """It ended without one. *final*: as it was seen last, if it was."""
    return pb.RecordEndedRequest(
        job_id=job_id,
        prediction_id=prediction_id,
        end=end,
        failure=failure,
        predict_seconds=final.predict_seconds if final is not None else None,
        metrics=final.metrics if final is not None else {},
        log_tail=(tail(final.logs) or None) if final is not None else None,
    )


def _storable(output: Any) -> Any:
    if output is None:
        return None
    value = to_value(output)
    return value if value.ByteSize() <= LARGEST_OUTPUT else None
