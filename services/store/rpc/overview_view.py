"""The overview as operators see it."""

from __future__ import annotations

from mediagen.v1 import operator_service_pb2 as pb
from store.adapters.overview import Overview, Provider
from store.adapters.projection import timestamp

_MOST = 2**31 - 1  #: what an int32 holds


def overview_message(overview: Overview) -> pb.GetOverviewResponse:
    """The wire form of *overview*."""
    counts = overview.counts
    return pb.GetOverviewResponse(
        waiting_jobs=counts.waiting,
        running_jobs=counts.running,
        reconciling_jobs=counts.reconciling,
        parked_jobs=counts.parked,
        dead_jobs=counts.dead,
        oldest_waiting_time=timestamp(counts.oldest_waiting),
        workers=[
            pb.WorkerOverview(
                worker_id=each.worker_id,
                slots=each.slots,
                running=each.running,
                seen_time=timestamp(each.seen_time),
            )
            for each in overview.workers
        ],
        providers=[_provider(each, overview.rate_limit) for each in overview.providers],
    )


def _provider(provider: Provider, limit: float) -> pb.ProviderOverview:
    return pb.ProviderOverview(
        account=provider.account,
        open=provider.shut_until is None,
        message=provider.shut_reason,
        shut_until=timestamp(provider.shut_until),
        creates_per_minute=provider.rate,
        creates_per_minute_limit=limit,
        throttled_count=min(provider.throttled_count, _MOST),
        throttle_time=timestamp(provider.throttle_time),
    )
