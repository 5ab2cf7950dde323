"""The settings that decide about jobs, as the verbs need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from store.domain.models import Allowed
from store.domain.retries import RetryPolicy
from store.domain.spending import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings that decide about jobs."""

    lease: timedelta
    policy: RetryPolicy
    limits: Limits
    creates_per_minute: float
    scan_gap: timedelta
    first_pause: timedelta = timedelta(seconds=30)  #: after the first 401 or 402 of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """The settings that say which models are known, and how long files are kept."""

    allowed: Allowed
    refresh: timedelta  #: after which the provider is asked about a model again
    uploads: timedelta  #: since the upload
    most_uploads: int  #: of a tenant, that no job has used
    most_upload_bytes: int  #: of those
    artifacts: timedelta | None  #: since they were stored; None: for ever
