"""What do the compiled protos declare, and what do their comments say?

An index by full name over a FileDescriptorSet that was built with its source information.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

# Field numbers inside descriptor.proto, of which the paths of comments are made.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE = 4, 5, 6
MESSAGE_FIELD, MESSAGE_MESSAGE, MESSAGE_ENUM = 2, 3, 4
ENUM_VALUE, SERVICE_METHOD = 2, 2

Path = tuple[int, ...]


@dataclass
class Declarations:
    """Messages, enums and services by full name, and the comment of each declaration."""

    messages: dict[str, DescriptorProto] = field(default_factory=dict)
    enums: dict[str, EnumDescriptorProto] = field(default_factory=dict)
    services: dict[str, ServiceDescriptorProto] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def comment(self, name: str) -> str:
        """The comment before a declaration, as Markdown; empty if there is none."""
        return self.comments.get(name, "")


def index(files: FileDescriptorSet) -> Declarations:
    """Everything in these files."""
    found = Declarations()
    for file in files.file:
        _FileIndex(file, found).read()
    return found


class _FileIndex:
    """Walks one file and adds what it declares."""

    def __init__(self, file: FileDescriptorProto, found: Declarations) -> None:
        self._file = file
        self._found = found
        self._comments = {
            tuple(location.path): _clean(location.leading_comments)
            for location in file.source_code_info.location
            if location.leading_comments
        }

    def read(self) -> None:
        package = self._file.package
        for i, message in enumerate(self._file.message_type):
            self._message(f"{package}.{message.name}", message, (FILE_MESSAGE, i))
        for i, enum in enumerate(self._file.enum_type):
            self._enum(f"{package}.{enum.name}", enum, (FILE_ENUM, i))
        for i, service in enumerate(self._file.service):
            name, path = f"{package}.{service.name}", (FILE_SERVICE, i)
            self._found.services[name] = service
            self._note(name, path)
            self._note_all(name, (m.name for m in service.method), (*path, SERVICE_METHOD))

    def _message(self, name: str, message: DescriptorProto, path: Path) -> None:
        self._found.messages[name] = message
        self._note(name, path)
        self._note_all(name, (f.name for f in message.field), (*path, MESSAGE_FIELD))
        for i, enum in enumerate(message.enum_type):
            self._enum(f"{name}.{enum.name}", enum, (*path, MESSAGE_ENUM, i))
        for i, nested in enumerate(message.nested_type):
            self._message(f"{name}.{nested.name}", nested, (*path, MESSAGE_MESSAGE, i))

    def _enum(self, name: str, enum: EnumDescriptorProto, path: Path) -> None:
        self._found.enums[name] = enum
        self._note(name, path)
        self._note_all(name, (value.name for value in enum.value), (*path, ENUM_VALUE))

    def _note_all(self, owner: str, names: Iterable[str], path: Path) -> None:
        for i, name in enumerate(names):
            self._note(f"{owner}.{name}", (*path, i))

    def _note(self, name: str, path: Path) -> None:
        if comment := self._comments.get(path):
            self._found.comments[name] = comment


def _clean(comment: str) -> str:
    return "\n".join(line.strip() for line in comment.splitlines()).strip()
