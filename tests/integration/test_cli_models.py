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
    assert picture.split("\t")[1:4] == ["image", "$0.003 a file", "2.5 s"]
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


def test_a_request_can_be_checked_only(service: Service) -> None:
    """Nothing is submitted; what is taken for what was left out is told."""
    done = mediagen("submit", "a fox", "-m", "fake/waits", "--check")
    assert done.exit_code == 0
    assert ("valid" in done.stdout, "ratio" in done.stdout) == (True, True)
    assert service.jobs.history == {}


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
