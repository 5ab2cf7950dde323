"""How does a compiled descriptor become .proto text again?

Some packages ship a schema only in its compiled form. `print_file` writes the source back: every
declaration, option and extension, without the comments, which a descriptor does not carry. The
vendoring script compiles the text again and compares, so what this printer cannot express is
found there and not by a reader.
"""

from collections.abc import Iterable, Iterator

from google.protobuf import text_encoding, text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.message import Message

SCALAR_NAMES = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}
EXTENSION_RANGE_END = 536870912


def print_file(file: FileDescriptorProto, header: Iterable[str]) -> str:
    """The .proto source of one file, opened by the header's lines as comments."""
    lines = [f"// {line}".rstrip() for line in header]
    lines += [f'syntax = "{file.syntax or "proto2"}";', "", f"package {file.package};", ""]
    lines += [f'import "{name}";' for name in file.dependency]
    lines += _options(file.options)
    scope = f".{file.package}"
    for enum in file.enum_type:
        lines += ["", *_enum(enum)]
    for message in file.message_type:
        lines += ["", *_message(message, scope, file.syntax)]
    for service in file.service:
        lines += ["", *_service(service)]
    if file.extension:
        lines += ["", *_extensions(file.extension, file.syntax)]
    return "\n".join(lines) + "\n"


def _service(service: ServiceDescriptorProto) -> Iterator[str]:
    yield f"service {service.name} {{"
    for method in service.method:
        takes = f"{'stream ' if method.client_streaming else ''}{method.input_type}"
        gives = f"{'stream ' if method.server_streaming else ''}{method.output_type}"
        signature = f"  rpc {method.name}({takes}) returns ({gives})"
        options = list(_indent(_indent(_options(method.options))))
        yield from [f"{signature} {{", *options, "  }"] if options else [f"{signature};"]
    yield "}"


def _message(message: DescriptorProto, scope: str, syntax: str) -> Iterator[str]:
    name = f"{scope}.{message.name}"
    maps = {f"{name}.{m.name}": m for m in message.nested_type if m.options.map_entry}
    yield f"message {message.name} {{"
    yield from _indent(_options(message.options))
    yield from _indent(_reserved(message))
    for enum in message.enum_type:
        yield from _indent(_enum(enum))
    for nested in message.nested_type:
        if not nested.options.map_entry:
            yield from _indent(_message(nested, name, syntax))
    yield from _indent(_fields(message, maps, syntax))
    yield from _indent(_extensions(message.extension, syntax))
    yield "}"


def _reserved(message: DescriptorProto) -> Iterator[str]:
    for gap in message.reserved_range:
        last = gap.end - 1
        yield f"reserved {gap.start}{f' to {last}' if last > gap.start else ''};"
    for reserved_name in message.reserved_name:
        yield f'reserved "{reserved_name}";'
    for span in message.extension_range:
        end = "max" if span.end >= EXTENSION_RANGE_END else span.end - 1
        yield f"extensions {span.start} to {end};"


def _fields(
    message: DescriptorProto, maps: dict[str, DescriptorProto], syntax: str
) -> Iterator[str]:
    """Fields in order; a oneof is written where its first field stands."""
    written: set[int] = set()
    for field in message.field:
        if not field.HasField("oneof_index") or field.proto3_optional:
            yield _field(field, _label(field, syntax), maps)
        elif field.oneof_index not in written:
            written.add(field.oneof_index)
            oneof = message.oneof_decl[field.oneof_index]
            members = [
                f
                for f in message.field
                if f.HasField("oneof_index") and f.oneof_index == field.oneof_index
            ]
            yield f"oneof {oneof.name} {{"
            yield from _indent(_options(oneof.options))
            yield from _indent(_field(member, "", maps) for member in members)
            yield "}"


def _label(field: FieldDescriptorProto, syntax: str) -> str:
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return "repeated "
    if field.label == FieldDescriptorProto.LABEL_REQUIRED:
        return "required "
    implicit = syntax == "editions" or (syntax == "proto3" and not field.proto3_optional)
    return "" if implicit else "optional "


def _field(field: FieldDescriptorProto, label: str, maps: dict[str, DescriptorProto]) -> str:
    type_name = _type_name(field)
    if field.type_name in maps:
        key, value = maps[field.type_name].field
        label, type_name = "", f"map<{_type_name(key)}, {_type_name(value)}>"
    settings = [f"{name} = {value}" for name, value in _settings(field.options)]
    if field.HasField("default_value"):
        quoted = field.type in (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES)
        default = f'"{field.default_value}"' if quoted else field.default_value
        settings.insert(0, f"default = {default}")
    tail = f" [{', '.join(settings)}]" if settings else ""
    return f"{label}{type_name} {field.name} = {field.number}{tail};"


def _type_name(field: FieldDescriptorProto) -> str:
    return field.type_name or SCALAR_NAMES[field.type]


def _extensions(extensions: Iterable[FieldDescriptorProto], syntax: str) -> Iterator[str]:
    by_target: dict[str, list[FieldDescriptorProto]] = {}
    for extension in extensions:
        by_target.setdefault(extension.extendee, []).append(extension)
    for target, fields in by_target.items():
        yield f"extend {target} {{"
        yield from _indent(_field(field, _label(field, syntax), {}) for field in fields)
        yield "}"


def _enum(enum: EnumDescriptorProto) -> Iterator[str]:
    yield f"enum {enum.name} {{"
    yield from _indent(_options(enum.options))
    for value in enum.value:
        settings = ", ".join(f"{name} = {text}" for name, text in _settings(value.options))
        yield f"  {value.name} = {value.number}{f' [{settings}]' if settings else ''};"
    for gap in enum.reserved_range:
        yield f"  reserved {gap.start} to {gap.end};"
    for reserved_name in enum.reserved_name:
        yield f'  reserved "{reserved_name}";'
    yield "}"


def _options(options: Message) -> Iterator[str]:
    for name, value in _settings(options):
        yield f"option {name} = {value};"


def _settings(options: Message) -> Iterator[tuple[str, str]]:
    """Each option that is set, as (name, text); a repeated option comes once per value."""
    for field, value in options.ListFields():
        name = f"({field.full_name})" if field.is_extension else field.name
        for item in value if field.is_repeated else [value]:
            yield name, _option_text(field, item)


def _option_text(field: FieldDescriptor, value: object) -> str:
    if isinstance(value, Message):
        return f"{{ {text_format.MessageToString(value, as_one_line=True, as_utf8=True)} }}"
    if isinstance(value, str):
        return f'"{text_encoding.CEscape(value.encode(), as_utf8=True)}"'
    if isinstance(value, bytes):
        return f'"{text_encoding.CEscape(value, as_utf8=False)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.enum_type is not None and isinstance(value, int):
        return field.enum_type.values_by_number[value].name
    return repr(value)


def _indent(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
