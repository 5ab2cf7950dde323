"""What another team gets from `pip install .`: the client, its stubs, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + sys.argv[1:]
import mediagen, mediagen.v1.generation_service_pb2_grpc, buf.validate.validate_pb2
assert mediagen.__file__.startswith(sys.argv[1]), mediagen.__file__
mediagen.Client("localhost:1")
from mediagen.cli import main
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_has_the_client_the_stubs_and_their_types(names: set[str]) -> None:
    """Every hand-written module, the public contracts, and the marker for type checkers."""
    client = ROOT / "client"
    written = {str(path.relative_to(client)) for path in client.glob("mediagen/*.py")}
    written |= {str(path.relative_to(client)) for path in client.glob("mediagen/cli/*.py")}
    stubs = {f"mediagen/v1/{name}_pb2.py{i}" for name in ("job", "failure") for i in ("", "i")}
    stubs |= {"mediagen/v1/generation_service_pb2_grpc.py", "buf/validate/validate_pb2.py"}
    assert written | stubs | {"mediagen/py.typed"} <= names


def test_the_wheel_has_nothing_that_a_client_does_not_need(names: set[str]) -> None:
    """No internal contracts, no services, no tests."""
    info = re.compile(r"mediagen-[^/]+\.dist-info/")
    packages = {"/".join(name.split("/")[:2]) for name in names if not info.match(name)}
    folders = {each for each in packages if not each.endswith((".py", ".pyi", ".typed"))}
    assert folders == {"mediagen/v1", "mediagen/cli", "buf/validate"}


def test_the_wheel_asks_for_the_client_s_packages_only(wheel: Path) -> None:
    """typer and rich come with the extra; the stubs' generator sets the least versions."""
    needed = {_name(each) for each in _requirements(wheel) if "extra ==" not in each}
    assert needed == {"googleapis-common-protos", "grpcio", "grpcio-status", "protobuf"}


def test_the_least_versions_are_those_that_the_stubs_accept(wheel: Path) -> None:
    """Generated code refuses to be imported with an older grpcio or protobuf."""
    least = {_name(each): re.search(r">=([\d.]+)", each) for each in _requirements(wheel)}
    stub = (ROOT / "client/mediagen/v1/generation_service_pb2_grpc.py").read_text()
    messages = (ROOT / "client/mediagen/v1/job_pb2.py").read_text()
    generated = {
        "grpcio": re.search(r"GRPC_GENERATED_VERSION = '([\d.]+)'", stub),
        "protobuf": re.search(r"Protobuf Python Version: ([\d.]+)", messages),
    }
    for name, match in generated.items():
        bound = least[name]
        assert match is not None
        assert bound is not None
        assert _version(bound[1]) >= _version(match[1]), name


def test_the_installed_client_needs_its_own_packages_only(wheel: Path, tmp_path: Path) -> None:
    """Imported where nothing else is; the command line then says what it lacks."""
    installed, needed = tmp_path / "installed", tmp_path / "needed"
    zipfile.ZipFile(wheel).extractall(installed)  # all that pip does with a pure wheel's modules
    for path in _files({_name(each) for each in _requirements(wheel) if "extra ==" not in each}):
        link = needed / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(str(metadata.distribution("grpcio").locate_file(path))).resolve())
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, str(installed), str(needed)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert 'pip install "mediagen[cli]"' in done.stderr, done.stderr
    assert done.returncode == 2


def _requirements(wheel: Path) -> list[str]:
    archive = zipfile.ZipFile(wheel)
    name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
    lines = archive.read(name).decode().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]


def _files(names: set[str]) -> Iterator[str]:
    """The modules of these distributions and of all that they require."""
    done, left = set[str](), set(names)
    while left:
        name = left.pop()
        done.add(name)
        distribution = metadata.distribution(name)
        for each in distribution.requires or []:
            if "extra ==" not in each and _name(each) not in done:
                left.add(_name(each))
        for file in distribution.files or []:
            if not str(file).startswith("..") and "__pycache__" not in str(file):
                yield str(file)


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return match[0].lower()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
