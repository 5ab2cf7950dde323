"""The soak in its short form: 120 jobs while the provider errs and every part is killed in turn.

It has a stack with servers of its own, because it kills those too. `make soak` is the long form.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from soak import judging
from soak.rig import rig
from soak.running import Soak
from soak.scale import SHORT


@pytest.mark.timeout(SHORT.limit + 240)
def test_nothing_is_lost_or_paid_twice_while_everything_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Lost, paid twice, stuck and missed are 0, at least 97 % are COMPLETED, and kills happened."""
    seed = "short"
    with rig(tmp_path, SHORT, seed) as stack:
        evidence = asyncio.run(Soak(stack, SHORT, seed, print).run())
    rows = judging.judge(evidence)
    for row in rows:
        record_property(row.name.strip(), row.value)
        print(f"{row.name:<42} {row.value:>16} {row.rule:>6} {'' if row.kept else 'BROKEN'}")
    broken = [f"{row.name}: {row.value}\n  " + "\n  ".join(row.details[:5]) for row in rows
              if not row.kept]  # fmt: skip
    assert not broken, "\n".join(broken)
    assert evidence.kills["postgres"] and evidence.kills["rabbitmq"]
    assert sum(evidence.kills.values()) >= 5, "too little was killed to prove anything"
