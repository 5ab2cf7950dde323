"""The client over a real connection, against a service in memory."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

import mediagen
from mediagen import Backoff, Client, Job
from tests.fakes.generation import PICTURES, FakeGeneration, served
from tests.fakes.refusing import refusal

FAST = Backoff(first=0.01, longest=0.05)
PICTURE = PICTURES["fake/picture"][0]


@pytest.fixture
def fake() -> FakeGeneration:
    return FakeGeneration(step_seconds=0.005)


@pytest.fixture
async def client(fake: FakeGeneration) -> AsyncIterator[Client]:
    async with served(fake) as address, Client(address, backoff=FAST) as opened:
        yield opened


async def test_a_job_is_submitted_followed_and_kept(client: Client, tmp_path: Path) -> None:
    """The whole road of a caller."""
    job = await client.submit("a fox", model="fake/picture", input={"seed": 4}, labels={"k": "v"})
    job = await client.wait(job.job_id)
    assert job.state == Job.STATE_COMPLETED
    assert (job.request.prompt, job.request.labels["k"]) == ("a fox", "v")
    artifact = await client.download(job.job_id, to=tmp_path / "fox.webp")
    assert (tmp_path / "fox.webp").read_bytes() == PICTURE
    assert artifact.sha256 == hashlib.sha256(PICTURE).hexdigest()


async def test_a_submission_whose_answer_is_lost_is_stored_once(
    client: Client, fake: FakeGeneration
) -> None:
    """The client's own retries carry one request_id."""
    fake.answers_lost = 3
    job = await client.submit("a fox", model="fake/picture")
    assert list(fake.history) == [job.job_id]
    assert fake.calls == 4


async def test_retries_are_bounded(client: Client, fake: FakeGeneration) -> None:
    """Four more tries, then the error."""
    fake.refusals.extend([refusal(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")] * 9)
    with pytest.raises(mediagen.Unavailable) as caught:
        await client.get("j1")
    assert (fake.calls, caught.value.reason) == (5, "UNAVAILABLE")


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (grpc.StatusCode.INTERNAL, "INTERNAL", mediagen.ServerFailed),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_REQUESTS", mediagen.TooManyRequests),
        (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", mediagen.JobNotFound),
    ],
)
async def test_what_another_try_would_not_change_is_raised_at_once(
    client: Client,
    fake: FakeGeneration,
    code: grpc.StatusCode,
    reason: str,
    kind: type[mediagen.MediagenError],
) -> None:
    """Only UNAVAILABLE, or a refusal that says when to come back, is tried again."""
    fake.refusals.append(refusal(code, reason))
    with pytest.raises(kind):
        await client.submit("a fox", model="fake/picture")
    assert fake.calls == 1


async def test_a_server_that_is_not_there_is_unavailable_within_the_timeout() -> None:
    """One deadline for a call with all its retries."""
    async with Client("127.0.0.1:1", timeout=0.3) as client:
        started = asyncio.get_running_loop().time()
        with pytest.raises((mediagen.Unavailable, mediagen.DeadlineExceeded)):
            await client.get("j1")
        assert asyncio.get_running_loop().time() - started < 1.0


async def test_every_violation_of_a_refused_request_arrives(client: Client) -> None:
    """All at once, as the server tells them."""
    with pytest.raises(mediagen.InvalidRequest) as caught:
        await client.submit("a fox", model="fake/refused")
    assert [each.field for each in caught.value.violations] == ["model", "timeout"]


async def test_a_request_id_with_another_request_is_refused(client: Client) -> None:
    """The error names the earlier job."""
    first = await client.submit("a fox", model="fake/picture", request_id="r1")
    assert (await client.submit("a fox", model="fake/picture", request_id="r1")) is not None
    with pytest.raises(mediagen.RequestIdReused) as caught:
        await client.submit("a hare", model="fake/picture", request_id="r1")
    assert caught.value.metadata == {"request_id": "r1", "job_id": first.job_id}


CODES = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.OK,
]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("after_messages", range(9))
async def test_a_watch_cut_anywhere_shows_every_revision_once(
    client: Client, fake: FakeGeneration, after_messages: int, code: grpc.StatusCode
) -> None:
    """In order, whole, and from where the last stream ended."""
    fake.cuts.append((after_messages, code))
    job = await client.submit("a fox", model="fake/picture")
    seen = [each async for each in client.watch(job.job_id)]
    revisions = [each.revision for each in seen]
    assert revisions == list(range(revisions[0], 9))
    assert all(each.request.prompt == "a fox" for each in seen)


async def test_a_watch_survives_a_server_that_restarts(fake: FakeGeneration) -> None:
    """The same address comes back a moment later."""
    fake.step_seconds = 0.1
    async with served(fake) as address:
        client = Client(address, backoff=FAST)
        job = await client.submit("a fox", model="fake/picture")
        watch = client.watch(job.job_id)
        revisions = [(await anext(watch)).revision]
    lost = list[mediagen.MediagenError]()
    async with client, served(fake, int(address.rpartition(":")[2])):
        follow = client.watch(job.job_id, revisions[0], on_reconnect=lost.append)
        revisions += [each.revision async for each in follow]
        await watch.aclose()
    assert revisions == list(range(revisions[0], 9))


async def test_a_connection_without_a_sign_of_life_is_replaced(fake: FakeGeneration) -> None:
    """No heartbeat for too long: the connection is dead, though nothing said so."""
    fake.heartbeat_seconds = 60
    async with served(fake) as address, Client(address, backoff=FAST, silence=0.2) as client:
        job = await client.submit("a fox", model="fake/waits")
        lost = list[mediagen.MediagenError]()
        watch = client.watch(job.job_id, on_reconnect=lost.append)
        assert (await anext(watch)).revision == 1
        asyncio.get_running_loop().call_later(
            0.3, lambda: asyncio.ensure_future(fake.revise(job.job_id, state=Job.STATE_RUNNING))
        )
        assert (await anext(watch)).revision == 2
        assert lost
        await watch.aclose()


async def test_heartbeats_keep_a_quiet_watch_alive(fake: FakeGeneration) -> None:
    """They are signs of life, and no revisions."""
    fake.heartbeat_seconds = 0.05
    async with served(fake) as address, Client(address, silence=0.3) as client:
        job = await client.submit("a fox", model="fake/waits")
        lost = list[mediagen.MediagenError]()
        watch = client.watch(job.job_id, on_reconnect=lost.append)
        assert (await anext(watch)).revision == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watch), 0.6)
        assert (lost, len(fake.watches)) == ([], 1)


