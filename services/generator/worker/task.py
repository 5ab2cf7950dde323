"""What does a worker know of the job that it runs, and how does a step end it?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Self

from google.protobuf.struct_pb2 import Struct

from generator.domain.fingerprint import version_field
from generator.domain.redaction import Redaction
from generator.domain.values import from_value
from generator.worker.lease import Lease
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb


class Done(Exception):
    """Nothing is left to do here: the store knows all, and decides."""


class HandBack(Exception):
    """Another worker, or this one, goes on after *delay* seconds."""

    def __init__(self, why: str, delay: float) -> None:
        super().__init__(why)
        self.delay = delay


@dataclass(slots=True, kw_only=True)
class Task:
    """One claimed job. Grows by what the steps find out."""

    job_id: str
    tenant: str
    lease: Lease
    road: pb.Road.ValueType
    attempt: int
    created: int  #: calls of the job that were created so far, the one at hand included
    deadline: float  #: on time.monotonic(), on the safe side
    version: str  #: as the provider is to be given it
    takes_seed: bool
    prompt: str
    given: Struct = field(repr=False)
    secret_inputs: tuple[str, ...]  #: of given, by name
    redacted: Redaction
    inline_bytes: int  #: of files that stand in the input as the caller gave it
    prediction_id: str
    files: tuple[pb.StoredInput, ...] = ()  #: of the input, in object storage
    output: Any = None
    stored: tuple[pb.StoredArtifact, ...] = ()  #: what is listed already
    look_at_once: bool = False
    cancel_sent: bool = False

    @classmethod
    def claimed(cls, job_id: str, answer: pb.ClaimJobResponse, lease: Lease, began: float) -> Self:
        """*began*: when the claim was sent, on time.monotonic()."""
        if answer.cancel_requested:
            lease.cancel_requested = True
        return cls(
            job_id=job_id,
            tenant=answer.tenant,
            lease=lease,
            road=answer.road,
            attempt=answer.attempt,
            created=max(1, answer.created_attempts + (answer.road == pb.Road.ROAD_SUBMIT)),
            deadline=began + answer.time_left.ToTimedelta().total_seconds(),
            # A store of before the catalogue says nothing of it.
            version=answer.provider_version or version_field(answer.request.model),
            takes_seed=answer.takes_seed,
            prompt=answer.request.prompt,
            given=answer.request.input,
            secret_inputs=tuple(answer.request.secret_inputs),
            redacted=Redaction.of(answer.request.input, answer.request.secret_inputs),
            inline_bytes=sum(
                each.size_bytes for each in answer.request.input_files if not each.uri
            ),
            files=tuple(answer.stored_inputs),
            prediction_id=answer.prediction_id,
            look_at_once=answer.road == pb.Road.ROAD_OBSERVE,
            output=from_value(answer.output) if answer.HasField("output") else None,
            stored=tuple(answer.stored_artifacts),
        )

    def lease_lost(self) -> bool:
        return self.lease.lost

    @property
    def time_left(self) -> float:
        return self.deadline - time.monotonic()

    @property
    def must_cancel(self) -> bool:
        return self.lease.cancel_requested or self.time_left <= 0

    def forget_request(self) -> None:
        """The request is sent: hundreds of running jobs need not keep theirs."""
        self.prompt, self.given, self.files = "", Struct(), ()
