"""What does every step of a job work with? Built once in __main__, read by all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from generator.adapters.create import CreateClient
from generator.adapters.delivery import Delivery
from generator.adapters.input_files import InputFiles
from generator.adapters.ledger import Chores, Ledger
from generator.adapters.provider import Provider
from generator.domain.polling import MISSING_PATIENCE, Hearing, Pace
from generator.media.decoders import Decoders
from generator.media.spool import Spool
from generator.worker.leases import Leases
from generator.worker.setbacks import Setbacks
from generator.worker.turns import Turns
from servicekit.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, the worker bears with things before it says so to the store."""

    claim: float = 60.0  #: with a store that does not answer a claim
    rate_wait: float = 60.0  #: with the account's rate before it is asked for again, told or not
    missing: float = MISSING_PATIENCE  #: with 404s for a known id
    gone: float = 15.0  #: with dead addresses of files that were not removed, lease in hand
    kept: float = 3900.0  #: with files out of reach since the run ended; they are kept for an hour
    save_again: float = 5.0  #: until the job is taken again after trouble; grows
    cancel_again: float = 10.0  #: until a cancel without effect is repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The worker's parts."""

    worker_id: str
    account: str
    ledger: Ledger
    chores: Chores
    leases: Leases
    creates: CreateClient
    provider: Provider
    input_files: InputFiles
    delivery: Delivery
    objects: ObjectStore
    spool: Spool
    decoders: Decoders
    max_artifact_bytes: int
    patience: Patience = field(default_factory=Patience)
    pace: Pace = field(default_factory=Pace)
    hearing: Hearing = field(default_factory=Hearing)
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    turns: Turns = field(default_factory=Turns)
    setbacks: Setbacks = field(default_factory=Setbacks)
    jitter: Callable[[], float] = random.random
