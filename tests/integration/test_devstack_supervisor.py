"""Does the supervisor keep its word about order, restarts, ends and leftovers?

The parts are small shell scripts: what is tested is what happens to processes.
"""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.child import BoundedLog
from devstack.part import Command, DevstackError, Part, Port, Prepare, Say
from devstack.ports import free_port, holder, is_free
from devstack.screen import Screen
from devstack.supervisor import Supervisor


def shell(script: str) -> Prepare:
    async def prepare(say: Say) -> Command:
        return Command(("/bin/sh", "-c", script), os.environ)

    return prepare


@pytest.fixture
def part(tmp_path: Path) -> Callable[..., Part]:
    """A part that writes `<name> up` and, when stopped, `<name> down` into `events`."""

    def make(name: str, *, needs: tuple[str, ...] = (), script: str = "", **more: object) -> Part:
        events, mark = tmp_path / "events", tmp_path / f"{name}.ready"
        usual = (
            f"rm -f {mark}; trap 'echo {name} down >>{events}; exit 0' TERM; "
            f"echo {name} up >>{events}; touch {mark}; while :; do sleep 0.02; done"
        )

        async def ready() -> bool:
            return mark.exists()

        return Part(name, shell(script or usual), ready, needs=needs, **more)  # type: ignore[arg-type]

    return make


def events(tmp_path: Path) -> list[str]:
    return (tmp_path / "events").read_text().splitlines()


