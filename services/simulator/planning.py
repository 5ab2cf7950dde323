"""What will happen to a new prediction? Its plan, from the model, the settings and its faults."""

import base64
import hashlib
import random
from collections.abc import Mapping

from simulator.fault_kinds import FAILURES
from simulator.model import Model
from simulator.predictions import NEVER, Plan, Status
from simulator.settings import Settings

ALPHABETS = str.maketrans("abcdefghijklmnopqrstuvwxyz234567", "abcdefghjkmnpqrstvwxyz0123456789")


def new_id(seed: str, number: int) -> str:
    """26 characters: base32 in lower case or, for every other one, the digit-rich alphabet."""
    digest = hashlib.sha256(f"{seed} prediction {number}".encode()).digest()
    letters = base64.b32encode(digest)[:26].decode().lower()
    return letters.translate(ALPHABETS) if number % 2 else letters


def fraction_digits(prediction_id: str, faults: Mapping[str, str]) -> int:
    """How many digits the seconds of this prediction's timestamps have: 3, 6 or 9."""
    forced = faults.get("fraction_digits")
    return (
        min(9, max(3, int(float(forced)))) if forced else (3, 6, 9)[sum(prediction_id.encode()) % 3]
    )


def make_plan(
    model: Model,
    prediction_id: str,
    faults: Mapping[str, str],
    settings: Settings,
    now: float,
    cancel_after: float | None,
) -> Plan:
    """The whole life of a prediction that is created now."""
    pace = 0.0 if settings.instant else 1.0 / settings.speed
    vary = random.Random(prediction_id).uniform
    queue, run = model.queue * pace * vary(0.8, 1.2), model.run * pace * vary(0.85, 1.2)
    if "queue" in faults:
        queue = float(faults["queue"])
    if "run" in faults:
        run = float(faults["run"])
    ending, error, starts = _ending(faults)
    if ending == "canceled":
        run /= 2
    if "starting_forever" in faults:
        queue = NEVER
    if "processing_forever" in faults:
        run = NEVER
    # Kept exactly as it will be printed: callers compare lists with what they read.
    scale = 10 ** min(6, fraction_digits(prediction_id, faults))
    created_at = round(int(round(now * 1e6) * scale // 10**6) / scale, 6)
    return Plan(
        created_at=created_at,
        queue=queue,
        run=run,
        ending=ending,
        error=error,
        starts=starts,
        deadline=None if cancel_after is None else created_at + cancel_after,
        retention=float(faults.get("data_removal_after", settings.retention)),
    )


def _ending(faults: Mapping[str, str]) -> tuple[Status, str | None, bool]:
    if "fail" in faults:
        text, starts = FAILURES.get(faults["fail"], (faults["fail"], True))
        return "failed", text, starts
    if "error_object" in faults:
        return "failed", "The model raised an error that is not a string", True
    if "long_error" in faults:
        return "failed", "long " * (int(float(faults["long_error"])) // 5), True
    if "canceled_by_platform" in faults:
        return "canceled", None, True
    if "aborted" in faults:
        return "aborted", None, False
    return "succeeded", None, True
