"""Which prediction in the listing is the call whose answer was lost?

strong  the same model and the same input, in the window, nobody else's: it can only be this call;
        or its webhook names this call
weak    in the window, nobody else's, and not provably another request
One prediction is assigned to one call at most. The verdict over several looks is the store's.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from generator.domain.answers import Prediction
from generator.domain.values import canonical
from generator.domain.webhooks import token_of

# Clocks that are a little apart, and a created_at that drifts on reading back.
MARGIN = timedelta(seconds=10)
# The call may be taken up to its timeout after the last byte left, and be stamped later still.
TAKEN_WITHIN = timedelta(seconds=30)

# The provider's own addresses may lie behind a path of some proxy.
_FILE = re.compile(r"data:|https?://[^?#]+/v1/files/")

# The canonical JSON of each key of an input.
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LostCall:
    """A call to look for, and when it can have been made, by the provider's clock."""

    submit_token: str
    model: str
    input: Mapping[str, Any]
    earliest: datetime
    latest: datetime
    secrets: frozenset[str] = frozenset()  #: names of inputs that are not shown, nor in *input*


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
    ours = [each.created_at for each in listed if each.id in owned and each.created_at is not None]
    latest_of_ours = max(ours, default=None)
    windows = _Windows([each for each in listed if each.id not in owned])
    texts: dict[str, Texts] = {}  # of each prediction in a window, made once
    matches, strong = {}, {}
    sent = {call.submit_token: _texts(call.input) for call in calls}
    for call in calls:
        found = matches[call.submit_token] = windows.of(call)
        for each in found:
            if each.id not in texts:
                texts[each.id] = _texts(each.input or {})
        mine = sent[call.submit_token]
        strong[call.submit_token] = [e for e in found if _is_strong(call, mine, e, texts[e.id])]
    assigned = _assigned(calls, strong)
    taken = {found[0]: token for token, found in assigned.items() if len(found) == 1}
    return [
        Evidence(
            call.submit_token,
            assigned[call.submit_token],
            sum(
                1
                for each in matches[call.submit_token]
                if each.id not in assigned[call.submit_token]
                and taken.get(each.id, call.submit_token) == call.submit_token
                and _could_be(call, sent[call.submit_token], each, texts[each.id])
            ),
            latest_of_ours is not None and latest_of_ours > call.latest,
        )
        for call in calls
    ]


def _texts(given: Mapping[str, Any]) -> Texts:
    return {key: canonical(value) for key, value in given.items()}


def is_strong(call: LostCall, listed: Prediction) -> bool:
    """The same request beyond doubt. The version is no sign: answers show another one."""
    return _is_strong(call, _texts(call.input), listed, _texts(listed.input or {}))


def _compared(call: LostCall, shown: Texts) -> Texts:
    """The provider shows a secret input as a mask, or not at all."""
    if not call.secrets:
        return shown
    return {key: text for key, text in shown.items() if key not in call.secrets}


def _is_strong(call: LostCall, sent: Texts, listed: Prediction, shown: Texts) -> bool:
    if named := token_of(listed.webhook):
        return named == call.submit_token
    if listed.data_removed or not listed.input or not listed.model:
        return False
    return listed.model == _name(call.model) and _compared(call, shown) == sent


def could_be(call: LostCall, listed: Prediction) -> bool:
    """Not provably another request. Removed data and a missing model prove nothing."""
    return _could_be(call, _texts(call.input), listed, _texts(listed.input or {}))


def _could_be(call: LostCall, sent: Texts, listed: Prediction, shown: Texts) -> bool:
    if named := token_of(listed.webhook):
        return named == call.submit_token
    if listed.data_removed or not listed.input:
        return True
    return not any(
        key in sent and sent[key] != text and not _has_file(call.input[key])
        for key, text in _compared(call, shown).items()
    )


def _has_file(sent: Any) -> bool:
    """A file given inline may be shown as an address, and one that was uploaded as another."""
    match sent:
        case str():
            return _FILE.match(sent) is not None
        case list():
            return any(_has_file(each) for each in sent)
        case Mapping():
            return any(_has_file(each) for each in sent.values())
    return False


class _Windows:
    """Which predictions can have been made in a call's window."""

    def __init__(self, free: Iterable[Prediction]) -> None:
        timed: list[tuple[datetime, Prediction]] = []
        self._untimed: list[Prediction] = []
        for each in free:
            if each.created_at is None:
                self._untimed.append(each)  # Without a time it may be anything.
            else:
                timed.append((each.created_at, each))
        timed.sort(key=lambda pair: pair[0])
        self._times = [at for at, _ in timed]
        self._timed = [each for _, each in timed]

    def of(self, call: LostCall) -> list[Prediction]:
        first = bisect_left(self._times, call.earliest)
        return self._timed[first : bisect_right(self._times, call.latest)] + self._untimed


def _assigned(
    calls: Sequence[LostCall], strong: Mapping[str, list[Prediction]]
) -> dict[str, tuple[str, ...]]:
    """One prediction to one call. Equal requests share their candidates: in order of time if there
    is one for each, else none of them is sure."""
    result: dict[str, tuple[str, ...]] = {}
    claimants: dict[str, list[LostCall]] = defaultdict(list)
    for call in calls:
        for each in strong[call.submit_token]:
            claimants[each.id].append(call)
    for call in calls:
        found = strong[call.submit_token]
        sharing = {other.submit_token: other for each in found for other in claimants[each.id]}
        rivals = sorted(sharing.values(), key=lambda other: (other.earliest, other.submit_token))
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