def supervisor(tmp_path: Path, *parts: Part, out: io.StringIO | None = None) -> Supervisor:
    return Supervisor(parts, tmp_path / "state", Screen(out or io.StringIO()))


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_parts_start_after_what_they_need_and_stop_before_it(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """A database is there before its user, and until after it."""
    user, database = part("user", needs=("database",)), part("database")
    async with supervisor(tmp_path, user, database) as running:
        await running.start()
    assert events(tmp_path) == ["database up", "user up", "user down", "database down"]


async def test_a_part_that_dies_is_started_again_and_said_so(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """After half a second; the screen says what ended and where its log is."""
    out = io.StringIO()
    async with supervisor(tmp_path, part("worker"), out=out) as running:
        await running.start()
        keeper = running.keepers["worker"]
        (tmp_path / "worker.ready").unlink()
        keeper.kill()
        await until(lambda: not keeper.ready)
        await keeper.until_ready()
        assert keeper.starts == 2
    assert "worker ended (killed by SIGKILL)" in out.getvalue()
    assert "worker starts again in 0.5 s" in out.getvalue()


async def test_a_part_that_is_killed_again_and_again_comes_back_as_soon_as_the_first_time(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """The back-off is for parts that fail by themselves, not for those that a test kills."""
    out = io.StringIO()
    async with supervisor(tmp_path, part("worker"), out=out) as running:
        await running.start()
        keeper = running.keepers["worker"]
        for _ in range(3):
            (tmp_path / "worker.ready").unlink()
            keeper.kill()
            await until(lambda: not keeper.ready)
            await keeper.until_ready()
    assert out.getvalue().count("worker starts again in 0.5 s") == 3


async def test_children_of_a_dead_part_die_with_it(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """A proxy started by a killed part must not keep its port."""
    mark = tmp_path / "parent.ready"
    script = f"sleep 300 & echo $! >{tmp_path}/pid; touch {mark}; wait"
    async with supervisor(tmp_path, part("parent", script=script)) as running:
        await running.start()
        child = int((tmp_path / "pid").read_text())
        running.keepers["parent"].child.send(signal.SIGKILL)  # type: ignore[union-attr]
        await until(lambda: not alive(child))


async def test_a_part_that_never_starts_is_reported_with_the_end_of_its_log(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """Three tries; then the reason is on the screen, not in a file to be found."""
    broken = part("broken", script="echo no such setting; exit 3")
    async with supervisor(tmp_path, broken) as running:
        with pytest.raises(DevstackError, match=r"broken does not start[\s\S]*no such setting"):
            await running.start()


async def test_a_part_that_ignores_its_signal_is_killed_after_its_grace(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """Ctrl-C ends, whatever a part does."""
    mark = tmp_path / "deaf.ready"
    script = f"trap '' TERM; touch {mark}; while :; do sleep 0.02; done"
    out = io.StringIO()
    began = time.monotonic()
    async with supervisor(tmp_path, part("deaf", script=script, grace=0.3), out=out) as running:
        await running.start()
    assert time.monotonic() - began < 5
    assert "deaf did not stop within" in out.getvalue()


async def test_a_second_ctrl_c_does_not_wait_for_anything(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """kill() cuts every grace short, and nothing is started again."""
    mark = tmp_path / "deaf.ready"
    script = f"trap '' TERM; touch {mark}; while :; do sleep 0.02; done"
    deaf = part("deaf", script=script, needs=("other",), grace=60)
    running = supervisor(tmp_path, deaf, part("other"))
    await running.__aenter__()
    await running.start()
    stopping = asyncio.create_task(running.__aexit__(None, None, None))
    await asyncio.sleep(0.1)
    running.kill()
    await asyncio.wait_for(stopping, 5)
    assert [keeper.starts for keeper in running.keepers.values()] == [1, 1]


async def test_two_stacks_do_not_share_a_state_folder(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """The second is refused before it starts anything, and told who runs."""
    async with supervisor(tmp_path, part("first")):
        with pytest.raises(DevstackError, match=f"pid {os.getpid()}"):
            await supervisor(tmp_path, part("second")).__aenter__()


async def test_a_taken_port_is_named_with_its_variable_and_holder(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """Nothing starts; the message says what to stop or what to set."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        edge = part("edge", ports=(Port(number, "EDGE_PORT"),))
        with pytest.raises(DevstackError) as refused:
            await supervisor(tmp_path, edge).__aenter__()
    assert f"Port {number} (edge) is taken by pid {os.getpid()}" in str(refused.value)
    assert "EDGE_PORT" in str(refused.value)
    assert not (tmp_path / "events").exists()


async def test_a_part_is_announced_ready_only_when_its_probe_says_so(
    tmp_path: Path, part: Callable[..., Part]
) -> None:
    """start() returns when callers can be served, not when processes exist."""
    mark = tmp_path / "slow.ready"
    script = f"sleep 0.5; touch {mark}; sleep 300"
    async with supervisor(tmp_path, part("slow", script=script)) as running:
        await running.start()
        assert mark.exists()


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """kill -9 gives it no chance to stop anything: the kernel and the watchdog do."""
    script = tmp_path / "killed.py"
    script.write_text(_KILLED.format(folder=str(tmp_path)))
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    assert pids
    assert all(map(alive, pids))
    process.kill()
    process.wait()
    deadline = time.monotonic() + 12
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    """A part that prints all night must not fill the disk: two files of 8 MiB."""
    log = BoundedLog(tmp_path / "part.log")
    for _ in range(40):
        log.write(b"x" * 1024 * 1024)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["part.log", "part.log.1"]
    assert sum(file.stat().st_size for file in files) <= 16 * 1024 * 1024


def test_free_ports_are_given_out_once() -> None:
    """Two parts of one plan never get the same number."""
    taken: set[int] = set()
    assert len({free_port(avoid=taken) for _ in range(50)}) == 50


def test_a_listening_port_is_not_free_and_its_holder_is_known() -> None:
    """The message about a taken port names the process to stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert not is_free(number)
        assert f"pid {os.getpid()}" in holder(number)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


# One part with a child that does not die with it by itself, and one that ignores SIGTERM.
_KILLED = """
import asyncio, os, sys
from pathlib import Path
from devstack.part import Command, Part
from devstack.screen import Screen
from devstack.supervisor import Supervisor

folder = Path({folder!r})

def part(name, script):
    async def prepare(say):
        return Command(("/bin/sh", "-c", script), os.environ)
    async def ready():
        return (folder / name).exists()
    return Part(name, prepare, ready)

async def main():
    parts = [
        part("family", f"sleep 300 & echo $! >{{folder}}/child; touch {{folder}}/family; wait"),
        part("deaf", f"trap '' TERM; touch {{folder}}/deaf; while :; do sleep 0.05; done"),
    ]
    async with Supervisor(parts, folder / "state", Screen(sys.stderr)) as running:
        await running.start()
        pids = [keeper.child.pid for keeper in running.keepers.values()]
        print(*pids, (folder / "child").read_text().strip(), flush=True)
        await asyncio.sleep(300)

asyncio.run(main())
"""
