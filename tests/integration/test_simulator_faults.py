"""Every fault of the table does what the table says, seen from outside over HTTP."""

import base64
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from simulator.clock import ManualClock
from simulator.fault_kinds import FAILURES, KINDS
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings

MODEL = "black-forest-labs/flux-schnell"
TOKEN = {"authorization": "Bearer r8_test"}


@dataclass(frozen=True, slots=True)
class Bench:
    """A simulator, its clock, and a caller."""

    sim: RunningSimulator
    clock: ManualClock
    http: httpx.AsyncClient

    async def post(self, **more: Any) -> httpx.Response:
        given = {"prompt": "x", "megapixels": "0.25"} | more.pop("input", {})
        body = {"version": MODEL, "input": given} | more
        return await self.http.post("/v1/predictions", json=body)

    async def create(self, **more: Any) -> dict[str, Any]:
        response = await self.post(**more)
        assert response.status_code == 201, response.text
        found: dict[str, Any] = response.json()
        return found

    async def read(self, created: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(created["urls"]["get"])).json()
        return found

    async def finish(self, **more: Any) -> dict[str, Any]:
        created = await self.create(**more)
        await self.clock.advance(20)
        return await self.read(created)

    @property
    def creates(self) -> int:
        count: int = self.sim.ledger()["creates"]
        return count


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = ManualClock()
    async with (
        running_simulator(Settings(seed="faults"), clock) as sim,
        httpx.AsyncClient(base_url=sim.base_url, headers=TOKEN, verify=False) as http,
    ):
        yield Bench(sim, clock, http)


