"""Does a paid job end, whatever letters the provider's answers hold?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest
from google.protobuf.struct_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from generator.adapters.create import Created
from generator.adapters.delivery import Delivery, FileRefused
from generator.adapters.delivery_hosts import DeliveryHosts
from generator.adapters.endpoint import decoded as decoded_answer
from generator.domain import answers
from generator.domain.values import from_value, to_value
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from tests.fakes.generator_bench import FLUX, Rig, generator_rig
from tests.fakes.ledger import FakeAttempt

HALF = "t\ud800t"
texts = st.text(st.characters(exclude_categories=()), max_size=8)
halves = st.lists(st.sampled_from(["\ud800", "\udfff", "\\", "u", "d83d", '"', "\U0001f600", "a"]))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


@given(st.dictionaries(halves.map("".join) | texts, halves.map("".join) | texts, max_size=4))
def test_every_text_of_an_answer_can_be_encoded(given: dict[str, str]) -> None:
    """Names of fields too, and whole letters stay as they were."""

    def whole(text: str) -> str:
        # As JSON joins two halves that stand together.
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in joined)

    read = answers.decoded(json.dumps(given).encode())
    assert read == {whole(key): whole(text) for key, text in given.items()}
    to_value(read).SerializeToString()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rb'"\uD83D\uDE00"', "\U0001f600"),
        (rb'"\ud800\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\\\ud800"', "\\\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd" * 3),
        (b'\xef\xbb\xbf"a"', "a"),
        (b"[" * 400 + rb'"\udfff"' + b"]" * 400, None),
    ],
)
def test_only_half_a_letter_is_replaced(body: bytes, expected: str | None) -> None:
    """Pairs, escaped backslashes and deep nesting are left alone."""
    read = decoded_answer(httpx.Response(200, content=body))
    if expected is None:
        assert "\ufffd" in str(read)
    else:
        assert read == expected


def test_a_refusal_with_half_a_letter_can_be_told() -> None:
    """Its words go into a message to the store."""
    body = json.dumps({"title": HALF, "detail": HALF, "invalid_fields": [
        {"field": f"input.{HALF}", "description": HALF}]}).encode()  # fmt: skip
    told = answers.problem(422, {}, body, datetime.now(UTC))
    assert (told.title, told.detail) == ("t\ufffdt", "t\ufffdt")
    assert told.invalid_fields == (("t\ufffdt", "t\ufffdt"),)


async def test_a_result_with_half_a_letter_is_stored(rig: Rig) -> None:
    """It was paid for; a broken letter is no reason to lose it."""
    rig.sim.set_fault("output_text", HALF)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    await rig.run(job)
    assert job.completed is not None
    assert "t\ufffdt" in str(from_value(job.completed.output))
    assert "ReleaseJob" not in rig.ledger.names()


@pytest.mark.parametrize(
    ("fault", "word", "last"),
    [("output_text", HALF, "CompleteJob"), ("fail", "boom\ud800x", "RecordEnded")],
)
async def test_a_job_past_its_deadline_ends_whatever_its_words(
    rig: Rig, fault: str, word: str, last: str
) -> None:
    """A crash here would hand the job back for ever: nothing but an end stops a paid call."""
    rig.sim.set_fault(fault, word)
    job = rig.ledger.add("j1", FLUX, "a cat", timeout=-1.0)
    job.cancel_requested = True
    job.attempts.append(await ended_attempt(rig))
    await rig.run(job)
    assert rig.ledger.names()[-1] == last
    assert "ReleaseJob" not in rig.ledger.names()


async def ended_attempt(rig: Rig) -> FakeAttempt:
    """A call that was paid for and has run to its end, by a worker that is gone."""
    outcome = await rig.parts.creates.create(
        FLUX, {"prompt": "done before"}, cancel_after=600, send_by=float("inf")
    )
    assert isinstance(outcome, Created)
    identity = outcome.prediction.id
    async with asyncio.timeout(10):
        while not (await rig.parts.provider.prediction(identity)).terminal:
            await asyncio.sleep(0.05)
    return FakeAttempt(1, "t", pb.BeginSubmitRequest(), state="SUBMITTED", prediction_id=identity)


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999/", "mailto:a", "/\x01"])
async def test_an_unusable_redirect_is_refused_at_once(location: str) -> None:
    """Asking again would bring the same; httpx reports it as a broken line."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": location})

    async with Delivery(DeliveryHosts("127.0.0.1"), max_bytes=100, pause=0.01) as delivery:
        delivery._client._transport = httpx.MockTransport(answer)
        delivery._client._mounts = {}
        with pytest.raises(FileRefused):
            async with delivery.open("http://127.0.0.1/x.png"):
                pass
    assert len(asked) == 1


async def test_an_address_that_can_not_be_read_is_refused() -> None:
    async with Delivery(DeliveryHosts("127.0.0.1"), max_bytes=100, pause=0.01) as delivery:
        with pytest.raises(FileRefused):
            async with delivery.open("http://127.0.0.1/\x01"):
                pass


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: [inner]])
def test_an_output_deeper_than_protobuf_reads_is_kept_as_text(
    wrap: Callable[[object], object],
) -> None:
    """It is paid for: 24 levels stay a structure, what lies below becomes its JSON text."""
    output: object = "the picture"
    for _ in range(300):
        output = wrap(output)
    value = to_value(output)
    assert Value.FromString(value.SerializeToString()) == value
    assert b"the picture" in value.SerializeToString()
