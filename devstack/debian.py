"""How does a program of the distribution come into a folder, without root?

Debian's and Ubuntu's packages are downloaded by apt (which checks their signatures) with lists and
cache of its own and unpacked; nothing is installed, no service is started.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .part import DevstackError

#: Of what a package needs and the machine lacks, given the whole closure and what is installed.
Choice = Callable[[list[str], set[str]], list[str]]

# A second libc beside the one that runs is the end of both.
_NEVER = ("libc6",)


def can_fetch() -> bool:
    """Whether this is a distribution to take packages from."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb", "dpkg-query"))


def lacking(name: str, present: set[str]) -> bool:
    """Whether it is a library that the machine lacks: a slim image has few."""
    return name.startswith("lib") and name not in present and not name.startswith(_NEVER)


def unpack(package: str, work: Path, wanted: Choice) -> Path:
    """The folder in *work* that the wanted packages were unpacked into. Raises DevstackError."""
    shutil.rmtree(work, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (work / name).mkdir(parents=True)
    try:
        _download(package, work, wanted)
        for archive in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(work / "root")], work)
    except DevstackError:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return work / "root"


def _download(package: str, work: Path, wanted: Choice) -> None:
    # With an empty list of installed packages the simulation names the whole closure, whatever
    # the release calls its packages, and however much of it this machine has.
    (work / "status").touch()
    apt = ["apt-get", "-qq", "-o", f"Dir::State::Lists={work / 'lists'}"]
    apt += ["-o", f"Dir::Cache={work / 'cache'}", "-o", f"Dir::State::status={work / 'status'}"]
    # Not root, and nobody else's folders: no change of user, no lock to take.
    apt += ["-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=1"]
    # Container images turn apt's caches off; three calls follow that would each read it all anew.
    apt += ["-o", "Dir::Cache::pkgcache=pkgcache.bin", "-o", "Acquire::Languages=none"]
    apt += ["-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin"]
    _run([*apt, "update"], work)
    plan = _run([*apt, "-s", "--no-install-recommends", "install", package], work)
    closure = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    _run([*apt, "download", *wanted(closure, _present(work))], work / "debs")


def _present(work: Path) -> set[str]:
    listing = _run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], work)
    return {line.split()[0] for line in listing.splitlines() if line.endswith(" installed")}


def _run(arguments: list[str], folder: Path) -> str:
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise DevstackError(f"{arguments[0]} failed: {reason[-1] if reason else 'no output'}")
    return done.stdout
