"""How large is a soak, and how long may each part of it take?"""

from __future__ import annotations

from dataclasses import dataclass

_JOBS_PER_SECOND = 8.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Times are in seconds.

    submitting: over which the jobs come in. timeout: each job's own. watchers, downloads: of how
    many jobs every revision is watched, and the artifacts are fetched. kill_every: between kills
    of a generator, store, gateway or edge; servers_every: between kills of RabbitMQ, and of
    Postgres, half of it apart. chaos_after: how long the killing goes on once all should be
    submitted.
    """

    jobs: int = 2000
    submitting: float = 2000 / _JOBS_PER_SECOND
    timeout: float = 600.0
    watchers: int = 200
    downloads: int = 100
    generators: int = 3
    stores: int = 2
    gateways: int = 2
    kill_every: float = 2.0
    servers_every: float = 60.0
    chaos_after: float = 30.0
    account_shut: bool = True

    @property
    def settle(self) -> float:
        """What a job may take beyond its deadline."""
        return 60.0

    @property
    def limit(self) -> float:
        """From the first submit; what has not ended by then is stuck."""
        return self.submitting + self.timeout + self.settle


def of(jobs: int) -> Scale:
    """The usual soak with so many jobs."""
    return Scale(
        jobs=jobs,
        submitting=jobs / _JOBS_PER_SECOND,
        watchers=min(jobs, max(200, jobs // 10)),
        downloads=min(jobs, max(100, jobs // 20)),
    )


#: For `make test`: the same, in under a minute and with fewer processes.
SHORT = Scale(
    jobs=120,
    submitting=14.0,
    timeout=180.0,
    watchers=40,
    downloads=20,
    generators=2,
    gateways=1,
    servers_every=20.0,
    chaos_after=6.0,
    account_shut=False,  # the store then waits 30 s, which is half of this soak
)
