"""Which webhooks are believed: those that Replicate signed, lately, over these very bytes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from gateway.adapters.webhooks import Signatures
from gateway.domain.errors import SignatureInvalid

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
OTHER = "whsec_" + "c2VjcmV0IG9mIG5vYm9keQ=="  # pragma: allowlist secret
BODY = b'{"id": "p1", "status": "starting", "prompt": "caf\xc3\xa9"}'


def signed(body: bytes = BODY, secret: str = SECRET, age: float = 0) -> dict[str, str]:
    """The headers of a webhook that was signed *age* seconds ago."""
    at = datetime.fromtimestamp(time.time() - age, UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body.decode()),
    }


def test_the_documented_example_is_signed_as_documented() -> None:
    """Replicate's own test vector: id, timestamp and body joined by dots."""
    at = datetime.fromtimestamp(1_614_265_330, UTC)
    signature = Webhook(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("age", [0, 290, -290])
def test_what_the_provider_signed_is_believed(age: float) -> None:
    """Within five minutes, as clocks differ."""
    Signatures((SECRET,)).check(signed(age=age), BODY)


def test_a_secret_that_is_being_changed_is_believed_beside_the_new_one() -> None:
    """Both, for as long as both are configured."""
    for secret in (SECRET, OTHER):
        Signatures((SECRET, OTHER)).check(signed(secret=secret), BODY)


def test_signatures_of_other_kinds_beside_the_right_one_do_no_harm() -> None:
    """The header is a list, and its entries may be of versions that are not known yet."""
    headers = signed()
    right = headers["webhook-signature"]
    for others in ("v2,abc", "v1", "v1a,??", "", "v1,====", "v1,Zm9v"):
        headers["webhook-signature"] = f"{others} {right}"
        Signatures((SECRET,)).check(headers, BODY)


@pytest.mark.parametrize(
    ("changed", "body", "secrets"),
    [
        ({}, BODY + b" ", (SECRET,)),
        ({}, b"\xff\xfe", (SECRET,)),
        ({}, BODY, (OTHER,)),
        ({}, BODY, ()),
        ({"webhook-id": "msg_2"}, BODY, (SECRET,)),
        ({"webhook-id": ""}, BODY, (SECRET,)),
        ({"webhook-timestamp": "1614265330"}, BODY, (SECRET,)),
        ({"webhook-timestamp": "soon"}, BODY, (SECRET,)),
        ({"webhook-timestamp": "nan"}, BODY, (SECRET,)),
        ({"webhook-timestamp": "1e400"}, BODY, (SECRET,)),
        ({"webhook-signature": ""}, BODY, (SECRET,)),
        ({"webhook-signature": "v1"}, BODY, (SECRET,)),
        ({"webhook-signature": "v1,!!!!"}, BODY, (SECRET,)),
        ({"webhook-signature": "v1,Zm9v"}, BODY, (SECRET,)),
        ({"webhook-signature": "v1,é"}, BODY, (SECRET,)),
    ],
)
def test_anything_else_is_refused(
    changed: dict[str, str], body: bytes, secrets: tuple[str, ...]
) -> None:
    """Another body, secret, id or time; a header that is none; too old, or from the future."""
    with pytest.raises(SignatureInvalid):
        Signatures(secrets).check({**signed(), **changed}, body)


@pytest.mark.parametrize("age", [310, -310, 1e6])
def test_what_was_signed_at_another_time_is_refused(age: float) -> None:
    """A webhook that somebody kept, or one of a clock that is far off."""
    with pytest.raises(SignatureInvalid):
        Signatures((SECRET,)).check(signed(age=age), BODY)


def test_no_headers_are_refused() -> None:
    """Not a crash."""
    with pytest.raises(SignatureInvalid):
        Signatures((SECRET,)).check({}, BODY)
