"""Would the image build, as far as that can be tried without a container?

The steps of deploy/Dockerfile: lint, both wheels, their installation beside the locked packages,
and every service imported from what was installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICES = ("store", "gateway", "generator", "notifier", "simulator", "edge")
# Runs a module's file as an import, from the installed wheels, with the checkout out of reach.
PROGRAM = """
import importlib, sys
checkout, installed = sys.argv[1:3]
ours = [p for p in sys.path if p.startswith(checkout) and "site-packages" not in p]
sys.path[:] = [installed] + [p for p in sys.path if p and p not in ours]
for name in sys.argv[3:]:
    module = importlib.import_module(name)
    assert module.__file__.startswith(installed), module.__file__
    print(name)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both distributions, built without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "services"):
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        done = subprocess.run(build, cwd=project, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both wheels in one folder. A pure wheel is installed by unpacking it."""
    folder = tmp_path_factory.mktemp("installed")
    for wheel in wheels:
        assert wheel.name.endswith("-py3-none-any.whl")
        with zipfile.ZipFile(wheel) as archive:
            taken = {name for name in archive.namelist() if (folder / name).is_file()}
            assert not taken, "two distributions own one file"
            archive.extractall(folder)
    return folder


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_can_be_imported_from_the_wheels(installed: Path) -> None:
    """Nothing that a service needs is left out of the wheels, nor out of locks/services.txt."""
    modules = [f"{name}.__main__" for name in SERVICES]
    modules += ["servicekit.probe", "simulator.doorway", "store.adapters.migrate", "mediagen.cli"]
    command = [sys.executable, "-c", PROGRAM, str(ROOT), str(installed), *modules]
    done = subprocess.run(
        command,
        cwd=installed,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == modules


def test_the_wheels_have_what_is_not_python(installed: Path) -> None:
    """The edge's protos and pages, the web page with all its parts, and every migration."""
    for name in ("edge/api.binpb", "edge/envoy.src.yaml", "edge/site/openapi.json"):
        assert (installed / name).is_file(), name
    page = ROOT / "services/edge/app"
    for part in filter(Path.is_file, page.rglob("*")):
        assert (installed / "edge/app" / part.relative_to(page)).is_file(), part
    assert (installed / "edge/app/index.html").is_file()
    migrations = ROOT / "services/store/adapters/migrations/versions"
    for script in migrations.glob("*.py"):
        assert (installed / "store/adapters/migrations/versions" / script.name).is_file()


def test_the_locked_packages_are_all_that_the_distributions_ask_for(wheels: list[Path]) -> None:
    """With --no-deps nobody would notice what is missing until a service starts."""
    lock = (ROOT / "locks/services.txt").read_text()
    locked = {_normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            info = next(name for name in archive.namelist() if name.endswith("/METADATA"))
            metadata = archive.read(info).decode()
        asked = re.findall(r"^Requires-Dist: ([A-Za-z0-9._-]+)", metadata, re.MULTILINE)
        assert {_normal(name) for name in asked} - {"mediagen"} <= locked


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_is_pinned_by_hash() -> None:
    """pip and uv are told to insist on it."""
    text = DOCKERFILE.read_text().replace("\\\n", "")
    installs = re.findall(r"pip[^\n&]*? install [^\n&]+", text)
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert all("--require-hashes" in each for each in re.findall(r"uv build [^\n&]+", text))


def test_the_image_runs_without_root_from_a_base_with_a_tag() -> None:
    text = DOCKERFILE.read_text()
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])
    assert set(bases[1:]) == {"base"}


def test_what_the_image_copies_is_let_through_to_the_build() -> None:
    """.dockerignore leaves out everything but what the Dockerfile names: no .env, no state."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied: set[str] = set()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE):
        copied |= set(sources.split())
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
