"""`python -m simulator` starts, says where it is, and stops when told."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMULATOR_")}
    return kept | {"SIMULATOR_PORT": "0"} | more


@contextmanager
def started(*arguments: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip().rpartition(" ")[2].removesuffix("/v1")
    finally:
        process.kill()
        process.wait()


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(stop: signal.Signals) -> None:
    """/readyz answers, a fault from the command line is in force, the exit is clean and quick."""
    with started("--fault", "402:1", "--fault=fail=E9828", SIMULATOR_INSTANT="1") as (
        process,
        base_url,
    ):
        with httpx.Client(base_url=base_url, headers={"authorization": "Bearer x"}) as http:
            assert http.get("/readyz").status_code == 200
            body = {"version": "black-forest-labs/flux-schnell", "input": {"prompt": "x"}}
            assert http.post("/v1/predictions", json=body).status_code == 402
            created = http.post("/v1/predictions", json=body).json()
            assert http.get(created["urls"]["get"]).json()["error"].endswith("(E9828)")
            process.send_signal(stop)
            process.wait(timeout=10)
        assert process.returncode == 0


def test_every_problem_is_reported_at_once() -> None:
    """Settings and faults together, exit code 2."""
    done = run("--fault", "nonsense", "--what", SIMULATOR_PORT="x", SIMULATOR_SPEED="0")
    assert done.returncode == 2
    for part in ("nonsense", "--what", "SIMULATOR_PORT", "SIMULATOR_SPEED"):
        assert part in done.stderr


def test_a_taken_port_is_said_in_one_line() -> None:
    """No traceback, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(SIMULATOR_PORT=port)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert port in done.stderr


def test_help_lists_settings_and_faults() -> None:
    """Nobody should have to read the code to find a fault."""
    done = run("--help")
    assert done.returncode == 0
    assert "SIMULATOR_SPEED" in done.stdout
    assert "drop_after_create" in done.stdout
