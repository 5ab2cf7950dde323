"""What the store reads from the environment."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from servicekit.settings import AmqpUrl, BaseUrl, Common, Port, PostgresUrl
from store.adapters.database import PoolSettings
from store.adapters.shipped import shipped
from store.domain.models import CATALOGUE, Allowed
from store.domain.retries import RetryPolicy
from store.domain.rules import Keeping, Rules
from store.domain.spending import Limits

Seconds = Annotated[float, Field(gt=0, le=86_400)]


def _are_models(text: str) -> str:
    Allowed.of(text)
    return text


ModelsAllowed = Annotated[str, AfterValidator(_are_models)]


class Settings(Common):
    """The store's settings; `.env.example` says what each is for."""

    database_url: PostgresUrl
    amqp_url: AmqpUrl
    # Where callers reach the edge; links to artifacts in webhooks begin with it.
    public_url: BaseUrl = "http://localhost:8000"
    store_host: str = "127.0.0.1"
    store_port: Port = 50052
    # Unset: no metrics are served.
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    retry_backoff_base: Annotated[float, Field(ge=1, le=60)] = 2.0
    reconcile_settle: Annotated[float, Field(ge=0, le=3600)] = 120.0
    reconcile_scan_gap: Annotated[float, Field(ge=0, le=600)] = 30.0
    lease_seconds: Annotated[float, Field(ge=2, le=600)] = 30.0
    # Beyond 45 minutes a lost call could never be shown to be dead before its input is emptied.
    longest_run: Annotated[float, Field(ge=30, le=2700)] = 1800.0
    provider_pause: Annotated[float, Field(ge=0.5, le=600)] = 30.0
    provider_creates_per_minute: Annotated[float, Field(ge=0)] = 600.0
    # Which models jobs may name: owner/name, owner/*, *, or catalogue for those that are shipped.
    models_allowed: ModelsAllowed = CATALOGUE
    models_refresh: Annotated[float, Field(ge=1, le=2_592_000)] = 21_600.0
    uploads_kept: Annotated[float, Field(ge=1, le=315_360_000)] = 604_800.0
    # Of each tenant, that no job has used.
    uploads_most: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    uploads_most_bytes: Annotated[int, Field(ge=1, le=2**50)] = 20_000_000_000
    # 0: for ever.
    artifacts_kept: Annotated[float, Field(ge=0, le=3_153_600_000)] = 0.0
    db_pool_size: Annotated[int, Field(ge=1, le=200)] = 20
    # Overflow is closed after each use, and to open a connection costs more than ten statements.
    db_pool_overflow: Annotated[int, Field(ge=0, le=200)] = 0
    db_pool_wait: Seconds = 5.0
    db_statement_timeout: Seconds = 10.0
    db_lock_timeout: Seconds = 5.0
    connect_timeout: Seconds = 60.0
    drain_seconds: Seconds = 10.0

    def pool(self) -> PoolSettings:
        """How many connections, and how long anything may take."""
        return PoolSettings(
            size=self.db_pool_size,
            overflow=self.db_pool_overflow,
            wait=self.db_pool_wait,
            statement_timeout=self.db_statement_timeout,
            lock_timeout=self.db_lock_timeout,
        )

    def keeping(self) -> Keeping:
        """Which models are known, and how long files are kept."""
        return Keeping(
            allowed=Allowed.of(self.models_allowed, (each.name for each in shipped())),
            refresh=timedelta(seconds=self.models_refresh),
            uploads=timedelta(seconds=self.uploads_kept),
            most_uploads=self.uploads_most,
            most_upload_bytes=self.uploads_most_bytes,
            artifacts=timedelta(seconds=self.artifacts_kept) if self.artifacts_kept else None,
        )

    def settle(self) -> timedelta:
        """What is allowed for pauses and the lag of the provider's listing."""
        return timedelta(seconds=self.reconcile_settle)

    def rules(self) -> Rules:
        """What decides about jobs."""
        return Rules(
            lease=timedelta(seconds=self.lease_seconds),
            policy=RetryPolicy(self.max_retries, self.retry_backoff_base),
            limits=Limits(self.settle(), timedelta(seconds=self.longest_run)),
            creates_per_minute=self.provider_creates_per_minute,
            scan_gap=timedelta(seconds=self.reconcile_scan_gap),
            first_pause=timedelta(seconds=self.provider_pause),
        )
