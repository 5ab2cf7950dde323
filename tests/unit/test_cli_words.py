"""What the command line says, and what it understands, without any server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import grpc
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import mediagen
from mediagen import Job, client
from mediagen.cli import documents, exits, options, saving, words
from mediagen.cli.exits import Exit
from mediagen.v1.attempt_pb2 import Attempt
from mediagen.v1.failure_pb2 import FailureReason, RetryAdvice


@given(st.text())
def test_nothing_that_a_server_says_can_steer_a_terminal(text: str) -> None:
    """No control and no format characters are left, joiners of real scripts apart."""
    said = words.plain(text)
    assert len(said) == len(text)
    steering = {each for each in said if unicodedata.category(each) in {"Cc", "Cf", "Cs"}}
    assert steering <= {"\u200c", "\u200d"}


@given(st.dictionaries(st.text(), st.text()))
def test_json_output_is_ascii_and_one_line(document: dict[str, str]) -> None:
    """Every text survives a terminal, a log and a pipe, and reads back as it was."""
    line = documents.dump(document)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == document


def test_a_job_as_json_has_every_field_every_time() -> None:
    """A script may read a field without asking whether it is there; names are the protos'."""
    document = documents.of(Job(job_id="j1", state=Job.STATE_PENDING))
    assert document == {
        "job_id": "j1",
        "state": "STATE_PENDING",
        "stage": "STAGE_UNSPECIFIED",
        "revision": 0,
        "attempts": [],
        "charge": "CHARGE_UNSPECIFIED",
        "artifacts": [],
        "redrive_of": "",
        "redriven_as": "",
        "log_tail": "",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("1.5m", 90)],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """Seconds, or numbers with units."""
    assert options.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "10x", "-5m", "1h 2m", "1e3", "nan", "10m5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """As a usage error that shows examples."""
    with pytest.raises(typer.BadParameter, match="10m"):
        options.parse_duration(text)


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-22T15:00", "2026-11-22T15:00:00Z", "2h"])
def test_a_time_is_read_and_has_a_zone(text: str) -> None:
    """An ISO time here, or an age."""
    assert options.parse_time(text).tzinfo is not None


@pytest.mark.parametrize("text", ["yesterday", "99999999999d", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """As a usage error."""
    with pytest.raises(typer.BadParameter):
        options.parse_time(text)


def a_job(*media_types: str, job_id: str = "j1") -> Job:
    job = Job(job_id=job_id, state=Job.STATE_COMPLETED)
    for index, media_type in enumerate(media_types):
        job.artifacts.add(index=index, media_type=media_type)
    return job


@pytest.mark.parametrize(
    ("job", "target", "names"),
    [
        (a_job("image/webp"), "fox.webp", ["fox.webp"]),
        (a_job("image/webp", "image/webp"), "fox.webp", ["fox-1.webp", "fox-2.webp"]),
        (a_job("image/webp", "video/mp4"), "out/", ["out/j1-0.webp", "out/j1-1.mp4"]),
        (a_job("image/webp", "x/y"), None, ["j1-0.webp", "j1-1.bin"]),
        (a_job("image/webp", job_id="../../etc/x"), None, ["______etc_x-0.webp"]),
        (a_job(), "fox.webp", []),
    ],
)
def test_results_get_names(job: Job, target: str | None, names: list[str]) -> None:
    """One file the given name, several numbered ones, a folder the job's id; never outside it."""
    assert [str(path) for _, path in saving.paths(job, target)] == names


