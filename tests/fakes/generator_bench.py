"""A generator's parts around a simulator and a fake ledger, for tests that run jobs in-process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from generator.adapters.create import CreateClient
from generator.adapters.delivery import Delivery
from generator.adapters.delivery_hosts import DeliveryHosts
from generator.adapters.input_files import InputFiles
from generator.adapters.ledger import Chores, Ledger
from generator.adapters.provider import Provider
from generator.domain.polling import Hearing, Pace, Rhythm
from generator.media.decoders import Decoders
from generator.media.spool import Spool
from generator.worker.leases import Leases
from generator.worker.parts import Parts, Patience
from generator.worker.run_job import Worker
from mediagen.generator.v1.messages_pb2 import PredictionNews, WorkerHint, WorkMessage
from servicekit import channels
from servicekit.lifecycle import Background, Stop
from servicekit.objects import ObjectStore, open_store
from simulator.pictures import Picture, Spec
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings as SimulatorSettings
from tests.fakes.ledger import FakeJob, FakeLedger, running_ledger

TOKEN = "r8_a_token_that_must_not_leak"
FLUX = "black-forest-labs/flux-schnell"
SPOOL_BYTES, DECODER_MEMORY = 100_000_000, 1024**3
# Drawing takes most of a job's second; equal jobs of several tests share the picture.
_DRAWN: OrderedDict[Spec, Picture] = OrderedDict()


class Brisk(Pace):
    """Looks five times as often: the simulator's runs are short."""

    def delay(self, rhythm: Rhythm, running: int, jitter: float) -> float:
        return super().delay(rhythm, running, jitter) / 5


@dataclass
class FakeDelivery:
    """A broker's delivery that notes how it was settled, and how far the ledger was by then."""

    body: bytes
    ledger: FakeLedger
    message_id: str = "m"
    settled: str = ""
    calls_before: list[str] = field(default_factory=list)

    async def ack(self) -> bool:
        self.settled, self.calls_before = "ack", self.ledger.names()
        return True

    async def nack(self, *, requeue: bool = True) -> bool:
        self.settled = "nack"
        return True

    async def reject(self) -> bool:
        self.settled = "reject"
        return True


@dataclass
class Rig:
    """Everything a test of one worker needs."""

    ledger: FakeLedger
    sim: RunningSimulator
    parts: Parts
    worker: Worker
    objects: ObjectStore
    stop: Stop

    async def run(self, job: FakeJob) -> FakeDelivery:
        """Delivers the job's message and waits until the worker has left the job."""
        body = WorkMessage(job_id=job.job_id, dispatch=job.dispatch).SerializeToString()
        delivery = FakeDelivery(body, self.ledger)
        await self.worker.handle(delivery)  # type: ignore[arg-type]
        return delivery

    def bear(self, **patience: float) -> None:
        """Change how long the worker bears with things."""
        changed = replace(self.parts.patience, **patience)
        self.parts = replace(self.parts, patience=changed)
        self.worker = Worker(self.parts)

    def listen(self, pace: Pace) -> None:
        """As with a public address: webhooks are counted on. `hint` tells what one told."""
        self.parts = replace(self.parts, hearing=Hearing(asked=True), pace=pace)
        self.worker = Worker(self.parts)

    async def hint(self, job: FakeJob, prediction_id: str, status: str, log: str = "") -> None:
        """What the store publishes to the worker that holds *job*, after a webhook."""
        news = PredictionNews(
            prediction_id=prediction_id, status=status, log_length=len(log), log_end=log[-1024:]
        )
        body = WorkerHint(job_id=job.job_id, news=news).SerializeToString()
        await self.parts.leases.hint(body)

    def creates(self) -> int:
        return int(self.sim.ledger()["creates"])

    async def bytes_of(self, key: str) -> bytes:
        return b"".join([chunk async for chunk in self.objects.get_range(key)])


@asynccontextmanager
async def generator_rig(
    *, max_bytes: int = 50_000_000, decoders_in_use: int = 0, **simulator: Any
) -> AsyncIterator[Rig]:
    """A simulator at twenty times life's speed, and no decoder, unless told otherwise."""
    settings = SimulatorSettings(**({"seed": "test", "speed": 20.0} | simulator))
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        sim = await enter(running_simulator(settings))
        sim.simulator.gallery._kept = _DRAWN
        ledger, address = await enter(running_ledger())
        channel = await enter(channels.open(address))
        client = Ledger(channel)
        provider = await enter(Provider(sim.base_url, TOKEN))
        creates = await enter(CreateClient(sim.base_url, TOKEN, timeout=3.0))
        hosts = DeliveryHosts(sim.base_url.removeprefix("http://"))
        delivery = await enter(Delivery(hosts, max_bytes=max_bytes, pause=0.02))
        input_files = await enter(InputFiles(sim.base_url, TOKEN))
        spool = stack.enter_context(Spool(SPOOL_BYTES))
        decoders = await enter(Decoders(decoders_in_use, memory=DECODER_MEMORY))
        leases = Leases(client, "worker-1", 10)
        objects = open_store("memory://")
        parts = Parts(
            worker_id="worker-1", account="test@here", ledger=client, chores=Chores(channel),
            leases=leases, creates=creates, provider=provider, input_files=input_files,
            delivery=delivery, objects=objects, spool=spool, decoders=decoders,
            max_artifact_bytes=max_bytes, pace=Brisk(),
            patience=Patience(missing=2.0, gone=1.0, save_again=1.0, claim=1.0),
        )  # fmt: skip
        stop = Stop()
        loops = await enter(Background(stop, grace=2))
        loops.start("heartbeat", leases.run(stop))
        yield Rig(ledger, sim, parts, Worker(parts), objects, stop)
