"""What becomes of a webhook delivery and of its endpoint. Pure: time and chance are arguments.

PENDING ─claim─▶ posted ─record─▶ DELIVERED | PENDING again, later | FAILED
   ▲ redeliver ◀───────────────────────┘ ◀────────────────────────────┘

An endpoint is ENABLED or PAUSED: by its owner, by 410 Gone, or when nothing but failures has come
of it for a day. While it is PAUSED its deliveries are held: they have no `available_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from store.domain.job import Job
from store.domain.states import State


class EndpointState(StrEnum):
    """Whether an endpoint is called."""

    ENABLED = "ENABLED"
    PAUSED = "PAUSED"


class DeliveryState(StrEnum):
    """Where one event for one endpoint is in its life."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


PING: Final = "endpoint.ping"
_ENDS: Final = {
    State.COMPLETED: "job.completed",
    State.FAILED: "job.failed",
    State.CANCELED: "job.canceled",
}
DEFAULT_EVENTS: Final = tuple(_ENDS.values())

HORIZON: Final = timedelta(days=3)  #: how long a delivery is tried
KEPT: Final = timedelta(days=30)  #: how long it can be looked at after that
LAST_CHANCE: Final = timedelta(minutes=1)  #: before it is given up, so that the post still counts
POST_TIMEOUT: Final = timedelta(seconds=15)
CLAIM: Final = POST_TIMEOUT + timedelta(seconds=30)
RESUME_SPREAD: Final = timedelta(seconds=5)  #: what has waited is not posted in one instant
FAILING_LONG: Final = timedelta(hours=24)
FAILING_OFTEN: Final = 10
ATTEMPTS_KEPT: Final = 100
ENDPOINT_LIMIT: Final = 50
GONE: Final = 410

#: The waits between posts; the last one is repeated.
SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
)
_MOST_JITTER: Final = 0.1


class Outcome(StrEnum):
    """What came of a post. The failures are the wire's DeliveryError, by name."""

    TAKEN = "TAKEN"
    STATUS = "STATUS"
    CONNECTION = "CONNECTION"
    TIMEOUT = "TIMEOUT"
    TLS = "TLS"
    FORBIDDEN = "FORBIDDEN"
    NOT_SENT = "NOT_SENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post, as whoever made it reports it."""

    outcome: Outcome
    status_code: int = 0
    message: str = ""
    duration: timedelta = timedelta()
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What decides about an endpoint."""

    state: EndpointState = EndpointState.ENABLED
    pause_reason: str = ""
    failures: int = 0  #: in a row
    failing_since: datetime | None = None

    @property
    def paused(self) -> bool:
        """Nothing is posted to it."""
        return self.state is EndpointState.PAUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What decides about a delivery."""

    state: DeliveryState
    expire_time: datetime
    dispatch: int
    attempts: int = 0
    end_time: datetime | None = None
    due: datetime | None = None
    available_at: datetime | None = None  #: when it is published (again). None: held, or over
    claim_token: str | None = None
    claim_until: datetime | None = None

    def claimed(self, now: datetime) -> bool:
        """Somebody is posting it."""
        return self.claim_until is not None and self.claim_until > now


def event_type(old: Job, new: Job) -> str | None:
    """What webhooks call the change from *old* to *new*; None: they are not told of it.

    A change that is several things is the weightiest of them: an end, then a start, then a retry.
    """
    if new.final and not old.final:
        return _ENDS[new.state]
    if new.start_time is not None and old.start_time is None:
        return "job.started"
    if new.state is State.PENDING and old.state is State.RUNNING:
        return "job.retrying"
    if len(new.artifacts) > len(old.artifacts):
        return "job.artifact_stored"
    return None


