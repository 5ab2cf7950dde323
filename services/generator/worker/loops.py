"""Which loops take work in? Consumers of the work queues, hints for the worker, the reconciler."""

from __future__ import annotations

from generator.worker.parts import Parts
from generator.worker.reconciler import reconcile
from generator.worker.run_job import Worker
from jobqueue.consumer import Slots, WorkConsumer
from jobqueue.events import EventSubscriber
from jobqueue.topology import CLASSES, work_queue
from servicekit.health import Health
from servicekit.lifecycle import Background, Stop

# From SIGTERM until handlers are cancelled; a paid call and its record take 20 s at most.
GRACE = 25.0
# Claims overlap; each delivery has its slot reserved, so that none waits. A consumer takes up work
# only with that many slots free, so it is a small part of them.
MOST_PREFETCH = 4
_PREFETCH_SHARE = 50


def start_loops(
    loops: Background, parts: Parts, amqp_url: str, concurrency: int, health: Health, stop: Stop
) -> None:
    """Starts them all; their checks of the broker count for health."""
    loops.start("reconciler", reconcile(parts, stop))
    hints = EventSubscriber(
        amqp_url,
        parts.worker_id,
        on_event=parts.leases.hint,
        on_resync=parts.leases.beat_soon,
        keys=[f"worker.{parts.worker_id}"],
    )
    loops.start("hints", hints.run(stop))
    for job_class in CLASSES:
        # What killed its workers runs alone.
        slots = concurrency if job_class == CLASSES[0] else 1
        consumer = WorkConsumer(
            amqp_url,
            work_queue(job_class),
            Worker(parts).handle,
            Slots(slots),
            prefetch=max(1, min(MOST_PREFETCH, slots // _PREFETCH_SHARE)),
        )
        health.add(f"broker {job_class}", consumer.check)
        loops.start(f"consumer {job_class}", consumer.run(stop, grace=GRACE))
