"""Where do the .proto files under third_party/ come from?

From packages that are already installed (their versions are pinned in locks/dev.txt): no network,
no schema registry. Google's API protos are text inside googleapis-common-protos and are copied
unchanged. gRPC's health service and buf.validate exist in their packages only in compiled form,
so their source is printed back, compiled again, and compared with the original.
"""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tools.proto_printer import print_file

THIRD_PARTY = Path(__file__).resolve().parents[1] / "third_party"


@dataclass(frozen=True)
class Source:
    """One folder of third_party: which package it comes from, under which licence, how."""

    folder: str
    package: str
    licence: str
    manner: str
    files: tuple[str, ...]


SOURCES = (
    Source(
        "googleapis",
        "googleapis-common-protos",
        "Apache-2.0, Google LLC",
        "copied unchanged",
        (
            "google/api/annotations.proto",
            "google/api/field_behavior.proto",
            "google/api/http.proto",
            "google/api/httpbody.proto",
            "google/rpc/code.proto",
            "google/rpc/error_details.proto",
            "google/rpc/status.proto",
        ),
    ),
    Source(
        "grpc",
        "grpcio-health-checking",
        "Apache-2.0, The gRPC Authors",
        "printed from the package's descriptor",
        ("grpc/health/v1/health.proto",),
    ),
    Source(
        "protovalidate",
        "protovalidate",
        "Apache-2.0, Buf Technologies, Inc.",
        "printed from the package's descriptor",
        ("buf/validate/validate.proto",),
    ),
)


def vendor() -> None:
    """Write third_party/ anew and check the printed files against their originals."""
    googleapis, grpc, protovalidate = SOURCES
    shutil.rmtree(THIRD_PARTY, ignore_errors=True)
    for name in googleapis.files:
        installed = Path(str(distribution(googleapis.package).locate_file(name)))
        _write(googleapis.folder, name, installed.read_text())
    for source, descriptor in ((grpc, _health()), (protovalidate, _validate())):
        header = [
            f"Printed from the descriptor in {source.package} {version(source.package)}",
            f"({source.licence}) by tools/vendor_protos.py. Comments are lost on that way.",
        ]
        _write(source.folder, descriptor.name, print_file(descriptor, header))
        _compare(source, descriptor)
    for source in SOURCES:
        _write(source.folder, "LICENSE", _licence(source.package))
    (THIRD_PARTY / "README.md").write_text(_readme(SOURCES))


def _licence(package: str) -> str:
    """The licence as the package ships it."""
    files = distribution(package).files or []
    return next(Path(str(f.locate())).read_text() for f in files if f.name == "LICENSE")


def _health() -> FileDescriptorProto:
    from grpc_health.v1 import health_pb2

    descriptor = FileDescriptorProto()
    health_pb2.DESCRIPTOR.CopyToProto(descriptor)
    # The installed module registers itself under its import path and proto3 is left out.
    descriptor.name = "grpc/health/v1/health.proto"
    descriptor.syntax = descriptor.syntax or "proto3"
    return descriptor


def _validate() -> FileDescriptorProto:
    # Importing registers the well-known types that validate.proto imports.
    from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2  # noqa: F401
    from protovalidate._gen.buf.validate import validate_pb

    raw = validate_pb.desc().proto.to_binary()
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName("buf/validate/validate.proto")
    except KeyError:
        pool.AddSerializedFile(raw)
    # The options of its rules are extensions declared in the same file: they are readable only
    # when the file is parsed after its own message classes exist.
    message_factory.GetMessageClassesForFiles(["buf/validate/validate.proto"], pool)
    return FileDescriptorProto.FromString(raw)


def _compare(source: Source, original: FileDescriptorProto) -> None:
    """Compile the printed file again: it must mean the same as the original."""
    buf = Path(sysconfig.get_path("scripts"), "buf")
    options = ("--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=binpb")
    image = subprocess.run(
        (buf, "build", THIRD_PARTY / source.folder, *options), check=True, stdout=subprocess.PIPE
    ).stdout
    printed = next(f for f in FileDescriptorSet.FromString(image).file if f.name == original.name)
    if _without_json_names(printed) != _without_json_names(original):
        sys.exit(f"{original.name}: the printed file does not compile back to its original")


def _without_json_names(file: FileDescriptorProto) -> FileDescriptorProto:
    """A copy without the JSON names, which a compiler derives and some packages leave out."""
    # Parsed anew, so that extensions are read the same way on both sides.
    copy = FileDescriptorProto.FromString(file.SerializeToString())
    for field in copy.extension:
        field.ClearField("json_name")
    pending = list(copy.message_type)
    while pending:
        message = pending.pop()
        pending += message.nested_type
        for field in (*message.field, *message.extension):
            field.ClearField("json_name")
    return copy


def _write(folder: str, name: str, text: str) -> None:
    path = THIRD_PARTY / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path.relative_to(THIRD_PARTY.parent)}")


def _readme(sources: Iterable[Source]) -> str:
    lines = [
        "# Protos of others",
        "",
        "Written by `tools/proto vendor` (`tools/vendor_protos.py`) from the packages installed",
        "from `locks/dev.txt`; never edited by hand. A printed file is compiled again and",
        "compared with the descriptor it came from.",
        "",
        "| folder | package | licence | how | files |",
        "|---|---|---|---|---|",
    ]
    for s in sources:
        files = ", ".join(f"`{name}`" for name in s.files)
        package = f"{s.package} {version(s.package)}"
        lines.append(f"| `{s.folder}` | {package} | {s.licence} | {s.manner} | {files} |")
    return "\n".join(lines) + "\n"
