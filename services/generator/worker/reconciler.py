"""What became of calls whose answer was lost? Looked up in the provider's listing, by one worker.

    LeaseReconciler ─held─▶ list everything since the oldest window ─▶ match ─▶ ReportScan
Any worker may be the reconciler; the store's lease says who is. It also ends what came too late for
its job (late.py). A listing that is not complete proves nothing and is not reported. The verdicts
are the store's.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from generator.adapters.endpoint import ProviderError
from generator.adapters.ledger import LedgerError
from generator.domain.matching import MARGIN, Evidence, LostCall, evidence, window
from generator.domain.values import from_struct
from generator.worker.late import end_late
from generator.worker.parts import Parts
from generator.worker.submit import cancel_orphan
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from servicekit.lifecycle import Stop

log = structlog.get_logger()

# The store counts scans that are 30 s apart; looking more often only adopts sooner.
EVERY = 5.0
# What a wrong clock may be wrong by before the window of the listing misses a call.
_SKEW = timedelta(minutes=5)


async def reconcile(parts: Parts, stop: Stop, every: float = EVERY) -> None:
    """Until *stop*. Trouble is logged, and tried again at the next turn."""
    while not stop.is_set():
        try:
            await look_once(parts)
        except (LedgerError, ProviderError) as error:
            log.warning("reconcile.failed", error=str(error) or type(error).__name__)
        except Exception:
            # What one listing holds must not stop every worker that reads it.
            log.exception("reconcile.crashed")
        await stop.wait(every)


async def look_once(parts: Parts) -> int:
    """One turn; how many calls were looked for."""
    asked = datetime.now(UTC)
    leased = await parts.ledger.lease_reconciler(
        pb.LeaseReconcilerRequest(worker_id=parts.worker_id, account=parts.account)
    )
    if not leased.held:
        return 0
    # Windows are told in the store's time, the listing in the provider's.
    store_ahead = _time(leased.store_time) - (asked + (datetime.now(UTC) - asked) / 2)
    trouble: ProviderError | LedgerError | None = None
    try:
        if leased.attempts:
            await _look(parts, leased, store_ahead)
    except (ProviderError, LedgerError) as error:
        trouble = error
    await end_late(parts, leased.late_predictions)
    if trouble is not None:
        raise trouble
    return len(leased.attempts)


async def _look(parts: Parts, leased: pb.LeaseReconcilerResponse, store_ahead: timedelta) -> None:
    oldest = min(_time(each.permit_time) for each in leased.attempts)
    listing = await parts.provider.listing(oldest - MARGIN - _SKEW)
    skew = listing.skew - store_ahead
    if abs(skew) > _SKEW:
        log.error("reconcile.clock_wrong", skew_seconds=skew.total_seconds())
        return
    calls = [_lost_call(each, skew) for each in leased.attempts]
    # In a thread: many calls and a long listing must not hold up the heartbeat.
    owned = frozenset(leased.owned_prediction_ids)
    shown = await asyncio.to_thread(evidence, calls, listing.predictions, owned)
    await _report(parts, leased, shown)


async def _report(parts: Parts, leased: pb.LeaseReconcilerResponse, shown: list[Evidence]) -> None:
    answer = await parts.ledger.report_scan(
        pb.ReportScanRequest(
            worker_id=parts.worker_id,
            epoch=leased.epoch,
            began=leased.store_time,
            evidence=[
                pb.AttemptEvidence(
                    submit_token=each.submit_token,
                    strong_prediction_ids=each.strong,
                    weak_candidates=each.weak,
                    shows_later_prediction=each.shows_later,
                )
                for each in shown
            ],
        )
    )
    log.info(
        "reconcile.reported", calls=len(shown), strong=sum(len(each.strong) for each in shown),
        weak=sum(each.weak for each in shown),
    )  # fmt: skip
    for prediction_id in answer.orphan_prediction_ids:
        await cancel_orphan(parts, prediction_id)


def _lost_call(attempt: pb.UnknownAttempt, skew: timedelta) -> LostCall:
    earliest, latest = window(_time(attempt.permit_time), _time(attempt.send_by), skew)
    return LostCall(
        submit_token=attempt.submit_token,
        model=attempt.model,
        input=from_struct(attempt.input),
        earliest=earliest,
        latest=latest,
        secrets=frozenset(attempt.secret_inputs),
    )


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