def retry_delay(posts: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """The wait after post number *posts*, from 1; *jitter* in [0, 1) adds up to a tenth."""
    step = SCHEDULE[min(posts, len(SCHEDULE)) - 1]
    return max(step * (1 + _MOST_JITTER * jitter), retry_after or timedelta())


def claim(
    delivery: Delivery, endpoint: Endpoint, dispatch: int, token: str, now: datetime
) -> Delivery | None:
    """The delivery in the hands of whoever has *token*; None: there is nothing to post."""
    if delivery.state is not DeliveryState.PENDING or endpoint.paused:
        return None
    if delivery.claimed(now):
        return delivery if delivery.claim_token == token else None
    if delivery.dispatch != dispatch or delivery.expire_time <= now:
        return None
    until = now + CLAIM
    # Published again then, unless its outcome is recorded before: a claim needs nobody to end it.
    return replace(delivery, claim_token=token, claim_until=until, available_at=until)


def hold(delivery: Delivery) -> Delivery:
    """The delivery while its endpoint is paused."""
    return replace(delivery, available_at=None)


def record(
    delivery: Delivery,
    endpoint: Endpoint,
    token: str,
    post: Post,
    posts: int,
    jitter: float,
    now: datetime,
) -> tuple[Delivery, Endpoint] | None:
    """What the post makes of both; None: it was recorded before, or the claim is another's.

    *posts* is how often it was posted since it was made or redelivered, before this time.
    """
    if delivery.state is not DeliveryState.PENDING or delivery.claim_token != token:
        return None
    over = replace(delivery, claim_token=None, claim_until=None)
    if post.outcome is Outcome.NOT_SENT:
        back = now + (post.retry_after or timedelta())
        return replace(over, available_at=None if endpoint.paused else back), endpoint
    over = replace(over, attempts=delivery.attempts + 1)
    if post.outcome is Outcome.TAKEN:
        well = replace(endpoint, failures=0, failing_since=None)
        return _ended(over, DeliveryState.DELIVERED, now), well
    ill = _failed(endpoint, post, now)
    wanted = now + retry_delay(posts + 1, post.retry_after, jitter)
    due = min(wanted, delivery.expire_time - LAST_CHANCE)
    if due <= now:
        return _ended(over, DeliveryState.FAILED, now), ill
    again = replace(over, dispatch=delivery.dispatch + 1, due=due, available_at=due)
    return hold(again) if ill.paused else again, ill


def redeliver(delivery: Delivery, now: datetime) -> Delivery:
    """Posted again at once, for as long as a new one. One that is being posted is left to that."""
    expire_time = now + HORIZON
    if delivery.claimed(now):
        return replace(delivery, expire_time=expire_time)
    return replace(
        delivery,
        state=DeliveryState.PENDING,
        expire_time=expire_time,
        end_time=None,
        dispatch=delivery.dispatch + 1,
        due=now,
        available_at=now,
        claim_token=None,
        claim_until=None,
    )


def pause(endpoint: Endpoint, reason: str) -> Endpoint:
    """Nothing is posted to it from now on. One that is paused keeps its reason."""
    if endpoint.paused:
        return endpoint
    return replace(endpoint, state=EndpointState.PAUSED, pause_reason=reason)


def resume(endpoint: Endpoint) -> Endpoint:
    """It is called again, and what was before is forgotten."""
    return Endpoint() if endpoint.paused else endpoint


def _ended(delivery: Delivery, state: DeliveryState, now: datetime) -> Delivery:
    return replace(delivery, state=state, end_time=now, due=None, available_at=None)


def _failed(endpoint: Endpoint, post: Post, now: datetime) -> Endpoint:
    since = endpoint.failing_since or now - post.duration
    ill = replace(endpoint, failures=endpoint.failures + 1, failing_since=since)
    if post.outcome is Outcome.STATUS and post.status_code == GONE:
        return pause(ill, "The endpoint answered 410 Gone: it does not want to be called.")
    if ill.failures >= FAILING_OFTEN and now - since >= FAILING_LONG:
        return pause(
            ill,
            f"Every post since {since:%Y-%m-%d %H:%M} UTC has failed, {ill.failures} in a row.",
        )
    return ill
