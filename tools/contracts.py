"""What can be done with the protos, and what must hold before a change of them is merged?

    tools/proto generate   write everything that is generated from protos/ into the checkout
    tools/proto check      lint, format, breaking changes, and whether what is generated is fresh
    tools/proto baseline   accept the protos as they are as what later changes may not break
    tools/proto vendor     write third_party/ anew from the installed packages

Generation happens in a temporary folder and is then copied, so that `check` compares exactly what
`generate` would write, and a failure half-way leaves the checkout as it was.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools import vendor_protos
from tools.openapi import document

ROOT = Path(__file__).resolve().parents[1]
BASELINE = Path("protos/baseline.binpb")
CLIENT = Path("client")
EDGE_DESCRIPTOR = Path("services/edge/api.binpb")
OPENAPI = Path("services/edge/site/openapi.json")
GENERATED_NAMES = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
ERROR_DETAILS = "third_party/googleapis/google/rpc/error_details.proto"
HTTP_BODY = ".google.api.HttpBody"


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Run one of the environment's tools at the root of the checkout, catching its stdout."""
    path = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
    return subprocess.run(
        command, cwd=ROOT, check=check, stdout=subprocess.PIPE, env={**os.environ, "PATH": path}
    )


def image() -> FileDescriptorSet:
    """Every proto of the workspace, compiled, with its comments."""
    built = run("buf", "build", "--as-file-descriptor-set", "-o", "-#format=binpb")
    return FileDescriptorSet.FromString(built.stdout)


def generate_into(folder: Path) -> None:
    """Write every generated file below `folder`, at its path in the checkout."""
    _python_into(folder)
    _edge_descriptor_into(folder)
    _openapi_into(folder)


def _python_into(folder: Path) -> None:
    run("buf", "generate", "-o", folder / CLIENT)
    for stub in folder.rglob("*_pb2_grpc.pyi"):
        if not stub.with_suffix(".py").exists():
            stub.unlink()  # the stub generator writes one for files without a service, too


def _edge_descriptor_into(folder: Path) -> None:
    """The public protos for Envoy, with all error details: one unknown type empties a body."""
    target = folder / EDGE_DESCRIPTOR
    target.parent.mkdir(parents=True)
    run(
        "buf", "build", "--path", "protos/mediagen/v1", "--path", ERROR_DETAILS,
        "--as-file-descriptor-set", "--exclude-source-info", "-o", f"{target}#format=binpb",
    )  # fmt: skip


def _openapi_into(folder: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    target = folder / OPENAPI
    target.parent.mkdir(parents=True)
    target.write_text(document.render(image(), project["version"]))


def generate() -> bool:
    """Make the checkout's generated files equal to what the protos say."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        generate_into(fresh)
        for path in _stale(fresh):
            target = ROOT / path
            if (fresh / path).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fresh / path, target)
                print(f"wrote {path}")
            else:
                target.unlink()
                print(f"removed {path}")
    return True


def _stale(fresh: Path) -> Iterator[Path]:
    """Paths of generated files that differ, are missing, or are no longer generated."""
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    present = {
        path.relative_to(ROOT) for glob in GENERATED_NAMES for path in (ROOT / CLIENT).rglob(glob)
    }
    for path in sorted(wanted | present):
        same = path in wanted and (ROOT / path).exists()
        if not (same and filecmp.cmp(fresh / path, ROOT / path, shallow=False)):
            yield path


def baseline() -> bool:
    """Write the image that `buf breaking` compares with."""
    run("buf", "build", "protos", "--exclude-source-info", "-o", f"{BASELINE}#format=binpb")
    print(f"wrote {BASELINE}")
    return True


def vendor() -> bool:
    """Write third_party/ anew."""
    vendor_protos.vendor()
    return True


def check() -> bool:
    """Run every check, print one line for each, and say whether all of them held."""
    steps: tuple[tuple[str, Callable[[], list[str]]], ...] = (
        ("buf lint", lambda: _complaints("buf", "lint")),
        ("response names", _misnamed_responses),
        ("buf format", lambda: _complaints("buf", "format", "-d", "--exit-code", "protos")),
        ("buf breaking", _breaking_changes),
        ("generated code fresh", _stale_files),
    )
    results = [_report(name, step) for name, step in steps]
    return all(results)


def _report(name: str, step: Callable[[], list[str]]) -> bool:
    try:
        complaints = step()
    except subprocess.CalledProcessError as error:
        complaints = [f"{error.cmd[0]} failed, see above"]
    print(f"{'FAIL' if complaints else 'ok':4}  {name}")
    for line in complaints:
        print(f"      {line}")
    return not complaints


def _complaints(*command: str | Path) -> list[str]:
    finished = run(*command, check=False)
    if finished.returncode == 0:
        return []
    return finished.stdout.decode().splitlines() or [f"exit status {finished.returncode}"]


def _misnamed_responses() -> list[str]:
    """Methods whose response is not their own <Method>Response, those with HttpBody aside."""
    return [
        f"{file.name}: {service.name}.{method.name} answers with {method.output_type}"
        for file in image().file
        if file.package.startswith("mediagen.")
        for service in file.service
        for method in service.method
        if method.output_type not in (HTTP_BODY, f".{file.package}.{method.name}Response")
    ]


def _breaking_changes() -> list[str]:
    if not (ROOT / BASELINE).exists():
        return [f"{BASELINE} is missing: run `tools/proto baseline`"]
    return _complaints("buf", "breaking", "protos", "--against", f"{BASELINE}#format=binpb")


def _stale_files() -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        generate_into(Path(name))
        return [f"{path} is stale: run `tools/proto generate`" for path in _stale(Path(name))]


COMMANDS: dict[str, Callable[[], bool]] = {
    "generate": generate,
    "check": check,
    "baseline": baseline,
    "vendor": vendor,
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: tools/proto {' | '.join(COMMANDS)}")
    try:
        sys.exit(0 if COMMANDS[sys.argv[1]]() else 1)
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{failure.cmd[0]} failed with status {failure.returncode}, see above")
