"""The command line as a person or a script has it, against a service in memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mediagen import Client, Job
from mediagen.cli.app import app
from tests.fakes.generation import PICTURES
from tests.integration.terminal import Terminal

MEDIAGEN = [sys.executable, "-m", "mediagen.cli"]
UNREACHABLE = "127.0.0.1:1"


@contextmanager
def fake_server(step_seconds: float) -> Iterator[str]:
    """A FakeGeneration in a process of its own; it ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.generation", str(step_seconds)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with fake_server(0.005) as address:
        yield address


@pytest.fixture(scope="module")
def slow_server() -> Iterator[str]:
    with fake_server(0.25) as address:
        yield address


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDIAGEN_SERVER", server)
    monkeypatch.delenv("MEDIAGEN_API_KEY", raising=False)


def mediagen(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, prog_name="mediagen")


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def submitted(model: str, *options: str) -> str:
    return str(
        document(mediagen("submit", "a fox", "--model", model, "--json", *options))["job_id"]
    )


def test_a_picture_is_made_and_saved(tmp_path: Path) -> None:
    """In a pipe the path alone on standard output; progress, size and charge on standard error."""
    done = mediagen("generate", "a fox", "--model", "fake/picture", "--watch", "-o", "fox.webp")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "fox.webp").read_bytes() == PICTURES["fake/picture"][0]
    assert done.stdout == "fox.webp\n"
    for told in ("completed in", "175.8 KiB", "sha256 ef0eca3a6893", "charged: yes"):
        assert done.stderr.count(told) == 1
    assert "log:" not in done.stderr


def test_several_pictures_get_numbers(tmp_path: Path) -> None:
    """-o implies watching; the name gets -1, -2."""
    done = mediagen("generate", "two", "-m", "fake/two-pictures", "-o", "fox.webp", "--json")
    files = document(done)["files"]
    assert [each["path"] for each in files] == ["fox-1.webp", "fox-2.webp"]
    assert (tmp_path / "fox-2.webp").read_bytes() == b"another"


def test_the_request_is_what_was_typed() -> None:
    """Inputs as JSON or text, labels, priority, timeout and request id."""
    typed = ["--input", "seed=4", "-i", "ratio=16:9", "--input-json", '{"seed": 1, "n": [1]}']
    typed += ["--label", "team=design", "--priority", "high", "--timeout", "10m"]
    done = mediagen(
        "submit", "-", "-m", "fake/waits", *typed, "--request-id", "r1", "--json", stdin="é\n"
    )
    request = document(done)["request"]
    assert request == {
        "model": "fake/waits",
        "prompt": "é",
        "input": {"seed": 4, "ratio": "16:9", "n": [1]},
        "labels": {"team": "design"},
        "priority": "PRIORITY_HIGH",
        "timeout": "600s",
        "request_id": "r1",
        "model_version": "",
        "input_files": [],
        "title": "",
        "secret_inputs": [],
    }


@pytest.mark.parametrize("command", ["submit", "generate"])
def test_a_webhook_goes_with_the_request(command: str) -> None:
    """The URL alone stands for the ends of the job; events without a URL are a mistake."""
    url = "https://hooks.example.com/a"
    base = (command, "a fox", "-m", "fake/waits", "--json")
    job = document(mediagen(*base, "--webhook", url))
    job = job.get("job", job)
    assert job["request"]["webhook"] == {"url": url, "events": []}
    job = document(mediagen(*base, "--webhook", url, "--webhook-event", "job.started"))
    job = job.get("job", job)
    assert job["request"]["webhook"] == {"url": url, "events": ["job.started"]}
    refused = mediagen(*base, "--webhook-event", "job.started")
    assert refused.exit_code == 2
    assert "no --webhook says where" in " ".join(refused.stderr.replace("│", " ").split())


def test_submit_prints_the_id_alone_on_standard_output() -> None:
    """So that `id=$(mediagen submit …)` works."""
    done = mediagen("submit", "a fox", "-m", "fake/waits")
    job_id = done.stdout.strip()
    assert f"mediagen watch {job_id}" in done.stderr
    assert document(mediagen("status", job_id, "--json"))["job_id"] == job_id


