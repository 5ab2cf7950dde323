"""What is read of a webhook, and how many of them reach the store."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.api.httpbody_pb2 import HttpBody
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import SignatureInvalid
from gateway.domain.news import LOG_END, HandedOn, News, read
from gateway.rpc.webhook_service import WebhookService
from mediagen.generator.v1.messages_pb2 import PredictionNews
from mediagen.v1.webhook_service_pb2 import ReceiveReplicateWebhookRequest
from servicekit.validation import InvalidRequest

RUNS = News("p1", "processing")


def body(**more: Any) -> bytes:
    return json.dumps({"id": "p1", "status": "processing", **more}).encode()


def test_a_webhook_says_how_the_prediction_is_and_ends_with_the_log() -> None:
    """All of the log is counted: a shorter one is older."""
    log = "é" * 3000
    assert read(body(logs=log)) == News("p1", "processing", 3000, "é" * LOG_END)


@pytest.mark.parametrize("logs", [None, 7, ["a"], {"a": 1}])
def test_a_log_that_is_no_text_is_none(logs: object) -> None:
    assert read(body(logs=logs)) == RUNS


@pytest.mark.parametrize(
    "nothing", [b"[]", b"{}", b"no json", b'{"id": "../x"}', b'{"id": 7}', b"\xff", b"[" * 99999]
)
def test_what_holds_no_prediction_is_none(nothing: bytes) -> None:
    assert read(nothing) is None


@given(st.text(st.characters(), max_size=2000))
def test_whatever_a_log_holds_can_be_sent_on(logs: str) -> None:
    """Half a surrogate too, which JSON can spell: a message would refuse it."""
    news = read(body(logs=logs, status=logs))
    assert news is not None
    told = PredictionNews(status=news.status, log_length=news.log_length, log_end=news.log_end)
    assert PredictionNews.FromString(told.SerializeToString()) == told
    assert "\x00" not in news.log_end


def test_of_a_run_one_a_second_is_handed_on_and_its_end_always() -> None:
    """Each brings the whole state."""
    handed_on = HandedOn()
    assert not handed_on.just_now("t", RUNS, 100.0)
    handed_on.note("t", RUNS, 100.0)
    assert handed_on.just_now("t", RUNS, 100.5)
    assert not handed_on.just_now("t", RUNS, 101.0)
    for status in ("succeeded", "failed", "canceled", "aborted"):
        assert not handed_on.just_now("t", News("p1", status), 100.1)
    assert not handed_on.just_now("t", News("p2", "processing"), 100.5)
    assert not handed_on.just_now("another", RUNS, 100.5)


def test_the_memory_of_what_was_handed_on_is_bounded() -> None:
    """The oldest goes first."""
    handed_on = HandedOn()
    for number in range(HandedOn.MOST + 1):
        handed_on.note(str(number), RUNS, 100.0)
    assert len(handed_on._at) == HandedOn.MOST
    assert not handed_on.just_now("0", RUNS, 100.0)
    assert handed_on.just_now("1", RUNS, 100.0)


class Calls:
    """The store, and the provider's signature."""

    def __init__(self) -> None:
        self.told: list[tuple[str, News]] = []
        self.signed = True
        self.down = False

    async def record_prediction(self, token: str, news: News) -> None:
        if self.down:
            raise ConnectionError
        self.told.append((token, news))

    def check(self, headers: object, body: bytes) -> None:
        if not self.signed:
            raise SignatureInvalid

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()


async def receive(service: WebhookService, calls: Calls, data: bytes) -> None:
    request = ReceiveReplicateWebhookRequest(token="t", body=HttpBody(data=data))
    await service.ReceiveReplicateWebhook(request, calls)


async def test_one_that_the_store_did_not_take_is_handed_on_again() -> None:
    """The provider hears of it, and repeats the one of the end."""
    calls = Calls()
    service = WebhookService(calls, calls)  # type: ignore[arg-type]
    calls.down = True
    with pytest.raises(ConnectionError):
        await receive(service, calls, body())
    calls.down = False
    await receive(service, calls, body(logs="a"))
    await receive(service, calls, body(logs="ab"))
    await receive(service, calls, body(status="succeeded"))
    await receive(service, calls, body(status="succeeded"))
    assert [news.status for _, news in calls.told] == ["processing", "succeeded", "succeeded"]


async def test_nothing_is_read_of_what_is_not_signed() -> None:
    """Nor said about it."""
    calls = Calls()
    calls.signed = False
    service = WebhookService(calls, calls)  # type: ignore[arg-type]
    for data in (body(), b"no json"):
        with pytest.raises(SignatureInvalid):
            await receive(service, calls, data)
    calls.signed = True
    with pytest.raises(InvalidRequest):
        await receive(service, calls, b"no json")
    assert calls.told == []
