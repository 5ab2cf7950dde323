"""How does a checkout get its environment, with nothing but Python's standard library?

    .run/boot    uv, pinned by hash in locks/boot.txt
    .venv        every package of locks/run.txt or locks/dev.txt, checked by hash, and this checkout

RabbitMQ's packages are fetched at the same time where the machine has none. Called by tools/setup.
"""

import json
import os
import subprocess
import sys
import sysconfig
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".run"
VENV = ROOT / ".venv"
BOOT = RUN / "boot"
# Importable without being installed: a change is seen at once, and no build step is needed.
_PATHS = ("client", "services", ".")
_SCRIPT = """#!/bin/sh
'''exec' '{python}' "$0" "$@"
'''
import sys

from mediagen.cli import main

sys.exit(main())
"""


def main(group: str) -> int:
    """Bring .venv in line with locks/<group>.txt."""
    began = time.monotonic()
    print(f"setup: installing locks/{group}.txt into .venv", flush=True)
    RUN.mkdir(exist_ok=True)
    fetched = [_fetch_broker(), _fetch_browser() if group == "dev" else None]
    try:
        uv = _uv()
        environment = _environment()
        if not _works(VENV):
            interpreter = ["--python", sys.executable]
            _call([uv, "venv", "--quiet", "--clear", *interpreter, str(VENV)], environment)
        lock = str(ROOT / "locks" / f"{group}.txt")
        sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(VENV)]
        _call([*sync, lock], environment)
    except subprocess.CalledProcessError as failure:
        print(f"setup: `{' '.join(map(str, failure.cmd))}` failed", file=sys.stderr)
        return 1
    finally:
        for each in fetched:
            if each:
                each.wait()
    _add_checkout()
    print(f"setup: done in {time.monotonic() - began:.1f} s", flush=True)
    return 0


def _fetch_broker() -> "subprocess.Popen[bytes] | None":
    """RabbitMQ, beside the rest. A failure is for `make run` to report: AMQP_URL may do instead."""
    folder = RUN / "rabbitmq-server"
    if os.environ.get("AMQP_URL") or folder.exists():
        return None
    return _start("devstack.rabbitmq_install", folder)


def _fetch_browser() -> "subprocess.Popen[bytes] | None":
    """Chromium for the tests, beside the rest. A failure is for them to report."""
    folder = RUN / "chromium"
    return None if folder.exists() else _start("devstack.browser_install", folder)


def _start(module: str, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", module, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _uv() -> str:
    uv = BOOT / "bin" / "uv"
    lock = ROOT / "locks" / "boot.txt"
    stamp = BOOT / "installed.txt"
    if uv.exists() and stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return str(uv)
    options = ["--quiet", "--no-cache-dir", "--only-binary=:all:", "--require-hashes", "--upgrade"]
    # Into a folder: no virtual environment to make first, which takes as long as the download.
    subprocess.run(
        [*_pip(), "install", *options, "--target", str(BOOT), "-r", str(lock)],
        env=_with_pip(),
        check=True,
    )
    stamp.write_bytes(lock.read_bytes())
    return str(uv)


def _pip() -> list[str]:
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def _with_pip() -> dict[str, str]:
    """The environment in which `python -m pip` works: this Python's own, else ensurepip's wheel."""
    quiet = {"PIP_ROOT_USER_ACTION": "ignore"}
    if find_spec("pip"):
        return os.environ | quiet
    places = [Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels")]
    bundled = find_spec("ensurepip")
    if bundled and bundled.origin:
        places.append(Path(bundled.origin).parent / "_bundled")
    wheels = [wheel for place in places for wheel in place.glob("pip-*.whl")]
    if not wheels:
        sys.exit(
            "setup: this Python comes without pip. On Debian and Ubuntu: "
            "apt-get install python3-venv"
        )
    return os.environ | quiet | {"PYTHONPATH": str(wheels[0])}


def _works(venv: Path) -> bool:
    """Whether the environment's Python is there (its base may have been removed) and new enough."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        done = subprocess.run([str(venv / "bin" / "python"), "-c", check], check=False)
    except OSError:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """uv with its cache in the checkout, and with the package index that pip is told to use."""
    environment = os.environ | {
        "UV_CACHE_DIR": str(RUN / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
    }
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        index = environment.get("PIP_INDEX_URL") or _pip_setting("global.index-url")
        if index:
            environment["UV_DEFAULT_INDEX"] = index
    certificates = environment.get("PIP_CERT") or _pip_setting("global.cert")
    if certificates:
        environment.setdefault("SSL_CERT_FILE", certificates)
    return environment


def _pip_setting(name: str) -> str:
    command = [*_pip(), "config", "get", name]
    done = subprocess.run(command, env=_with_pip(), capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _add_checkout() -> None:
    python = VENV / "bin" / "python"
    query = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
    found = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True)
    packages = Path(json.loads(found.stdout))
    lines = "".join(f"{(ROOT / path).resolve()}\n" for path in _PATHS)
    _write(packages / "mediagen_checkout.pth", lines)
    _write(VENV / "bin" / "mediagen", _SCRIPT.format(python=python))
    (VENV / "bin" / "mediagen").chmod(0o755)


def _write(path: Path, text: str) -> None:
    """In one step, since others may be importing at this moment."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _call(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
