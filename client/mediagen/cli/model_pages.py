"""What do the commands about models print?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.text import Text

from mediagen.cli import input_words, words
from mediagen.cli.pages import NARROW, grid, request_rows
from mediagen.cli.tables import Column, show
from mediagen.cli.typed_inputs import SECRET, types_of
from mediagen.v1.input_service_pb2 import Upload
from mediagen.v1.job_pb2 import Job
from mediagen.v1.model_pb2 import Model, Price

# In words, and short for a column.
_UNITS: dict[int, tuple[str, str]] = {
    Price.UNIT_OUTPUT: ("a file", "/file"),
    Price.UNIT_RUN_SECOND: ("a second of its run", "/s run"),
    Price.UNIT_OUTPUT_SECOND: ("a second of what is made", "/s made"),
    Price.UNIT_MEGAPIXEL: ("a megapixel", "/MP"),
    Price.UNIT_RUN: ("a run", "/run"),
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
    columns = [
        Column("model", most=40),
        Column("makes"),
        Column("price"),
        Column("takes", right=True),
        Column("description", 0),
    ]
    rows = [
        [
            words.plain(each.name),
            makes(each),
            price(each, short=True),
            usual_time(each),
            words.plain(each.description),
        ]
        for each in models
    ]
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
    order = input_words.in_order(properties, schema)
    narrow = console.width < NARROW
    columns = [
        Column("input", most=24 if narrow else 32),
        Column("type", most=9),
        Column("default", most=10 if narrow else 14),
        Column("allowed", most=20 if narrow else 30, folds=True),
        Column("what it is", 0, folds=True),
    ]
    rows = [
        [
            words.plain(name) + ("*" if name in required else ""),
            kind(properties[name]),
            input_words.value(properties[name]["default"]) if "default" in properties[name] else "",
            allowed(properties[name]),
            words.plain(str(properties[name].get("description") or "")),
        ]
        for name in order
    ]
    show(console, columns, [[Text(cell) for cell in row] for row in rows])
    if required and console.is_terminal:
        console.print(Text("* required", style="dim"))


def checked_page(console: Console, job: Job, schema: Mapping[str, Any]) -> None:
    """A request that was only checked: what would be submitted, with what was left out."""
    console.print("The request is valid. Nothing was submitted. It would be:")
    page = grid()
    for label, said in request_rows(job, schema):
        page.add_row(f"  {label}", said)
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


def price(model: Model, *, short: bool = False) -> str:
    """ "$0.003 a file", in short "$0.003/file"; empty if it is not known."""
    if not model.HasField("price"):
        return ""
    usd = f"{model.price.usd:.6f}".rstrip("0").rstrip(".")
    in_words, in_short = _UNITS.get(model.price.unit, ("", ""))
    return f"${usd}{in_short}" if short else f"${usd} {in_words}".rstrip()


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
    told = [input_words.value(each) for each in schema.get("enum", [])]
    if told:
        return ", ".join(told)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{input_words.value(low)} to {input_words.value(high)}"
    found = [
        form.format(input_words.value(schema[name])) for name, form in _RANGES if name in schema
    ]
    if schema.get(SECRET):
        found.append("secret")
    return ", ".join(found)
