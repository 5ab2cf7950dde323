"""Is a secret input told apart from the rest wherever a request is shown, compared or logged?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from generator.domain.answers import Prediction, Problem
from generator.domain.fingerprint import paid_call
from generator.domain.matching import LostCall, could_be, is_strong
from generator.domain.redaction import NOTHING, SHOWN, Redaction
from servicekit.secret_inputs import MASK, hide, reveal
from store.adapters.repeats import secrets_digest

KEY = 'sk-"6c1f\\0d9e'  # pragma: allowlist secret
T0 = datetime(2026, 11, 23, 12, tzinfo=UTC)


def struct(**values: Any) -> Struct:
    made = Struct()
    made.update(values)
    return made


def test_what_is_hidden_can_be_revealed_and_nothing_else_changes() -> None:
    """Lists and objects become one mask; null and what is not given are no secrets."""
    given = struct(key=KEY, keys=["a", {"b": 1}], none=None, prompt="a fox")
    before = Struct()
    before.CopyFrom(given)
    secrets = hide(given, ["key", "keys", "none", "absent"])
    assert dict(given) == {"key": MASK, "keys": MASK, "none": None, "prompt": "a fox"}
    assert set(secrets.fields) == {"key", "keys"}
    reveal(given, secrets)
    assert given == before


def test_a_digest_tells_other_secrets_apart_and_says_nothing_elsewhere() -> None:
    """The same secret of two tenants or requests has two digests: they can not be looked up."""
    digest = secrets_digest("t", "r", struct(key=KEY, more="x"))
    assert digest == secrets_digest("t", "r", struct(more="x", key=KEY))
    others = [("t", "r2", KEY), ("t2", "r", KEY), ("t", "r", KEY + "x")]
    assert digest not in [secrets_digest(a, b, struct(key=c, more="x")) for a, b, c in others]
    assert secrets_digest("t", "r", Struct()) is None


def test_a_call_is_known_by_all_but_its_secrets() -> None:
    """Two that differ in a secret alone can not be told apart in the provider's listing: they are
    never in doubt at the same time."""

    def call(key: str, prompt: str = "a fox") -> Any:
        return paid_call(
            "a/b", prompt, {"key": key}, takes_seed=False, job_id="j", attempt=1, secrets=["key"]
        )

    one, other = call(KEY), call("another")
    assert one.input == {"key": KEY, "prompt": "a fox"}
    assert one.known_by == {"prompt": "a fox"}
    assert one.fingerprint == other.fingerprint != call(KEY, "a cat").fingerprint
    assert KEY not in repr(one)


@pytest.mark.parametrize("shown", [{"key": "[REDACTED]"}, {"key": None}, {}])
def test_a_lost_call_is_recognised_however_its_secret_is_shown(shown: dict[str, Any]) -> None:
    """As a mask, emptied or not at all; another prompt is still another request."""

    def listed(prompt: str) -> Prediction:
        given = {"prompt": prompt, **shown}
        return Prediction("p", "starting", model="a/b", input=given, created_at=T0)

    call = LostCall("t", "a/b", {"prompt": "a fox"}, T0, T0 + timedelta(9), frozenset({"key"}))
    assert is_strong(call, listed("a fox"))
    assert not is_strong(call, listed("a cat"))
    assert not could_be(call, listed("a cat"))
    plain = LostCall("t", "a/b", {"prompt": "a fox"}, T0, T0 + timedelta(9))
    assert is_strong(plain, listed("a fox")) is (shown == {})


def test_the_providers_words_are_told_without_the_secret() -> None:
    """Its error, its log and its refusal, as it is and as JSON has it."""
    given = struct(key=KEY, keys=[KEY + "-longer", "abc"], prompt="fox")
    redacted = Redaction.of(given, ["key", "keys"])
    seen = Prediction("p", "failed", error=f"bad key {KEY}", logs=f"abc {KEY}-longer, {KEY}\nfox")
    told = redacted.prediction(seen)
    assert told.error == f"bad key {SHOWN}"
    assert told.logs == f"abc {SHOWN}, {SHOWN}\nfox", "what is too short stands in other words"
    written = KEY.replace("\\", "\\\\").replace('"', '\\"')
    refused = redacted.problem(Problem(422, KEY, f'"{written}"', (("input.key", f"{KEY} is bad"),)))
    assert refused == Problem(422, SHOWN, f'"{SHOWN}"', (("input.key", f"{SHOWN} is bad"),))
    assert KEY not in repr(redacted)
    assert NOTHING.prediction(seen) is seen