def test_a_target_that_can_not_be_written_is_refused_before_anything_is_paid(
    tmp_path: Path,
) -> None:
    """A folder that is not there; a name below a file."""
    (tmp_path / "file").touch()
    for target in ("none/fox.webp", "file/", "file/fox.webp"):
        with pytest.raises(typer.BadParameter):
            saving.check(f"{tmp_path}/{target}")
    saving.check(f"{tmp_path}/new/folder/")
    assert (tmp_path / "new/folder").is_dir()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (mediagen.InvalidRequest("x"), 2),
        (mediagen.RequestIdReused("x"), 2),
        (mediagen.JobNotFound("x"), 3),
        (mediagen.ArtifactNotFound("x"), 3),
        (mediagen.Unavailable("x"), 4),
        (mediagen.DeadlineExceeded("x"), 4),
        (mediagen.ServerFailed("x", code=grpc.StatusCode.INTERNAL), 4),
    ],
)
def test_a_refusal_has_its_exit_code(error: mediagen.MediagenError, code: int) -> None:
    """Scripts rely on these numbers."""
    assert exits.of_error(error) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [(Job.STATE_COMPLETED, 0), (Job.STATE_FAILED, 1), (Job.STATE_CANCELED, 5)],
)
def test_the_end_of_a_job_has_its_exit_code(state: Job.State.ValueType, code: int) -> None:
    """Scripts rely on these numbers."""
    assert exits.of_job(Job(state=state)) == code


def test_the_documentation_has_every_exit_code() -> None:
    """docs/cli.md shows the table."""
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    assert [code for code in Exit if f"| {code.value} |" not in page] == []


@pytest.mark.parametrize("value", RetryAdvice.values()[1:])
def test_every_advice_has_words(value: int) -> None:
    """A failure always says what can be done, where the server knows."""
    assert words.advice(value)


@pytest.mark.parametrize("value", [*FailureReason.values(), 77])
def test_every_reason_can_be_said(value: int) -> None:
    """Also one that this version does not know."""
    assert words.reason(value)


@pytest.mark.parametrize("state", [*Job.State.values(), 77])
@pytest.mark.parametrize("stage", [*Job.Stage.values(), 77])
def test_every_state_and_stage_can_be_said(state: Any, stage: Any) -> None:
    """Open enums: a newer server may send others."""
    assert words.activity(Job(state=state, stage=stage))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(8.24, "8.2 s"), (-1, "0.0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_duration_is_said(seconds: float, said: str) -> None:
    """Short, with its unit."""
    assert words.duration(seconds) == said


def _python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )


def test_every_name_that_mediagen_offers_is_there_and_has_a_type() -> None:
    """Loaded at its first use; __init__.pyi says the same names to type checkers."""
    typed = (Path(client.__file__).parent / "__init__.pyi").read_text()
    names = re.findall(r"^from .* import (\w+) as \1$", typed, re.MULTILINE)
    assert sorted(names) == sorted(mediagen.__all__)
    assert all(getattr(mediagen, name) is not None for name in names)
    assert not hasattr(mediagen, "Nonsense")


def test_the_messages_alone_load_no_grpc() -> None:
    """Pure code may use the enums of the contracts."""
    done = _python("import sys, mediagen.v1.job_pb2; print('grpc' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


def test_the_client_imports_nothing_of_the_command_line() -> None:
    """A service that only calls us needs neither typer nor rich, nor protovalidate."""
    done = _python(
        "import sys, mediagen; mediagen.Client;"
        "print([n for n in ('typer', 'rich', 'click', 'protovalidate') if n in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_said_with_the_way_to_install_it(missing: str) -> None:
    """One line, no traceback."""
    done = _python(
        f"import sys; sys.modules[{missing!r}] = None; import mediagen.cli; mediagen.cli.main()"
    )
    assert done.returncode == 2
    assert 'pip install "mediagen[cli]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_provider_measured_is_said_in_plain_words() -> None:
    """Times as times, counts as counts; the run's own time stands elsewhere."""
    told = {"predict_time": 3.0, "total_time": 64.0, "image_count": 1.0, "odd_time": -2.0}
    said = words.metrics(Attempt(provider_metrics=told))
    assert said == "image count 1, odd time -2, total time 1 min 4 s"
    assert words.metrics(Attempt()) == ""
