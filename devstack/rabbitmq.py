"""How does a private RabbitMQ node run: own data, own port mapper, own user, loopback only?

Two parts. RabbitMQ starts Erlang's port mapper (epmd) as a daemon that outlives it, unless one
answers already; so one of our own runs before it, in the foreground, on a port of its own. Then any
number of nodes live side by side, and none is left behind.
"""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import probes, rabbitmq_install
from .child import dies_with_parent
from .part import Command, DevstackError, Part, Port, Say
from .rabbitmq_install import Software

_USER = "mediagen"
# A retry that comes due while its work queue is not up yet, as after a crash, is tried again after
# this many milliseconds: three minutes where nothing is said.
_DUE_AGAIN_MS = 10_000
_ERL_ARGUMENTS = (
    "-noinput -kernel inet_dist_use_interface {127,0,0,1} "
    f"-rabbit dead_letter_worker_publisher_confirm_timeout {_DUE_AGAIN_MS}"
)
# Said of every probe of its port, and of a client that was killed.
_CLOSED = ("closing AMQP connection", "client unexpectedly closed TCP connection")
_LOUD = ("[warning]", "[error]", "[critical]", "BOOT FAILED", "SIGTERM received")


@dataclass(frozen=True)
class RabbitMQ:
    """One node.

    folder: data, password, configuration.
    software: the folder to unpack RabbitMQ into if none is installed.
    port, epmd_port, dist_port: AMQP; the port mapper; Erlang's distribution (rabbitmqctl).
    management_port: the HTTP API for tests, which make and look into virtual hosts; 0: not loaded.
    node: its name among the nodes of one port mapper.
    settings: lines of its rabbitmq.conf beside the usual.
    """

    folder: Path
    software: Path
    port: int
    epmd_port: int
    dist_port: int
    management_port: int = 0
    node: str = "mediagen"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """AMQP_URL for the services."""
        return f"amqp://{_USER}:{self.password}@127.0.0.1:{self.port}/"

    @property
    def password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    @property
    def user(self) -> str:
        return _USER

    @property
    def name(self) -> str:
        """What RabbitMQ calls the node."""
        return full_name(self.node)

    def parts(self) -> list[Part]:
        return [self.epmd(), self.broker("rabbitmq")]

    def epmd(self) -> Part:
        return Part(
            name="epmd",
            prepare=self._prepare_epmd,
            ready=lambda: probes.tcp(self.epmd_port),
            ports=(Port(self.epmd_port, ""),),
            grace=2,
            screen=lambda line: False,
        )

    def broker(self, name: str) -> Part:
        """The node itself, as the part *name*."""
        return Part(
            name=name,
            prepare=self._prepare_node,
            ready=self._ready,
            needs=("epmd",),
            ports=(Port(self.port, "AMQP_URL"),),
            grace=20,
            screen=_worth_showing,
        )

    def wipe(self) -> None:
        """Forget everything, while it is stopped: the next start makes an empty broker."""
        (self.folder / "booted").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers; the node must be running. Raises DevstackError."""
        found = rabbitmq_install.find(self.software, lambda text: None)
        done = subprocess.run(
            [str(found.script.with_name("rabbitmqctl")), "--quiet", *arguments],
            env=self._environment(found),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DevstackError(f"rabbitmqctl failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout.strip()

    async def _find(self, say: Say) -> Software:
        return await asyncio.to_thread(rabbitmq_install.find, self.software, say)

    async def _prepare_epmd(self, say: Say) -> Command:
        found = await self._find(say)
        argv = (found.epmd(), "-port", str(self.epmd_port), "-address", "127.0.0.1")
        return Command(dies_with_parent(argv, signal.SIGKILL), self._environment(found))

    async def _prepare_node(self, say: Say) -> Command:
        found = await self._find(say)
        if not (self.folder / "booted").exists():
            say(f"making a private RabbitMQ {found.version}")
            # A first boot that was cut off may have left a database without its user.
            shutil.rmtree(self.folder / "mnesia", ignore_errors=True)
        self._configure()
        argv = dies_with_parent((str(found.script),), signal.SIGTERM)
        return Command(argv, self._environment(found), cwd=self.folder)

    async def _ready(self) -> bool:
        if not await probes.amqp(self.port):
            return False
        if self.management_port and not await probes.tcp(self.management_port):
            return False
        (self.folder / "booted").touch()
        return True

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "log.console": "true",
            "log.file": "false",
            "disk_free_limit.absolute": "50MB",
            "vm_memory_high_watermark.absolute": "512MB",
            "default_user": _USER,
            "default_pass": self.password,
            **self.settings,
        }
        plugins = "[]."
        if self.management_port:
            plugins = "[rabbitmq_management]."
            lines["management.tcp.ip"] = "127.0.0.1"
            lines["management.tcp.port"] = str(self.management_port)
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        path = self.folder / "rabbitmq.conf"
        path.touch(mode=0o600)
        path.write_text(text)
        (self.folder / "enabled_plugins").write_text(plugins + "\n")

    def _environment(self, found: Software) -> dict[str, str]:
        """The whole environment: nothing of the machine's own RabbitMQ settings gets in."""
        base = str(self.folder)
        return {
            "PATH": found.search_path,
            **_libraries(found),
            "HOME": base,  # the Erlang cookie is made here
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            # The script then becomes the Erlang VM, so that a signal reaches it at once.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "RABBITMQ_MNESIA_BASE": f"{base}/mnesia",
            "RABBITMQ_LOG_BASE": f"{base}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{base}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{base}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{base}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{base}/advanced.config",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{base}/config",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # else /etc/rabbitmq/rabbitmq-env.conf is read
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERL_ARGUMENTS,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_CRASH_DUMP": f"{base}/erl_crash.dump",
        }


def full_name(node: str) -> str:
    """A node's name with its host, which needs no look-up, and under which its data stays."""
    return f"{node}@localhost"


def _libraries(found: Software) -> dict[str, str]:
    if not found.libraries:
        return {}
    return {"LD_LIBRARY_PATH": os.pathsep.join(map(str, found.libraries))}


def _worth_showing(line: str) -> bool:
    return any(word in line for word in _LOUD) and not any(word in line for word in _CLOSED)
