"""Where does the Chromium that tests drive come from, on a machine that has none?

An installed one is used as it is (CHROMIUM may name it). Else, on Debian and Ubuntu, the
distribution's own one without windows is unpacked into a folder.
"""

import fcntl
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .part import DevstackError, Say

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_PACKAGE = "chromium-headless-shell"
_HELP = (
    "No Chromium found, and {why}. Either helps: install one (Debian: apt-get install chromium), "
    "or set CHROMIUM to the program."
)


@dataclass(frozen=True)
class Chromium:
    """A browser that can be started.

    program: what to run. environment: variables beside the caller's.
    """

    program: Path
    environment: dict[str, str]


def browser_folder() -> Path:
    """Where the checkout keeps the browser that it fetched."""
    return Path(__file__).resolve().parent.parent / ".run" / "chromium"


def find(folder: Path, say: Say) -> Chromium:
    """An installed one, or the one in the folder, or one fetched into it now."""
    given = os.environ.get("CHROMIUM")
    if given and not Path(given).is_file():
        raise DevstackError(f"CHROMIUM is {given}, but there is no such program.")
    installed = given or next(filter(None, map(shutil.which, _NAMES)), None)
    if installed:
        return Chromium(Path(installed), {})
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two test runs may come here at once: the second waits and finds it done.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder, say)
    return _unpacked(folder)


def _fetch(folder: Path, say: Say) -> None:
    if not debian.can_fetch():
        raise DevstackError(_HELP.format(why="this is not a Debian to take one from"))
    say("no Chromium here: fetching the distribution's packages (about 100 MB, once)")
    work = folder.with_name(f"{folder.name}.unfinished")
    try:
        root = debian.unpack(_PACKAGE, work, _wanted)
    except DevstackError as problem:
        raise DevstackError(_HELP.format(why=f"fetching one did not work ({problem})")) from None
    root.rename(folder)
    shutil.rmtree(work, ignore_errors=True)


def _wanted(closure: list[str], present: set[str]) -> list[str]:
    """The browser, and the libraries and fonts that the machine lacks."""
    return [
        name
        for name in closure
        if name.startswith("chromium")
        or debian.lacking(name, present)
        or (name.startswith("font") and name not in present)
    ]


def _unpacked(folder: Path) -> Chromium:
    programs = sorted(folder.glob("usr/lib/chromium*/*headless*shell"))
    if not programs:
        raise DevstackError(f"{folder} has no Chromium in it. Delete the folder and try again.")
    libraries = {library.parent for library in folder.glob("usr/lib/**/*.so*")}
    found = os.pathsep.join(map(str, sorted(libraries)))
    environment = {"LD_LIBRARY_PATH": found}
    if not Path("/etc/fonts").exists():
        environment["FONTCONFIG_PATH"] = str(folder / "etc" / "fonts")
    return Chromium(programs[0], environment)


if __name__ == "__main__":
    # tools/setup runs this beside its own downloads; whoever needs the browser reports a failure.
    try:
        find(Path(sys.argv[1]).resolve(), print)
    except DevstackError as failure:
        sys.exit(str(failure))
