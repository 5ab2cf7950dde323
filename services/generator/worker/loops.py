"""Which loops take work in? Consumers of the work queues, hints for the worker, the reconciler; and
the chores that only a worker can do: asking about models, deleting objects."""

from __future__ import annotations

from generator.worker.catalogue import keep_catalogue
from generator.worker.janitor import sweep_objects, sweep_unfinished
from generator.worker.parts import Parts
from generator.worker.quarantine import Quarantine
from generator.worker.reconciler import reconcile
from generator.worker.run_job import Worker
from jobqueue.consumer import Handle, Slots, WorkConsumer
from jobqueue.events import EventSubscriber
from jobqueue.topology import CLASSES, work_queue
from servicekit.health import Health
from servicekit.lifecycle import Background, Stop

# From SIGTERM until handlers are cancelled; a paid call and its record take 20 s at most.
GRACE = 25.0
DEFAULT, QUARANTINE = CLASSES


def start_loops(
    loops: Background, parts: Parts, amqp_url: str, concurrency: int, health: Health, stop: Stop
) -> None:
    """Starts them all; their checks of the broker count for health."""
    loops.start("reconciler", reconcile(parts, stop))
    loops.start("catalogue", keep_catalogue(parts, stop))
    loops.start("janitor", sweep_objects(parts, stop))
    loops.start("unfinished", sweep_unfinished(parts, stop))
    hints = EventSubscriber(
        amqp_url,
        parts.worker_id,
        on_event=parts.leases.hint,
        on_resync=parts.leases.beat_soon,
        keys=[f"worker.{parts.worker_id}"],
    )
    loops.start("hints", hints.run(stop))
    quarantine = Quarantine(Worker(parts).handle, parts.leases, stop)
    consumers = {
        DEFAULT: _consumer(amqp_url, DEFAULT, quarantine.beside, concurrency),
        QUARANTINE: _consumer(amqp_url, QUARANTINE, quarantine.alone, 1),
    }
    quarantine.pauses(consumers[DEFAULT])
    for job_class, consumer in consumers.items():
        health.add(f"broker {job_class}", consumer.check)
        loops.start(f"consumer {job_class}", consumer.run(stop, grace=GRACE))


def _consumer(amqp_url: str, job_class: str, handle: Handle, slots: int) -> WorkConsumer:
    # One at a time: a larger prefetch would wait for that many free slots before it takes any.
    return WorkConsumer(amqp_url, work_queue(job_class), handle, Slots(slots), prefetch=1)