@pytest.mark.parametrize("command", ["generate", "submit"])
def test_the_same_request_id_makes_no_second_job(command: str) -> None:
    """Another prompt with it is refused, and the earlier job named."""
    first = submitted("fake/waits", "--request-id", f"once-{command}")
    again = submitted("fake/waits", "--request-id", f"once-{command}")
    assert first == again
    refused = mediagen(command, "a hare", "-m", "fake/waits", "--request-id", f"once-{command}")
    assert refused.exit_code == 2
    assert first in refused.stderr


def test_a_failure_says_what_happened_what_it_cost_and_what_to_do() -> None:
    """Exit code 1."""
    done = mediagen("generate", "a fox", "-m", "fake/fails", "--watch")
    assert done.exit_code == 1
    for told in (
        "model failed",
        "The model ended with an error.",
        "aspect_ratio: must be one of 1:1, 16:9",
        "charged: yes",
        "what to do: Change the request",
    ):
        assert told in done.stderr
    assert done.stdout == ""


def test_a_refused_request_tells_every_violation() -> None:
    """One block, exit code 2, no traceback."""
    done = mediagen("submit", "a fox", "-m", "fake/refused")
    assert done.exit_code == 2
    assert "must be owner/name" in done.stderr
    assert "must be at least 10 s" in done.stderr
    assert "Traceback" not in done.output