async def test_a_gap_is_told_before_the_job_that_follows(
    client: Client, fake: FakeGeneration
) -> None:
    """Revisions too old to be sent are named, never left out in silence."""
    job = await client.submit("a fox", model="fake/picture")
    last = (await client.wait(job.job_id)).revision
    fake.gone_before = last
    gaps = list[mediagen.Gap]()
    seen = [each.revision async for each in client.watch(job.job_id, 2, on_gap=gaps.append)]
    assert (gaps, seen) == ([mediagen.Gap(3, last - 1)], [last])


async def test_a_revision_ahead_of_the_job_is_a_gap_and_a_snapshot(client: Client) -> None:
    """It was seen before the service was restored to an earlier moment."""
    job = await client.submit("a fox", model="fake/waits")
    gaps = list[mediagen.Gap]()
    first = await anext(client.watch(job.job_id, 99, on_gap=gaps.append))
    assert (gaps, first.revision) == ([mediagen.Gap(first.revision + 1, 99)], first.revision)


async def test_wait_gives_up_after_its_timeout_and_the_job_goes_on(client: Client) -> None:
    """TimeoutError, as asyncio has it."""
    job = await client.submit("a fox", model="fake/waits")
    with pytest.raises(TimeoutError):
        await client.wait(job.job_id, timeout=0.1)
    assert (await client.get(job.job_id)).state == Job.STATE_PENDING


async def test_a_job_is_canceled_and_the_watch_ends(client: Client) -> None:
    """Cancelling twice changes nothing."""
    job = await client.submit("a fox", model="fake/waits")
    assert (await client.cancel(job.job_id)).state == Job.STATE_CANCELED
    assert (await client.cancel(job.job_id)).revision == 2
    assert (await client.wait(job.job_id)).charge == mediagen.Charge.CHARGE_NO


