"""Which prediction in the listing is the call whose answer was lost?

strong  the same model and the same input, in the window, nobody else's: it can only be this call
weak    in the window, nobody else's, and not provably another request
One prediction is assigned to one call at most. The verdict over several looks is the store's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from generator.domain.answers import Prediction
from generator.domain.values import canonical

# Clocks that are a little apart, and a created_at that drifts on reading back.
MARGIN = timedelta(seconds=10)
# The call may be taken up to its timeout after the last byte left, and be stamped later still.
TAKEN_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class LostCall:
    """A call to look for, and when it can have been made, by the provider's clock."""

    submit_token: str
    model: str
    input: Mapping[str, Any]
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one complete listing shows of one call. A strong candidate is not counted as weak."""

    submit_token: str
    strong: tuple[str, ...]
    weak: int
    shows_later: bool


def window(permit_time: datetime, send_by: datetime, skew: timedelta) -> tuple[datetime, datetime]:
    """The window by the provider's clock, which is *skew* ahead of ours."""
    return permit_time + skew - MARGIN, send_by + skew + TAKEN_WITHIN + MARGIN


def evidence(
    calls: Sequence[LostCall], listing: Iterable[Prediction], owned: Collection[str]
) -> list[Evidence]:
    """What a listing that is complete since the earliest window shows of each call."""
    listed = list(listing)
    free = [each for each in listed if each.id not in owned]
    ours = [each.created_at for each in listed if each.id in owned and each.created_at is not None]
    matches = {
        call.submit_token: [each for each in free if _in_window(call, each)] for call in calls
    }
    strong = _assigned(
        calls,
        {
            call.submit_token: [e for e in matches[call.submit_token] if is_strong(call, e)]
            for call in calls
        },
    )
    taken = {found[0]: token for token, found in strong.items() if len(found) == 1}
    return [
        Evidence(
            call.submit_token,
            strong[call.submit_token],
            sum(
                1
                for each in matches[call.submit_token]
                if each.id not in strong[call.submit_token]
                and taken.get(each.id, call.submit_token) == call.submit_token
                and could_be(call, each)
            ),
            any(at > call.latest for at in ours),
        )
        for call in calls
    ]


def is_strong(call: LostCall, listed: Prediction) -> bool:
    """The same request beyond doubt. The version is no sign: answers show another one."""
    if listed.data_removed or not listed.input or not listed.model:
        return False
    return listed.model == _name(call.model) and canonical(listed.input) == canonical(call.input)


def could_be(call: LostCall, listed: Prediction) -> bool:
    """Not provably another request. Removed data and a missing model prove nothing."""
    if listed.data_removed or not listed.input:
        return True
    return not any(
        key in call.input and _differ(call.input[key], value) for key, value in listed.input.items()
    )


def _differ(sent: Any, shown: Any) -> bool:
    # A file given inline may be shown as an address.
    if isinstance(sent, str) and sent.startswith("data:"):
        return False
    return canonical(sent) != canonical(shown)


def _in_window(call: LostCall, listed: Prediction) -> bool:
    # Without a time it may be anything.
    return listed.created_at is None or call.earliest <= listed.created_at <= call.latest


def _assigned(
    calls: Sequence[LostCall], strong: Mapping[str, list[Prediction]]
) -> dict[str, tuple[str, ...]]:
    """One prediction to one call. Equal requests share their candidates: in order of time if there
    is one for each, else none of them is sure."""
    result: dict[str, tuple[str, ...]] = {}
    for call in calls:
        found = strong[call.submit_token]
        rivals = sorted(
            (other for other in calls
             if {e.id for e in strong[other.submit_token]} & {e.id for e in found}),
            key=lambda other: (other.earliest, other.submit_token),
        )  # fmt: skip
        if len(rivals) <= 1:
            result[call.submit_token] = tuple(each.id for each in found)
            continue
        shared = sorted(
            {each.id: each for other in rivals for each in strong[other.submit_token]}.values(),
            key=lambda each: (each.created_at or call.earliest, each.id),
        )
        chosen = shared[rivals.index(call)] if len(shared) == len(rivals) else None
        sure = chosen is not None and chosen in found
        result[call.submit_token] = (chosen.id,) if sure and chosen else ()
    return result


def _name(model: str) -> str:
    return model.partition(":")[0]
