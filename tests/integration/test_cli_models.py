"""`mediagen models`, `upload` and typed inputs as a person or a script has them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from typer.testing import CliRunner, Result

from mediagen.cli.app import app
from tests.fakes.catalogue import FakeCatalogue
from tests.fakes.generation import FakeGeneration, served
from tests.fakes.operating import FakeOperator
from tests.fakes.refusing import refusal


class Service:
    """The fakes, served by a loop of their own."""

    def __init__(self) -> None:
        self.jobs = FakeGeneration(step_seconds=0.005)
        self.models, self.operator = FakeCatalogue(), FakeOperator()
        self._loop = asyncio.new_event_loop()
        self._stop, self._ready = asyncio.Event(), threading.Event()
        self.address = ""
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    def __enter__(self) -> Service:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Something that happens at the service in a while."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, what)

    async def _serve(self) -> None:
        async with served(self.jobs, models=self.models, operator=self.operator) as self.address:
            self._ready.set()
            await self._stop.wait()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.chdir(tmp_path)
    with Service() as running:
        monkeypatch.setenv("MEDIAGEN_SERVER", running.address)
        yield running


def mediagen(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, prog_name="mediagen")


def document(*arguments: str) -> Any:
    done = mediagen(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_models_are_listed(service: Service) -> None:
    """A table; names alone with --quiet; a line of JSON for each with --json."""
    lines = mediagen("models").stdout.splitlines()
    assert lines[0].split("\t") == ["model", "makes", "price", "takes", "description"]
    picture = next(line for line in lines if line.startswith("fake/picture"))
    assert picture.split("\t")[1:4] == ["image", "$0.003/file", "2.5 s"]
    assert "\x1b" not in "".join(lines)
    assert mediagen("models", "--makes", "video", "-q").stdout == "fake/film\n"
    assert mediagen("models", "-s", "NEVER begins", "-q").stdout == "fake/waits\n"
    assert document("models", "--makes", "video")["output_kind"] == "OUTPUT_KIND_VIDEO"


def test_a_model_is_shown_with_its_inputs(service: Service) -> None:
    """In the order of a form, with types, defaults and what is allowed."""
    told = mediagen("models", "show", "fake/picture").stdout
    rows = [line.split("\t") for line in told.splitlines() if "\t" in line]
    assert [row[0] for row in rows[:4]] == ["input", "prompt*", "ratio", "megapixels"]
    by_name = {row[0]: row[1:4] for row in rows}
    assert by_name["ratio"] == ["text", "1:1", "1:1, 16:9"]
    assert by_name["seed"] == ["integer", "", "0 to 9999"]
    assert by_name["images"] == ["files", "", "at most 3 of them"]
    assert by_name["token"] == ["text", "", "secret"]
    assert document("models", "show", "fake/picture")["input_schema"]["type"] == "object"
    unknown = mediagen("models", "show", "no/body")
    assert unknown.exit_code == 3


def test_a_sync_waits_until_every_model_was_read(service: Service) -> None:
    """Their names are printed as they are read."""
    service.operator.synced = lambda: service.later(0.5, service.models.sync)
    done = mediagen("models", "sync")
    assert (done.exit_code, sorted(done.stdout.split())) == (
        0,
        ["fake/film", "fake/picture", "fake/waits"],
    )


def test_a_sync_says_what_was_not_read(service: Service) -> None:
    """6 while a worker goes on trying, 3 for a name that means nothing."""
    late = mediagen("models", "sync", "fake/film", "--max-wait", "1s")
    assert late.exit_code == 6
    assert "fake/film: not read so far" in late.stderr
    service.operator.synced = service.models.sync
    unknown = mediagen("models", "sync", "fake/film", "no/body")
    assert (unknown.exit_code, unknown.stdout) == (3, "fake/film\n")
    assert "no/body: no model of that name is allowed" in unknown.stderr


def test_inputs_are_typed_by_the_models_schema(service: Service) -> None:
    """megapixels is a text that looks like a number."""
    typed = ["-i", "megapixels=1", "-i", "seed=4", "-i", "raw=True", "-i", "ratio=16:9"]
    job = document("submit", "a fox", "-m", "fake/waits", *typed)
    assert job["request"]["input"] == {"megapixels": "1", "seed": 4.0, "raw": True, "ratio": "16:9"}


def test_inputs_of_a_model_that_is_not_told_are_json_or_text(service: Service) -> None:
    """What is wrong with the model is said where the job is submitted."""
    service.models.models.clear()
    job = document("submit", "a fox", "-m", "fake/waits", "-i", "seed=4", "-i", "ratio=16:9")
    assert job["request"]["input"] == {"seed": 4.0, "ratio": "16:9"}


def test_files_are_uploaded_and_used(service: Service, tmp_path: Path) -> None:
    """One where one is wanted, a list where a list is."""
    (tmp_path / "photo.png").write_bytes(b"a photo")
    typed = ["-i", "image=@photo.png", "-i", "images=@photo.png"]
    given = document("submit", "a fox", "-m", "fake/waits", *typed)["request"]["input"]
    one, other = [f"upload:{each}" for each in service.models.uploads]
    assert given == {"image": one, "images": [other]}
    missing = mediagen("submit", "a fox", "-m", "fake/waits", "-i", "image=@nothing.png")
    assert missing.exit_code == 2
    assert "no file 'nothing.png'" in " ".join(missing.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["submit", "generate"])
def test_a_request_can_be_checked_only(service: Service, command: str) -> None:
    """Nothing is submitted; it is told as it would be, with what is taken for what was left out."""
    done = mediagen(command, "a fox", "-m", "fake/waits", "-i", "seed=4", "--check")
    assert done.exit_code == 0
    for told in ("valid", "a fox", "seed: 4 ", "ratio"):
        assert told in done.stdout
    assert service.jobs.history == {}
    assert json.loads(mediagen(command, "x", "-m", "a/b", "--check", "--json").stdout)


def refused(service: Service, field: str, rule: str = "") -> None:
    """The next submission breaks a rule."""
    bad = BadRequest()
    bad.field_violations.add(field=field, description="is wrong", reason=rule)
    service.jobs.refusals.append(refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", bad))


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("picture", "is wrong; did you mean fake/picture?"),
        ("pictur:v1", "is wrong; did you mean fake/picture:v1?"),
        ("zebra", "is wrong; see mediagen models"),
    ],
)
def test_a_model_without_its_owner_is_suggested(service: Service, model: str, hint: str) -> None:
    """And not assumed: a run is paid for."""
    refused(service, "model")
    done = mediagen("generate", "a fox", "-m", model)
    assert (done.exit_code, hint in done.stderr) == (2, True), done.stderr


def test_a_file_that_was_meant_as_one_is_suggested(service: Service, tmp_path: Path) -> None:
    """Who forgot the @ is told so; who names no file of this machine, how one is given."""
    (tmp_path / "photo.png").write_bytes(b"a photo")
    refused(service, "input.image", "FORMAT")
    done = mediagen("submit", "a fox", "-m", "fake/waits", "-i", "image=photo.png")
    assert "input.image  is wrong; did you mean image=@photo.png?" in done.stderr
    refused(service, "input.images[0]", "FORMAT")
    done = mediagen("submit", "a fox", "-m", "fake/waits", "-i", "images=nothing.png")
    assert "is wrong; images=@FILE uploads a file of this machine" in done.stderr
    refused(service, "input.ratio", "ENUM")
    done = mediagen("submit", "a fox", "-m", "fake/waits", "-i", "ratio=7:1", "--json")
    assert json.loads(done.stderr)["error"]["violations"][0]["description"] == "is wrong"


def test_a_secret_is_read_from_a_file_or_a_pipe(service: Service, tmp_path: Path) -> None:
    """So that it stands in no list of processes; it is not uploaded."""
    (tmp_path / "key.txt").write_text("hunter2\n")
    job = document("submit", "a fox", "-m", "fake/waits", "-i", "token=@key.txt")
    assert job["request"]["input"] == {"token": "hunter2"}
    done = mediagen("submit", "x", "-m", "fake/waits", "-i", "token=@-", "--json", stdin=b"x\r\n")
    assert json.loads(done.stdout)["request"]["input"] == {"token": "x"}
    assert service.models.uploads == {}
    done = mediagen("submit", "a fox", "-m", "fake/waits", "-i", "image=@-")
    assert (done.exit_code, "only a secret input" in done.stderr) == (2, True)


def test_a_job_is_shown_in_the_order_of_its_form(service: Service) -> None:
    """Whole numbers as they were written; nothing of a secret."""
    typed = ["-i", "seed=4", "-i", "raw=true", "-i", "ratio=16:9", "-i", "token=hunter2"]
    job_id = document("submit", "a fox", "-m", "fake/waits", *typed)["job_id"]
    for job in service.jobs.history[job_id]:
        job.request.secret_inputs.append("token")
    shown = mediagen("status", job_id).stdout
    told = [line.split("input", 1)[1].strip() for line in shown.splitlines() if "input " in line]
    assert told == ["ratio: 16:9", "seed: 4", "raw: true", "token: hidden"]


def test_violations_are_told_one_a_line_with_their_field(service: Service) -> None:
    """In columns, as the server says them."""
    bad = BadRequest()
    bad.field_violations.add(field="input.ratio", description="must be one of 1:1, 16:9")
    bad.field_violations.add(field="input.colour", description="is not an input of fake/waits")
    code = grpc.StatusCode.INVALID_ARGUMENT
    service.jobs.refusals.append(refusal(code, "INVALID_REQUEST", bad))
    done = mediagen("submit", "a fox", "-m", "fake/waits", "--check")
    assert done.exit_code == 2
    assert "  input.ratio   must be one of 1:1, 16:9\n" in done.stderr
    assert "  input.colour  is not an input of fake/waits\n" in done.stderr


def test_a_file_is_uploaded_by_itself(service: Service, tmp_path: Path) -> None:
    """The reference alone for a script; from standard input too."""
    (tmp_path / "photo.png").write_bytes(b"a photo")
    done = mediagen("upload", "photo.png")
    [(upload_id, (kept, data))] = service.models.uploads.items()
    assert (done.stdout.strip(), data) == (f"upload:{upload_id}", b"a photo")
    assert kept.file_name == "photo.png"
    done = mediagen("upload", "-", "--name", "a.bin", stdin=b"from a pipe")
    assert list(service.models.uploads.values())[-1][1] == b"from a pipe"
    assert mediagen("upload", "no-such-file").exit_code == 2
    service.models.refusals.append(
        refusal(grpc.StatusCode.INVALID_ARGUMENT, "UPLOAD_REFUSED", limit="5")
    )
    assert mediagen("upload", "photo.png").exit_code == 2
