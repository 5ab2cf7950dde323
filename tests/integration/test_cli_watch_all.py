"""`mediagen watch --all` as a person or a script has it, against a service in memory."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mediagen.cli.app import app
from tests.integration.terminal import Terminal
from tests.integration.test_client_command_line import MEDIAGEN, fake_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with fake_server(0.05) as address:
        yield address


@pytest.fixture(autouse=True)
def _there(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("MEDIAGEN_SERVER", server)


def mediagen(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), prog_name="mediagen")


def submitted(model: str, *options: str) -> str:
    done = mediagen("submit", "a fox", "--model", model, *options)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def events(*options: str) -> list[dict[str, Any]]:
    done = mediagen("watch", "--all", "--json", *options)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_script_goes_on_from_the_cursor_that_it_read() -> None:
    """First what is open, then synced; from its cursor each revision once, to the end."""
    waits = submitted("fake/waits", "-l", "of=script")
    first = events("-l", "of=script", "--max-wait", "0.5s")
    assert [each["snapshot"]["job_id"] for each in first if "snapshot" in each] == [waits]
    assert first[-1]["synced"] == {"snapshots": 1}
    job_id = submitted("fake/picture", "-l", "of=script")
    later = events("-l", "of=script", "--max-wait", "1s", "--cursor", first[-1]["cursor"])
    assert not [each for each in later if "snapshot" in each or "synced" in each]
    jobs = [each["update"] for each in later if "update" in each]
    assert {each["job_id"] for each in jobs} == {job_id}
    assert [each["revision"] for each in jobs] == list(range(1, jobs[-1]["revision"] + 1))
    assert jobs[-1]["state"] == "STATE_COMPLETED"
    assert {each["request"]["prompt"] for each in jobs} == {"a fox"}
    assert all(each["cursor"] for each in later)


def test_lines_tell_each_change_that_matters() -> None:
    """For a log: the id, the stage, the percent, the attempt, the model; and how to go on."""
    job_id = submitted("fake/endless", "-l", "of=lines")
    done = mediagen("watch", "--all", "-l", "of=lines", "--max-wait", "0.8s")
    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if job_id in line]
    assert lines and re.match(r"\d\d:\d\d:\d\d  ", lines[0])
    assert "processing  90 %" in lines[-1]
    assert lines[-1].endswith("attempt 1  fake/endless")
    told = " ".join(done.stderr.split())
    assert re.search(r"mediagen watch --all --label of=lines --cursor c\d+", told)


def test_a_state_filter_shows_what_enters_and_what_leaves() -> None:
    """A job that is running no more is told once as what it is now."""
    job_id = submitted("fake/fails", "-l", "of=states")
    found = events("-l", "of=states", "-s", "running", "--max-wait", "1s")
    states = [
        each[kind]["state"]
        for each in found
        for kind in ("snapshot", "update")
        if kind in each and each[kind]["job_id"] == job_id
    ]
    assert states[-1] == "STATE_FAILED"
    assert set(states[:-1]) <= {"STATE_RUNNING"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "either a JOB_ID or --all"),
        (("j1", "--all"), "either a JOB_ID or --all"),
        (("j1", "--state", "running"), "go with --all"),
        (("j1", "--cursor", "c1"), "go with --all"),
        (("--all", "-o", "x.webp"), "go with a JOB_ID"),
        (("--all", "--after-revision", "3"), "go with a JOB_ID"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2, in words."""
    refused = mediagen("watch", *arguments)
    assert refused.exit_code == 2
    assert told in " ".join(refused.stderr.replace("│", " ").split())


def test_a_cursor_that_is_none_is_refused() -> None:
    """Exit code 2."""
    assert mediagen("watch", "--all", "--cursor", "nonsense").exit_code == 2


def test_a_terminal_shows_a_table_that_lives(server: str) -> None:
    """A job that is submitted later appears in it, and its end; Ctrl-C says how to go on."""
    terminal = Terminal(*MEDIAGEN, "watch", "--all", "-l", "of=table", "--server", server)
    try:
        terminal.until("live")
        job_id = submitted("fake/fails", "-l", "of=table")
        terminal.until(job_id[-12:])
        terminal.until("failed")
        assert "elapsed" in terminal.screen
        terminal.type(b"\x03")
        terminal.until("--cursor")
        assert terminal.exit_code() == 130
        assert "Traceback" not in terminal.screen
    finally:
        terminal.close()


def test_a_table_says_when_the_server_is_away() -> None:
    """It is kept, and tried again; the one that comes back goes on in it."""
    with fake_server(0.05) as address:
        port = address.rpartition(":")[2]
        terminal = Terminal(sys.executable, "-m", "mediagen.cli", "watch", "--all", "--server",
                            address)  # fmt: skip
        terminal.until("live")
    try:
        terminal.until("reconnecting")
        assert port.isdigit()
        terminal.type(b"\x03")
        assert terminal.exit_code() == 130
    finally:
        terminal.close()


def test_a_server_that_is_not_there_is_told_at_the_end_of_the_wait() -> None:
    """Exit code 4: nothing was watched."""
    done = mediagen("watch", "--all", "--max-wait", "0.5s", "--server", "127.0.0.1:1")
    assert done.exit_code == 4
    assert "can not be reached" in done.stderr


def test_a_cursor_that_is_refused_is_not_told_again() -> None:
    """From there nothing goes on."""
    done = mediagen("watch", "--all", "--max-wait", "5s", "--cursor", "wrong")
    assert done.exit_code == 2
    assert "--cursor" not in done.stderr