def test_a_refused_request_as_json() -> None:
    """On standard error, so that standard output holds results only."""
    done = mediagen("submit", "a fox", "-m", "fake/refused", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.exit_code, done.stdout, error["reason"]) == (2, "", "INVALID_REQUEST")
    assert [each["field"] for each in error["violations"]] == ["model", "timeout"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit", "a fox"],
        ["submit", "a fox", "-m", "fake/waits", "--timeout", "soon"],
        ["submit", "a fox", "-m", "fake/waits", "--input", "seed"],
        ["submit", "a fox", "-m", "fake/waits", "--input", "seed=1", "--input", "seed=2"],
        ["submit", "a fox", "-m", "fake/waits", "--input", f"seed={2**53 + 1}"],
        ["submit", "a fox", "-m", "fake/waits", "--input-json", "[]"],
        ["submit", "-", "-m", "fake/waits", "--input", "key=@-"],
        ["submit", "a fox", "-m", "fake/waits", "--input", "key=@-", "--input", "other=@-"],
        ["submit", "a fox", "-m", "fake/waits", "--priority", "urgent"],
        ["submit", "\udcff", "-m", "fake/waits"],
        ["generate", "a fox", "-m", "fake/waits", "-o", "no/such/folder/fox.webp"],
        ["list", "--state", "lost"],
        ["watch"],
        ["nonsense"],
    ],
)
def test_what_was_typed_wrong_is_a_usage_error(arguments: list[str]) -> None:
    """Exit code 2, before anything is sent."""
    done = mediagen(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("command", ["status", "watch", "cancel", "download"])
def test_an_unknown_job_is_exit_code_3(command: str) -> None:
    """Whichever command asks for it."""
    done = mediagen(command, "no-such-job")
    assert (done.exit_code, "JOB_NOT_FOUND" in done.stderr) == (3, True)


def test_a_server_that_is_not_there_is_exit_code_4() -> None:
    """With its address, and how to give another."""
    done = mediagen("health", "--server", UNREACHABLE)
    assert done.exit_code == 4
    assert UNREACHABLE in done.stderr
    assert "MEDIAGEN_SERVER" in done.stderr


def test_a_submission_that_may_have_arrived_says_how_to_repeat_it() -> None:
    """With its request id, so that repeating makes no second job."""
    done = mediagen("submit", "a fox", "-m", "a/b", "--server", UNREACHABLE)
    assert done.exit_code == 4
    assert re.search(r"--request-id [0-9a-f-]{36}", done.stderr)


def test_a_canceled_job_is_exit_code_5_for_who_follows_it() -> None:
    """The cancel itself succeeded: 0, with what it may cost."""
    job_id = submitted("fake/waits")
    done = mediagen("cancel", job_id)
    assert (done.exit_code, done.stdout) == (0, "canceled, charged: no\n")
    assert mediagen("watch", job_id).exit_code == 5


def test_a_wait_that_is_over_is_exit_code_6_and_says_how_to_go_on() -> None:
    """The job goes on."""
    job_id = submitted("fake/waits")
    done = mediagen("watch", job_id, "--max-wait", "0.2s", "-o", "fox one.webp")
    assert done.exit_code == 6
    assert f"mediagen watch {job_id} -o 'fox one.webp'" in done.stderr
    assert document(mediagen("status", job_id, "--json"))["state"] == "STATE_PENDING"


def test_watch_as_json_is_one_line_for_each_revision() -> None:
    """Whole jobs, in order, the last one final."""
    done = mediagen("watch", submitted("fake/picture"), "--json")
    jobs = [json.loads(line) for line in done.stdout.splitlines()]
    revisions = [job["revision"] for job in jobs]
    assert revisions == list(range(revisions[0], 9))
    assert jobs[-1]["state"] == "STATE_COMPLETED"
    assert all(job["request"]["prompt"] == "a fox" for job in jobs)


def test_generate_as_json_is_one_document(tmp_path: Path) -> None:
    """The job and its files."""
    done = mediagen("generate", "a fox", "-m", "fake/picture", "-o", "fox.webp", "--json", "-q")
    result = document(done)
    assert result["job"]["state"] == "STATE_COMPLETED"
    assert result["files"] == [
        {
            "path": "fox.webp",
            "index": 0,
            "media_type": "image/webp",
            "size_bytes": 180_000,
            "sha256": result["job"]["artifacts"][0]["sha256"],
        }
    ]
    assert done.stderr == ""


def test_a_list_shows_the_newest_first_and_cuts_prompts() -> None:
    """One line a job; the id is never cut."""
    submitted("fake/waits", "--label", "list=a")
    newest = submitted("fake/waits", "--label", "list=a")
    done = mediagen("list", "--label", "list=a")
    lines = done.stdout.splitlines()
    assert (len(lines), lines[1].split()[0]) == (3, newest)
    limited = mediagen("list", "--label", "list=a", "-n", "1", "--json")
    assert json.loads(limited.stdout)["job_id"] == newest
    assert "--all" in limited.stderr
    assert mediagen("list", "--label", "list=b", "--json").stdout == ""


def test_a_download_takes_the_job_s_names_or_ours(tmp_path: Path) -> None:
    """Here without -o; only one with --index; nothing where there is nothing."""
    job_id = submitted("fake/two-pictures")
    mediagen("watch", job_id)
    assert mediagen("download", job_id, "-q").stdout.split() == [
        f"{job_id}-0.webp",
        f"{job_id}-1.webp",
    ]
    assert mediagen("download", job_id, "--index", "1", "-o", "fox.webp").exit_code == 0
    assert (tmp_path / "fox.webp").read_bytes() == b"another"
    assert mediagen("download", job_id, "--index", "7").exit_code == 3
    assert mediagen("download", submitted("fake/waits")).exit_code == 3


def test_a_result_without_files_is_shown() -> None:
    """Some models answer with text."""
    done = mediagen("generate", "a fox", "-m", "fake/values", "-o", "fox.webp")
    assert (done.exit_code, 'output: "a caption"' in done.stdout) == (0, True)


@pytest.mark.parametrize("command", [["generate", "a fox", "-m", "fake/hostile", "-w"], ["status"]])
def test_what_a_server_says_can_not_steer_the_terminal(command: list[str]) -> None:
    """Escape sequences and direction marks arrive as U+FFFD; markup is only text."""
    if command == ["status"]:
        command = ["status", submitted("fake/hostile")]
        mediagen("watch", command[1])
    said = mediagen(*command).output
    assert "[bold]x[/bold]" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


def test_health_shows_every_part() -> None:
    """Exit code 0 while jobs can be taken."""
    done = mediagen("health")
    assert done.exit_code == 0
    assert "2 workers, 32 slots" in done.stdout
    assert document(mediagen("health", "--json"))["status"] == "SERVING"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands(shell: str) -> None:
    """The script that a shell sources, and what that script then asks."""
    script = _completion(f"source_{shell}")
    assert "_MEDIAGEN_COMPLETE" in script
    asked = {
        "COMP_WORDS": "mediagen gen",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "mediagen gen",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    assert "generate" in _completion(f"complete_{shell}", **asked)


def _completion(instruction: str, **asked: str) -> str:
    environment = {**os.environ, **asked, "_MEDIAGEN_COMPLETE": instruction}
    done = subprocess.run(MEDIAGEN, env=environment, capture_output=True, text=True, timeout=30)
    return done.stdout


def test_a_reader_that_has_seen_enough_makes_no_traceback(server: str) -> None:
    """`mediagen list --json | head -1`."""
    for _ in range(3):
        submitted("fake/waits")
    for reader in ("head -c 1", "true"):
        command = f"{sys.executable} -m mediagen.cli list --json --all | {reader}"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
        assert done.stderr == ""


def test_a_result_that_can_not_be_saved_is_not_lost(tmp_path: Path) -> None:
    """The disk's error, and how to save it elsewhere: it was paid for."""
    (tmp_path / "fox-2.webp").mkdir()
    done = mediagen("generate", "two", "-m", "fake/two-pictures", "-o", "fox.webp")
    assert done.exit_code == 2
    assert "Is a directory" in done.stderr
    assert re.search(r"mediagen download \S+ -o fox.webp", done.stderr)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened = list[Terminal]()
    yield opened
    for each in opened:
        each.close()


def test_a_terminal_shows_live_progress(
    terminals: list[Terminal], slow_server: str, tmp_path: Path
) -> None:
    """Stage, percent, elapsed and attempt on one line that moves; then the result."""
    command = ["generate", "a fox", "-m", "fake/picture", "-o", "fox.webp"]
    terminal = Terminal(*MEDIAGEN, *command, "--server", slow_server)
    terminals.append(terminal)
    for told in ("starting the model", "processing", "50 %", "attempt 1", "charged: yes"):
        terminal.until(told)
    assert terminal.exit_code() == 0
    assert re.search(r"\d\.\d s", terminal.screen)
    assert "\x1b[?25h" in terminal.screen  # the cursor is back
    assert (tmp_path / "fox.webp").stat().st_size == 180_000


def test_ctrl_c_says_how_to_resume_and_the_job_goes_on(
    terminals: list[Terminal], slow_server: str
) -> None:
    """Exit code 130; nothing is canceled."""
    command = ["generate", "a fox", "-m", "fake/endless", "-o", "fox.webp"]
    terminal = Terminal(*MEDIAGEN, *command, "--server", slow_server)
    terminals.append(terminal)
    terminal.until("processing")
    terminal.type(b"\x03")
    terminal.until("mediagen cancel")
    assert terminal.exit_code() == 130
    told = re.search(r"mediagen watch (\S+) -o fox.webp --server (\S+)", terminal.screen)
    assert told
    assert "Traceback" not in terminal.screen
    assert told[2] == slow_server
    assert asyncio.run(_job(slow_server, told[1])).state == Job.STATE_RUNNING


def test_an_interrupt_without_a_terminal_is_the_same(slow_server: str) -> None:
    """A script's SIGINT."""
    command = [*MEDIAGEN, "generate", "a fox", "-m", "fake/endless", "-w", "--server", slow_server]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        lines = [process.stderr.readline(), process.stderr.readline()]
        process.send_signal(signal.SIGINT)
        told = "".join(lines) + process.stderr.read()
    assert process.returncode == 130
    assert "mediagen watch" in told
    assert "Traceback" not in told


def test_an_interrupted_submission_says_how_to_repeat_it() -> None:
    """A server that takes the connection and never answers: stored or not, nobody knows."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        command = [*MEDIAGEN, "submit", "a fox", "-m", "a/b", "--server", address]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            silent.settimeout(30)
            silent.accept()
            process.send_signal(signal.SIGINT)
            assert process.stderr
            told = process.stderr.read()
    assert process.returncode == 130
    assert re.search(r"--request-id [0-9a-f-]{36}", told)


async def _job(server: str, job_id: str) -> Job:
    async with Client(server) as client:
        return await client.get(job_id)