Check = Callable[[Bench], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def shows(*names: str) -> Callable[[Check], Check]:
    """Say which faults a check is about; it sets them itself."""

    def register(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(names, check))
        return check

    return register


@pytest.mark.parametrize("name", [kind.name for kind in KINDS if not kind.name.startswith("webh")])
async def test_a_fault_does_what_its_row_says(bench: Bench, name: str) -> None:
    """A fault without a check fails here (those of webhooks have a file of their own)."""
    await CHECKS[name](bench)


@shows("drop_before_create", "drop_after_create")
async def _dropped_creates(bench: Bench) -> None:
    for name, created in (("drop_before_create", 0), ("drop_after_create", 1)):
        bench.sim.set_fault(name, count=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await bench.post()
        assert bench.creates == created
    assert bench.sim.ledger()["predictions"][0]["answered"] is False
    assert (await bench.post()).status_code == 201


@shows("html_502_before_create", "html_502_after_create")
async def _html_creates(bench: Bench) -> None:
    for name, created in (("html_502_before_create", 0), ("html_502_after_create", 1)):
        bench.sim.set_fault(name, count=1)
        response = await bench.post()
        assert response.status_code == 502
        assert response.headers["content-type"].startswith("text/html")
        assert bench.creates == created


@shows("slow_create")
async def _slow_create(bench: Bench) -> None:
    bench.sim.set_fault("slow_create", 30)
    with pytest.raises(httpx.ReadTimeout):
        await bench.http.post(
            "/v1/predictions",
            json={"version": MODEL, "input": {"prompt": "x"}},
            timeout=0.3,
        )
    assert bench.creates == 1


@shows("full_create_answer")
async def _full_answer(bench: Bench) -> None:
    bench.sim.set_fault("full_create_answer")
    created = await bench.create()
    assert (created["output"], created["data_removed"], created["metrics"]) == (None, False, {})


@shows("drop", "html_502", "500", "402", "401")
async def _any_exchange(bench: Bench) -> None:
    created = await bench.create()
    calls: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "create": bench.post,
        "get": lambda: bench.http.get(created["urls"]["get"]),
        "list": lambda: bench.http.get("/v1/predictions"),
        "cancel": lambda: bench.http.post(created["urls"]["cancel"]),
    }
    for operation, call in calls.items():
        for name, status in (("html_502", 502), ("500", 500), ("402", 402), ("401", 401)):
            bench.sim.set_fault(name, on=operation, count=1)
            assert (await call()).status_code == status
        bench.sim.set_fault("drop", on=operation, count=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await call()
    assert bench.creates == 1
    assert (await bench.read(created))["status"] == "starting"


@shows("429_with_retry_after", "429_plain")
async def _throttled(bench: Bench) -> None:
    bench.sim.set_fault("429_with_retry_after", 7, count=1)
    told = await bench.post()
    assert (told.status_code, told.json()["retry_after"]) == (429, 7)
    assert "resets in ~7s" in told.json()["detail"]
    bench.sim.set_fault("429_plain", count=1)
    plain = await bench.post()
    assert (plain.status_code, list(plain.json())) == (429, ["detail"])
    assert bench.creates == 0


@shows("422_input", "422_version")
async def _refused(bench: Bench) -> None:
    bench.sim.set_fault("422_input", "seed", count=1)
    assert (await bench.post()).json()["invalid_fields"][0]["field"] == "input.seed"
    bench.sim.set_fault("422_version", count=1)
    assert (await bench.post()).json()["title"] == "Invalid version or not permitted"
    assert bench.creates == 0


@shows("low_credit")
async def _low_credit(bench: Bench) -> None:
    bench.sim.set_fault("low_credit")
    assert [(await bench.post()).status_code for _ in range(2)] == [201, 429]
    assert (await bench.post()).json()["retry_after"] == 10
    await bench.clock.advance(10)
    assert [(await bench.post()).status_code for _ in range(2)] == [201, 429]


@shows("queue", "run")
async def _longer(bench: Bench) -> None:
    bench.sim.set_fault("queue", 100)
    bench.sim.set_fault("run", 50)
    created = await bench.create()
    for pause, status in (
        (99, "starting"),
        (2, "processing"),
        (48, "processing"),
        (2, "succeeded"),
    ):
        await bench.clock.advance(pause)
        assert (await bench.read(created))["status"] == status


@shows("starting_forever", "processing_forever")
async def _for_ever(bench: Bench) -> None:
    for name, status in (("starting_forever", "starting"), ("processing_forever", "processing")):
        bench.sim.set_fault(name, count=1)
        created = await bench.create()
        await bench.clock.advance(1e6)
        assert (await bench.read(created))["status"] == status
        canceled = await bench.http.post(created["urls"]["cancel"])
        assert canceled.json()["status"] == "canceled"


@shows("fail")
async def _fails(bench: Bench) -> None:
    for code, (text, started) in FAILURES.items():
        bench.sim.set_fault("fail", code, count=1)
        failed = await bench.finish()
        assert (failed["status"], failed["error"], failed["output"]) == ("failed", text, None)
        assert ("started_at" in failed) == started
        assert bool(failed["logs"]) == started
    bench.sim.set_fault("fail", "words of our own", count=1)
    assert (await bench.finish())["error"] == "words of our own"
    assert bench.sim.ledger()["billed"] == 0


@shows("error_object")
async def _error_object(bench: Bench) -> None:
    bench.sim.set_fault("error_object")
    failed = await bench.finish()
    assert (failed["status"], failed["error"]["type"]) == ("failed", "ModelError")


@shows("canceled_by_platform", "aborted")
async def _ended_by_others(bench: Bench) -> None:
    bench.sim.set_fault("canceled_by_platform", count=1)
    canceled = await bench.finish()
    assert canceled["status"] == "canceled"
    assert "started_at" in canceled
    bench.sim.set_fault("aborted", count=1)
    aborted = await bench.finish()
    assert aborted["status"] == "aborted"
    assert "started_at" not in aborted
    first, second = bench.sim.ledger()["predictions"]
    assert first["billed"] > 0 == second["billed"]


@shows("unknown_status")
async def _unknown_status(bench: Bench) -> None:
    bench.sim.set_fault("unknown_status", "warming")
    created = await bench.create()
    await bench.clock.advance(1.5)
    assert (await bench.read(created))["status"] == "warming"
    await bench.clock.advance(10)
    assert (await bench.read(created))["status"] == "succeeded"


@shows("early_404")
async def _early_404(bench: Bench) -> None:
    bench.sim.set_fault("early_404", 800)
    created = await bench.create()
    assert (await bench.http.get(created["urls"]["get"])).status_code == 404
    await bench.clock.advance(0.9)
    assert (await bench.http.get(created["urls"]["get"])).status_code == 200


@shows("list_lag")
async def _list_lag(bench: Bench) -> None:
    bench.sim.set_fault("list_lag", 15)
    await bench.create()
    seen = []
    for _ in range(2):
        seen.append(len((await bench.http.get("/v1/predictions")).json()["results"]))
        await bench.clock.advance(16)
    assert seen == [0, 1]


@shows("created_at_drift", "fraction_digits", "other_version")
async def _reads_otherwise(bench: Bench) -> None:
    bench.sim.set_fault("created_at_drift", 34)
    bench.sim.set_fault("fraction_digits", 3)
    bench.sim.set_fault("other_version", "dp-1234")
    created = await bench.create()
    later = await bench.read(created)
    assert created["created_at"].endswith(".000Z")
    assert later["created_at"].endswith(".034Z")
    assert created["version"] == later["version"] == "dp-1234"


@shows("sync_processing_with_output")
async def _sync_processing(bench: Bench) -> None:
    bench.sim.set_fault("sync_processing_with_output")
    bench.sim.set_fault("queue", 0)
    bench.sim.set_fault("run", 0)
    response = await bench.http.post(
        "/v1/predictions",
        json={"version": MODEL, "input": {"prompt": "x"}},
        headers={"prefer": "wait=5"},
    )
    body = response.json()
    assert (response.status_code, body["status"]) == (201, "processing")
    assert len(body["output"]) == 1
    assert not {"completed_at", "metrics"} & body.keys()


@shows("data_removal_after")
async def _data_removal(bench: Bench) -> None:
    bench.sim.set_fault("data_removal_after", 5)
    gone = await bench.finish()
    assert (gone["status"], gone["output"], gone["data_removed"]) == ("succeeded", None, True)


SHAPES: dict[str, Callable[[Any], bool]] = {
    "output_string": lambda output: isinstance(output, str),
    "output_list": lambda output: isinstance(output, list) and isinstance(output[0], str),
    "output_nested": lambda output: isinstance(output[0][0], str),
    "output_object": lambda output: output["image"].startswith("http") and "text" in output,
    "output_object_list": lambda output: output[0]["image"].startswith("http"),
    "output_data_uri": lambda output: output[0].startswith("data:image/webp;base64,"),
    "output_fewer": lambda output: len(output) == 1,
    "output_none": lambda output: output is None,
    "output_empty": lambda output: output == [],
    "output_text": lambda output: output == "no picture today",
}


@shows(*SHAPES)
async def _shapes(bench: Bench) -> None:
    for name, fits in SHAPES.items():
        bench.sim.clear_faults()
        bench.sim.set_fault(name)
        done = await bench.finish(input={"num_outputs": 3})
        assert done["status"] == "succeeded"
        assert fits(done["output"]), (name, done["output"])
        if name == "output_data_uri":
            body = base64.b64decode(done["output"][0].partition(",")[2])
            assert Image.open(io.BytesIO(body)).format == "WEBP"


async def _file(bench: Bench) -> str:
    url: str = (await bench.finish())["output"][0]
    return url


@shows("truncated_download")
async def _truncated(bench: Bench) -> None:
    bench.sim.set_fault("truncated_download", 2)
    url = await _file(bench)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await bench.http.get(url)
    assert (await bench.http.get(url)).status_code == 200


@shows("slow_download")
async def _slow_download(bench: Bench) -> None:
    bench.sim.set_fault("slow_download", 1000)
    url = await _file(bench)
    async with bench.http.stream("GET", url, timeout=0.3) as response:
        chunks = response.aiter_raw()
        first = await anext(chunks)
        assert 0 < len(first) < int(response.headers["content-length"])
        with pytest.raises(httpx.ReadTimeout):
            await anext(chunks)


@shows("expired_file")
async def _expired(bench: Bench) -> None:
    for status in (403, 404, 410):
        bench.sim.clear_faults()
        bench.sim.set_fault("expired_file", status)
        assert (await bench.http.get(await _file(bench))).status_code == status


@shows("redirect_foreign_host")
async def _redirect(bench: Bench) -> None:
    bench.sim.set_fault("redirect_foreign_host")
    response = await bench.http.get(await _file(bench))
    assert response.is_redirect
    assert response.headers["location"] == "http://foreign.invalid/x"


@shows("wrong_content_type")
async def _wrong_type(bench: Bench) -> None:
    bench.sim.set_fault("wrong_content_type", "text/html")
    response = await bench.http.get(await _file(bench))
    assert response.headers["content-type"].startswith("text/html")
    assert Image.open(io.BytesIO(response.content)).format == "WEBP"


@shows("huge_file")
async def _huge(bench: Bench) -> None:
    bench.sim.set_fault("huge_file", 3_000_000)
    response = await bench.http.get(await _file(bench))
    assert len(response.content) == 3_000_000
    assert "content-length" not in response.headers


@shows("429_header", "429_date", "429_reset", "429_sentence")
async def _ways_to_throttle(bench: Bench) -> None:
    told = {}
    for name in ("429_header", "429_date", "429_reset", "429_sentence"):
        bench.sim.set_fault(name, "3", count=1)
        response = await bench.post()
        assert (response.status_code, bench.creates) == (429, 0)
        assert "retry_after" not in response.json()
        told[name] = {k: response.headers.get(k) for k in ("retry-after", "ratelimit-reset")}
        told[name]["~3s"] = "~3s" in response.json()["detail"]
    date = told["429_date"].pop("retry-after")
    assert parsedate_to_datetime(str(date)).timestamp() == bench.clock.now() + 3
    assert told == {
        "429_header": {"retry-after": "3", "ratelimit-reset": None, "~3s": False},
        "429_date": {"ratelimit-reset": None, "~3s": False},
        "429_reset": {"retry-after": None, "ratelimit-reset": "3", "~3s": False},
        "429_sentence": {"retry-after": None, "ratelimit-reset": None, "~3s": True},
    }


@shows("status", "redirect")
async def _other_refusals(bench: Bench) -> None:
    bench.sim.set_fault("status", "413", count=1)
    assert (await bench.post()).status_code == 413
    bench.sim.set_fault("redirect", "http://elsewhere.invalid/x", count=1)
    response = await bench.post()
    assert (response.status_code, bench.creates) == (302, 0)
    assert response.headers["location"] == "http://elsewhere.invalid/x"


@shows(
    "cut_answer", "broken_answer", "html_answer", "wrong_answer_type", "no_id_answer",
    "giant_answer", "packed_answer", "drip_answer",
)  # fmt: skip
async def _spoiled_answers(bench: Bench) -> None:
    """On a create, after creating; on a read likewise."""
    created = await bench.create()
    for number, (name, arg) in enumerate(
        [("cut_answer", None), ("html_answer", None), ("no_id_answer", None),
         ("wrong_answer_type", "text/plain"), ("giant_answer", "500000"),
         ("packed_answer", "500000"), ("drip_answer", "0")], start=2
    ):  # fmt: skip
        bench.sim.set_fault(name, arg, count=1)
        response = await bench.post()
        assert (response.status_code, bench.creates) == (201, number)
        readable = name in ("wrong_answer_type", "giant_answer", "packed_answer", "drip_answer")
        try:
            assert ("id" in response.json()) is readable, name
        except ValueError:
            assert name in ("cut_answer", "html_answer")
        assert (len(response.content) > 500_000) is (name in ("giant_answer", "packed_answer"))
        assert bench.sim.ledger()["predictions"][-1]["answered"] is (name == "wrong_answer_type")
    assert response.headers["content-type"] == "application/json"
    bench.sim.set_fault("broken_answer", on="get", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.read(created)
    assert (await bench.read(created))["id"] == created["id"]


@shows("other_id_answer")
async def _other_id(bench: Bench) -> None:
    bench.sim.set_fault("other_id_answer", "another", on="get", count=1)
    created = await bench.create()
    assert (await bench.read(created))["id"] == "another"
    assert (await bench.read(created))["id"] == created["id"]


@shows("foreign_next")
async def _foreign_next(bench: Bench) -> None:
    bench.sim.set_fault("foreign_next", "http://elsewhere.invalid/x", on="list", count=1)
    page = (await bench.http.get("/v1/predictions")).json()
    assert page["next"] == "http://elsewhere.invalid/x"


@shows("output_early", "negative_predict_time", "no_metrics", "output_foreign")
async def _odd_reads(bench: Bench) -> None:
    for name in ("output_early", "negative_predict_time"):
        bench.sim.set_fault(name, count=1)
    bench.sim.set_fault("run", 10, count=1)
    bench.sim.set_fault("queue", 0, count=1)
    created = await bench.create()
    await bench.clock.advance(5)
    half = await bench.read(created)
    assert (half["status"], len(half["output"])) == ("processing", 1)
    await bench.clock.advance(6)
    assert (await bench.read(created))["metrics"]["predict_time"] == -10
    bench.sim.set_fault("no_metrics", count=1)
    bench.sim.set_fault("output_foreign", "http://elsewhere.invalid", count=1)
    done = await bench.finish()
    assert (done["status"], "metrics" in done) == ("succeeded", False)
    assert done["output"] == ["http://elsewhere.invalid/out-0.webp"]


@shows("output_deep", "output_many", "long_error", "long_log")
async def _too_much(bench: Bench) -> None:
    bench.sim.set_fault("output_deep", 3, count=1)
    assert len((await bench.finish())["output"][0][0][0]) == 1
    bench.sim.set_fault("output_many", 30, count=1)
    bench.sim.set_fault("long_log", 5000, count=1)
    many = await bench.finish()
    assert (len(many["output"]), len(set(many["output"]))) == (30, 1)
    assert many["logs"].count("\n") >= 5000
    bench.sim.set_fault("long_error", 5000, count=1)
    assert len((await bench.finish())["error"]) == 5000


@shows("late_file", "failing_file")
async def _files_in_trouble(bench: Bench) -> None:
    for name, status in (("late_file", 404), ("failing_file", 503)):
        bench.sim.set_fault(name, 2, count=1)
        url = (await bench.finish())["output"][0]
        statuses = [(await bench.http.get(url)).status_code for _ in range(3)]
        assert statuses == [status, status, 200]


@shows("hostile_schema", "hostile_cover", "short_upload")
async def _models_and_uploads(bench: Bench) -> None:
    bench.sim.set_fault("hostile_schema", "number", on="model", match="flux", count=1)
    bench.sim.set_fault("hostile_cover", "svg", on="model", match="sdxl", count=1)
    told = (await bench.http.get(f"/v1/models/{MODEL}")).json()
    assert told["latest_version"]["openapi_schema"] == 42
    told = (await bench.http.get("/v1/models/stability-ai/sdxl")).json()
    assert told["cover_image_url"].endswith("/delivery/mgxm/stability-ai/sdxl/svg")
    bench.sim.set_fault("short_upload", 10, on="upload", count=1)
    kept = (await bench.http.post("/v1/files", files={"content": ("a", b"x", "text/plain")})).json()
    assert (await bench.http.get(kept["urls"]["get"])).status_code == 200
    await bench.clock.advance(11)
    assert (await bench.http.get(kept["urls"]["get"])).status_code == 404


async def test_faults_can_be_set_read_and_cleared_over_http(bench: Bench) -> None:
    """PUT replaces, POST adds, GET shows what was taken, DELETE clears."""
    control = "/_simulator/faults"
    await bench.http.put(control, json=[{"name": "500", "count": 1}, {"name": "402", "on": "get"}])
    await bench.http.post(control, json={"name": "fail", "match": "unlucky"})
    assert (await bench.post()).status_code == 500
    shown = (await bench.http.get(control)).json()
    assert [rule["name"] for rule in shown["active"]] == ["500", "402", "fail"]
    assert shown["active"][0]["taken"] == 1
    assert len(shown["kinds"]) == len(KINDS)
    for wrong in (
        b"{",
        json.dumps({"name": "nonsense"}).encode(),
        b"[3]",
        b'{"name": "500", "count": "x"}',
    ):
        assert (await bench.http.put(control, content=wrong)).status_code == 422
    assert len((await bench.http.get(control)).json()["active"]) == 3
    assert (await bench.http.delete(control)).status_code == 204
    assert (await bench.post()).status_code == 201


async def test_clearing_a_fault_does_not_heal_what_it_befell(bench: Bench) -> None:
    """A prediction keeps the faults it was created with: tests stay deterministic."""
    bench.sim.set_fault("fail", "E9828")
    created = await bench.create()
    bench.sim.clear_faults()
    await bench.clock.advance(20)
    assert (await bench.read(created))["status"] == "failed"
