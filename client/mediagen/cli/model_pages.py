"""What do the commands about models print?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.text import Text

from mediagen.cli import documents, words
from mediagen.cli.pages import NARROW, grid
from mediagen.cli.tables import Column, show
from mediagen.cli.typed_inputs import types_of
from mediagen.v1.input_service_pb2 import Upload
from mediagen.v1.model_pb2 import Model, Price

_UNITS: dict[int, str] = {
    Price.UNIT_OUTPUT: "a file",
    Price.UNIT_RUN_SECOND: "a second of its run",
    Price.UNIT_OUTPUT_SECOND: "a second of what is made",
    Price.UNIT_MEGAPIXEL: "a megapixel",
    Price.UNIT_RUN: "a run",
}
_RANGES: tuple[tuple[str, str], ...] = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("exclusiveMinimum", "more than {}"),
    ("exclusiveMaximum", "less than {}"),
    ("multipleOf", "a multiple of {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
)


def models_table(console: Console, models: Sequence[Model]) -> None:
    """One line for each. The name is whole, the description gets what is left of the width."""
    narrow = console.is_terminal and console.width < NARROW
    longest = max((len(each.name) for each in models), default=0)
    columns = [
        Column("model", min(40, max(5, longest))),
        Column("makes", 5),
        *([] if narrow else [Column("price", 30)]),
        Column("takes", 8, right=True),
        Column("description", 0),
    ]
    rows = []
    for each in models:
        cells = [words.plain(each.name), makes(each)]
        cells += [] if narrow else [price(each)]
        rows.append([*cells, usual_time(each), words.plain(each.description)])
    show(console, columns, [[Text(cell) for cell in row] for row in rows])


def model_page(console: Console, model: Model) -> None:
    """Everything about one model, its inputs as a table."""
    page = grid()
    page.add_row("model", words.plain(model.name))
    page.add_row("does", words.plain(model.description))
    page.add_row("makes", makes(model))
    page.add_row("version", words.plain(model.version) or "the provider's choice: it is official")
    page.add_row("price", price(model) or "not known")
    page.add_row("takes", usual_time(model) or "not known")
    if model.provider_url:
        page.add_row("more", words.plain(model.provider_url))
    if model.cover_url:
        page.add_row("cover", words.plain(model.cover_url))
    synced = words.when(model.sync_time) if model.HasField("sync_time") else "never: as shipped"
    page.add_row("read", synced)
    if model.sync_problem:
        page.add_row("", Text(words.plain(model.sync_problem), style="yellow"))
    console.print(page, soft_wrap=False)
    console.print()
    schema = MessageToDict(model.input_schema)
    inputs_table(console, schema)


def inputs_table(console: Console, schema: Mapping[str, Any]) -> None:
    """The inputs in the order of a form: of what type, what if left out, what is allowed."""
    required = set(schema.get("required", []))
    properties = schema.get("properties", {})
    order = sorted(properties, key=lambda name: (_place(properties[name]), name))
    longest = max((len(name) for name in order), default=0)
    columns = [
        Column("input", min(32, longest + 1)),
        Column("type", 9),
        Column("default", 14),
        Column("allowed", 30, folds=True),
        Column("what it is", 0, folds=True),
    ]
    rows = [
        [
            words.plain(name) + ("*" if name in required else ""),
            kind(properties[name]),
            _value(properties[name]["default"]) if "default" in properties[name] else "",
            allowed(properties[name]),
            words.plain(str(properties[name].get("description") or "")),
        ]
        for name in order
    ]
    show(console, columns, [[Text(cell) for cell in row] for row in rows])
    if required and console.is_terminal:
        console.print(Text("* required", style="dim"))


def defaults_page(console: Console, defaults: Mapping[str, Any]) -> None:
    """What the model takes for the inputs that were left out."""
    console.print("The request is valid. Left out, and taken as:" if defaults else "It is valid.")
    page = grid()
    for name, value in defaults.items():
        page.add_row(f"  {words.plain(name)}", _value(value))
    console.print(page, soft_wrap=False)


def upload_page(console: Console, upload: Upload) -> None:
    """The upload's reference, which is what a job's input says."""
    text = Text(words.plain(upload.uri), style="bold")
    size = words.size(upload.size_bytes)
    text.append(f"\n  {words.plain(upload.media_type)}, {size}", style="not bold")
    text.append(f"\n  sha256 {words.plain(upload.sha256)}", style="not bold")
    console.print(text)


def makes(model: Model) -> str:
    """ "image", "video", …; empty if it is not known."""
    word = words.enum_word(Model.OutputKind, "OUTPUT_KIND_", model.output_kind)
    return "" if word == "unspecified" else word


def price(model: Model) -> str:
    """ "$0.003 a file"; empty if it is not known."""
    if not model.HasField("price"):
        return ""
    usd = f"{model.price.usd:.6f}".rstrip("0").rstrip(".")
    return f"${usd} {_UNITS.get(model.price.unit, '')}".rstrip()


def usual_time(model: Model) -> str:
    """How long it takes in half of the cases; empty if it is not known."""
    if not model.HasField("run_time"):
        return ""
    return words.duration(model.run_time.p50.ToNanoseconds() / 1e9)


def kind(schema: Mapping[str, Any]) -> str:
    """ "file", "files", "number", "integer", "yes/no", …"""
    items = schema.get("items", {})
    if schema.get("format") == "uri":
        return "file"
    if isinstance(items, Mapping) and items.get("format") == "uri":
        return "files"
    names = {"boolean": "yes/no", "string": "text", "array": "list"}
    found = [names.get(each, each) for each in sorted(types_of(schema) - {"null"})]
    return words.plain(" or ".join(found))


def allowed(schema: Mapping[str, Any]) -> str:
    """The choices, or the range."""
    told = [_value(each) for each in schema.get("enum", [])]
    if told:
        return ", ".join(told)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{_value(low)} to {_value(high)}"
    found = [form.format(_value(schema[name])) for name, form in _RANGES if name in schema]
    if schema.get("x-cog-secret"):
        found.append("secret")
    return ", ".join(found)


def _place(schema: Mapping[str, Any]) -> float:
    order = schema.get("x-order")
    return float(order) if isinstance(order, int | float) else 1e9


def _value(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a Struct has doubles only
    if isinstance(value, str):
        return words.plain(value) or '""'
    return words.plain(documents.dump(value) if isinstance(value, dict) else _plain_json(value))


def _plain_json(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value)
