"""Where does a RabbitMQ come from on a machine that has none, without root and without Docker?

An installed one is used as it is. Else, on Debian and Ubuntu, the distribution's own packages are
unpacked into a folder.
"""

import fcntl
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .part import DevstackError, Say

_INSTALLED = ("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin", "opt/homebrew/opt/rabbitmq/sbin")
_HELP = (
    "No RabbitMQ found, and {why}. Any of these helps: install it (Debian, Ubuntu: apt-get install "
    "rabbitmq-server; Fedora: dnf install rabbitmq-server; macOS: brew install rabbitmq), set "
    "RABBITMQ_SBIN to the folder of its upstream `rabbitmq-server` script, or set AMQP_URL to a "
    "running broker."
)
# Debian's erl names /usr/lib/erlang as its root whatever the environment says.
_ERL = """#!/bin/sh
# Written by mediagen's devstack: Erlang from the folder that it was unpacked into.
here=$(cd "$(dirname "$0")/.." && pwd)
export ROOTDIR="$here/usr/lib/erlang" EMU=beam PROGNAME=erl
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
export BINDIR
exec "$BINDIR/erlexec" "$@"
"""
# Libraries that Erlang never loads; the rest of what the closure names and the machine lacks is
# unpacked too (a slim image may lack libtinfo or libssl).
_NOT_NEEDED = ("libpam", "libperl", "libpython", "libsemanage", "libaudit", "libwrap")


@dataclass(frozen=True)
class Software:
    """A RabbitMQ that can be started.

    script: the upstream `rabbitmq-server` (not the distribution's wrapper, which changes user).
    path: folders to put before PATH, so that erl and epmd are found.
    libraries: folders for LD_LIBRARY_PATH.
    """

    script: Path
    path: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()

    @property
    def version(self) -> str:
        return self.script.parent.parent.name.rpartition("-")[2]

    @property
    def search_path(self) -> str:
        given = os.environ.get("PATH", os.defpath)
        return os.pathsep.join([*map(str, self.path), given])

    def epmd(self) -> str:
        """Erlang's port mapper; not on PATH everywhere, but always beside the emulator."""
        found = shutil.which("epmd", path=self.search_path)
        if found:
            return found
        erl = shutil.which("erl", path=self.search_path)
        roots = [Path(erl).resolve().parent.parent] if erl else []
        for root in [*roots, Path("/usr/lib/erlang"), Path("/usr/lib64/erlang")]:
            for candidate in root.glob("erts-*/bin/epmd"):
                return str(candidate)
        raise DevstackError(f"{self.script} is there, but Erlang's epmd is not. Install Erlang.")


def find(folder: Path, say: Say) -> Software:
    """An installed RabbitMQ, or the one in the folder, or one fetched into it now."""
    installed = _installed()
    if installed:
        return installed
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two test runs may come here at once: the second waits and finds it done.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder, say)
    return _unpacked(folder)


def _installed() -> Software | None:
    given = os.environ.get("RABBITMQ_SBIN")
    if given:
        script = Path(given) / "rabbitmq-server"
        if not script.exists():
            raise DevstackError(f"RABBITMQ_SBIN is {given}, but there is no rabbitmq-server in it.")
        return Software(script)
    for pattern in (*_INSTALLED, "usr/local/opt/rabbitmq/sbin"):
        for sbin in sorted(Path("/").glob(pattern), reverse=True):
            if (sbin / "rabbitmq-server").exists():
                brew = sbin.parents[2] / "bin"  # where brew links erl; harmless elsewhere
                return Software((sbin / "rabbitmq-server").resolve(), (brew,))
    return None


def _unpacked(folder: Path) -> Software:
    scripts = sorted(folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    if not scripts:
        raise DevstackError(f"{folder} has no RabbitMQ in it. Delete the folder and try again.")
    libraries = {library.parent for library in folder.glob("usr/lib/*-linux-gnu*/*.so*")}
    return Software(scripts[-1], (folder / "bin",), tuple(sorted(libraries)))


def _fetch(folder: Path, say: Say) -> None:
    """Download, unpack beside the final place, rename."""
    if not debian.can_fetch():
        raise DevstackError(_HELP.format(why="this is not a Debian or Ubuntu to take one from"))
    say("no RabbitMQ here: fetching the distribution's packages (about 32 MB, once)")
    work = folder.with_name(f"{folder.name}.unfinished")
    try:
        root = debian.unpack("rabbitmq-server", work, _wanted)
    except DevstackError as problem:
        raise DevstackError(_HELP.format(why=f"fetching one did not work ({problem})")) from None
    erl = root / "bin" / "erl"
    erl.parent.mkdir(exist_ok=True)
    erl.write_text(_ERL)
    erl.chmod(0o755)
    for tool in (root / "usr/lib/erlang").glob("erts-*/bin/*"):
        if tool.name in ("epmd", "escript"):
            erl.with_name(tool.name).symlink_to(Path("..") / tool.relative_to(root))
    root.rename(folder)
    shutil.rmtree(work, ignore_errors=True)  # 50 MB of lists and packages


def _wanted(closure: list[str], present: set[str]) -> list[str]:
    """The broker, Erlang whole (so that its parts match), and libraries that the machine lacks."""
    return [
        name
        for name in closure
        if name == "rabbitmq-server"
        or name.startswith("erlang-")
        or (debian.lacking(name, present) and not name.startswith(_NOT_NEEDED))
    ]


if __name__ == "__main__":
    # tools/setup runs this beside its own downloads; whoever needs the broker reports a failure.
    try:
        find(Path(sys.argv[1]), print)
    except DevstackError as failure:
        sys.exit(str(failure))