async def test_a_list_goes_on_over_pages(client: Client) -> None:
    """Newest first, every job once, with the same filters on every page."""
    jobs = [
        await client.submit(f"fox {n}", model="fake/waits", labels={"n": "x"}) for n in range(7)
    ]
    await client.submit("a hare", model="fake/waits")
    found = client.list(page_size=3, labels={"n": "x"}, states=["pending"], prompt_contains="FOX")
    assert [each.job_id async for each in found] == [each.job_id for each in reversed(jobs)]
    page = await client.list_page(page_size=5)
    assert (len(page.jobs), page.next_page_token != "") == (5, True)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("after_messages", range(3))
async def test_a_download_cut_anywhere_starts_over(
    client: Client, fake: FakeGeneration, tmp_path: Path, after_messages: int, code: grpc.StatusCode
) -> None:
    """A cut that looks like a good end is noticed by length and SHA-256."""
    job = await client.wait((await client.submit("a fox", model="fake/picture")).job_id)
    fake.cuts.append((after_messages, code))
    await client.download(job.job_id, to=str(tmp_path / "fox.webp"))
    assert (tmp_path / "fox.webp").read_bytes() == PICTURE


async def test_a_download_that_fails_leaves_the_old_file_and_no_part(
    client: Client, fake: FakeGeneration, tmp_path: Path
) -> None:
    """The name changes hands only when every byte is right."""
    job = await client.wait((await client.submit("a fox", model="fake/picture")).job_id)
    (tmp_path / "fox.webp").write_bytes(b"old")
    fake.cuts.extend([(1, grpc.StatusCode.OK)] * 9)
    with pytest.raises(mediagen.DownloadBroken):
        await client.download(job.job_id, to=tmp_path / "fox.webp")
    assert os.listdir(tmp_path) == ["fox.webp"]
    assert (tmp_path / "fox.webp").read_bytes() == b"old"


async def test_a_download_of_other_bytes_is_refused(
    client: Client, fake: FakeGeneration, tmp_path: Path
) -> None:
    """Same length, another SHA-256: not what the job says it stored."""
    job = await client.wait((await client.submit("a fox", model="fake/picture")).job_id)
    fake.history[job.job_id][-1].artifacts[0].sha256 = "0" * 64
    with pytest.raises(mediagen.DownloadBroken):
        await client.download(job.job_id, to=tmp_path / "fox.webp")
    assert os.listdir(tmp_path) == []


async def test_a_download_may_go_to_an_open_file(client: Client) -> None:
    """For callers who keep it elsewhere."""
    job = await client.wait((await client.submit("two", model="fake/two-pictures")).job_id)
    memory = io.BytesIO()
    assert (await client.download(job.job_id, 1, to=memory)).index == 1
    assert memory.getvalue() == b"another"


async def test_a_downloaded_file_has_the_usual_permissions(client: Client, tmp_path: Path) -> None:
    """Not the private ones of a temporary file."""
    job = await client.wait((await client.submit("two", model="fake/two-pictures")).job_id)
    await client.download(job.job_id, to=tmp_path / "one")
    (tmp_path / "usual").touch()
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("one", "usual")}
    assert len(modes) == 1


async def test_an_artifact_that_is_not_there_is_not_found(client: Client, tmp_path: Path) -> None:
    """The error says what there is."""
    job = await client.submit("a fox", model="fake/waits")
    with pytest.raises(mediagen.ArtifactNotFound, match="pending"):
        await client.download(job.job_id, 0, to=tmp_path / "fox.webp")


async def test_health_tells_each_part(client: Client) -> None:
    """SERVING or NOT_SERVING, and what is worth knowing."""
    health = await client.health()
    assert health.status == "SERVING"
    assert [part.name for part in health.components] == ["gateway", "workers"]


async def test_an_api_key_is_sent_with_every_call(fake: FakeGeneration) -> None:
    """As a bearer token in the metadata."""
    async with (
        served(fake) as address,
        Client(address, api_key="k1") as client,  # pragma: allowlist secret
    ):
        job = await client.submit("a fox", model="fake/picture")
        await client.wait(job.job_id)
    assert {each.get("authorization") for each in fake.metadata} == {"Bearer k1"}
    assert "mediagen-python/" in fake.metadata[0]["user-agent"]
