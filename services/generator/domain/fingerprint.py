"""What exactly is sent, and how are two requests told apart?

The provider takes no id of ours, so a lost call can only be recognised by its input. Where the
model takes a seed and the caller gave none, one is derived from job and attempt: two equal prompts
then differ, and whoever looks later can compute the same input again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.domain.values import canonical

_SEEDS = 2**31
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PaidCall:
    """One create: `version` as the provider takes it, and the whole input."""

    version: str
    input: Mapping[str, Any] = field(repr=False)
    seed: int | None
    secrets: frozenset[str] = frozenset()  #: the inputs that are secret, by name

    @property
    def known_by(self) -> dict[str, Any]:
        """What the provider's listing shows of the input: all but its secrets."""
        return {name: value for name, value in self.input.items() if name not in self.secrets}

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 over version and what is shown of the input: 32 bytes."""
        return hashlib.sha256(canonical([self.version, self.known_by]).encode()).digest()


def paid_call(
    version: str,
    prompt: str,
    given: Mapping[str, Any],
    *,
    takes_seed: bool,
    job_id: str,
    attempt: int,
    secrets: Collection[str] = (),
) -> PaidCall:
    """The call for this attempt of this job. `given` is the job's input without the prompt."""
    values = dict(given)
    if prompt:
        values["prompt"] = prompt
    seed = None
    if takes_seed and values.get("seed") is None:
        seed = seed_for(job_id, attempt)
        values["seed"] = seed
    return PaidCall(version, values, seed, frozenset(secrets))


def version_field(model: str) -> str:
    """The create's `version`: a community model's hash alone, an official model's name."""
    _, _, digest = model.partition(":")
    return digest if _DIGEST.fullmatch(digest) else model


def seed_for(job_id: str, attempt: int) -> int:
    digest = hashlib.sha256(f"{job_id} {attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SEEDS
