"""The words of a job's life, as they stand in the database.

PENDING ──start──▶ RUNNING ──complete──▶ COMPLETED
   ▲                  ├──fail──────────▶ FAILED
   └─────retry────────┘
PENDING, RUNNING ──cancel──▶ CANCELED

SUBMITTING ─▶ SUBMITTED ─▶ SUCCEEDED | FAILED | CANCELED | ABORTED      (an attempt)
SUBMITTING ─▶ UNKNOWN ─▶ SUBMITTED | NOT_CREATED | UNRESOLVED
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job is in its life. FINAL states never change again."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


FINAL: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELED})


class Stage(StrEnum):
    """What goes on inside RUNNING."""

    SUBMITTING = "SUBMITTING"
    STARTING = "STARTING"
    PROCESSING = "PROCESSING"
    SAVING = "SAVING"
    RECONCILING = "RECONCILING"
    CANCELING = "CANCELING"


class AttemptState(StrEnum):
    """Where one paid call is in its life."""

    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    ABORTED = "ABORTED"
    NOT_CREATED = "NOT_CREATED"
    UNRESOLVED = "UNRESOLVED"
    ORPHAN = "ORPHAN"
    WRITTEN_OFF = "WRITTEN_OFF"


#: The provider may be working on it, or about to. None of these may stand in a final job.
OPEN: Final = frozenset({AttemptState.SUBMITTING, AttemptState.SUBMITTED, AttemptState.UNKNOWN})

#: While a job has an attempt in one of these, no other may be made (unique index (a)).
OCCUPYING: Final = OPEN | {AttemptState.UNRESOLVED, AttemptState.SUCCEEDED}


class Charge(StrEnum):
    """Whether the provider bills for something."""

    NO = "NO"
    YES = "YES"
    UNKNOWN = "UNKNOWN"


class LetterState(StrEnum):
    """What has become of a job that an operator should look at."""

    PARKED = "PARKED"  #: not final: the outcome of a paid call could not be found out
    DEAD = "DEAD"
    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"
    RESOLVED = "RESOLVED"  #: it was parked, and went on by itself


class WorkClass(StrEnum):
    """Which work queue a job goes through."""

    DEFAULT = "default"
    QUARANTINE = "quarantine"  #: it lost several workers in a row: it runs apart from the others


class FailureKind(StrEnum):
    """How a provider's failure counts."""

    TRANSIENT = "TRANSIENT"  #: counts towards MAX_RETRIES
    PERMANENT = "PERMANENT"
    RATE = "RATE"
    ACCOUNT = "ACCOUNT"  #: 401, 402: not the job's fault
    NOT_SENT = "NOT_SENT"


class Road(StrEnum):
    """What the worker that claims a job does with it."""

    SUBMIT = "SUBMIT"
    OBSERVE = "OBSERVE"
    SAVE = "SAVE"


class Refusal(StrEnum):
    """Why a worker does not go on as it asked to."""

    NOTHING_TO_CLAIM = "NOTHING_TO_CLAIM"
    CANCELED = "CANCELED"
    DEADLINE = "DEADLINE"
    PROVIDER_SHUT = "PROVIDER_SHUT"
    RATE = "RATE"
    DUPLICATE_IN_FLIGHT = "DUPLICATE_IN_FLIGHT"
    ATTEMPT_OPEN = "ATTEMPT_OPEN"
