"""What was typed as key=value is what the model's schema says, and never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from mediagen.cli.options import parse_pairs
from mediagen.cli.typed_inputs import parse, types_of, value_of

UNKNOWN: dict[str, Any] = {}
TEXT = {"type": "string"}
CHOICE = {"enum": ["1", "0.25"]}
COUNT = {"type": ["integer", "null"]}
SHARE = {"type": "number"}
FLAG = {"type": "boolean"}
LIST = {"type": "array", "items": {"type": "string", "format": "uri"}}
EITHER = {"anyOf": [{"type": "string"}, {"type": "integer"}]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("4.5", 4.5),
        ("true", True),
        ('["x", 1]', ["x", 1]),
        ('"4"', "4"),
        ("16:9", "16:9"),
        ("", ""),
        ("b=c", "b=c"),
        ("NaN", "NaN"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_without_a_schema_what_is_json_is_json_and_the_rest_is_text(text: str, value: Any) -> None:
    """Numbers and booleans need no quoting; text needs none either."""
    assert value_of(text, UNKNOWN) == value


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("4", TEXT, "4"),
        ("true", TEXT, "true"),
        ("null", TEXT, "null"),
        ('"4"', TEXT, "4"),
        ("1", CHOICE, "1"),
        ("0.25", CHOICE, "0.25"),
        ("4", COUNT, 4),
        ("null", COUNT, None),
        ("4", SHARE, 4),
        ("True", FLAG, True),
        ("FALSE", FLAG, False),
        ("yes", FLAG, "yes"),
        ("a few", COUNT, "a few"),
        ('["https://a/b"]', LIST, ["https://a/b"]),
        ("4", EITHER, 4),
        ("true", EITHER, "true"),
        ("@@home", TEXT, "@home"),
    ],
)
def test_with_a_schema_a_value_is_of_its_type(text: str, schema: Any, value: Any) -> None:
    """What can not be of it stays as typed: the server says what is wrong with it."""
    found = value_of(text, schema)
    assert (found, type(found)) == (value, type(value))


def test_a_file_is_a_path_and_one_of_a_list_where_a_list_is_wanted() -> None:
    """The client uploads it."""
    assert value_of("@a.png", TEXT) == Path("a.png")
    assert value_of("@a.png", LIST) == [Path("a.png")]
    assert value_of("@a.png", UNKNOWN) == Path("a.png")


@pytest.mark.parametrize(
    "schema", [{"type": 7}, {"type": ["string", 3]}, {"anyOf": []}, {"enum": [None]}, {}]
)
def test_odd_schemas_break_nothing(schema: Any) -> None:
    """They come from a server."""
    types_of(schema)
    value_of("4", schema)


def test_an_input_wins_over_the_document(tmp_path: Path) -> None:
    """A script gives the document, a person changes one value."""
    given = parse(parse_pairs(["a=2"]), '{"a": 1, "b": 1}')
    assert (given.document, given.pairs) == ({"a": 1, "b": 1}, {"a": "2"})


@pytest.mark.parametrize(
    ("pairs", "document"),
    [
        *((["a"], None), (["=1"], None), (["a=1", "a=2"], None)),
        *(([], "[1]"), ([], "{"), ([], "NaN"), (["a=@no/such/file"], None)),
    ],
)
def test_an_input_that_can_not_be_meant_is_refused(pairs: list[str], document: str | None) -> None:
    """Never guessed: it would be paid for."""
    with pytest.raises(typer.BadParameter):
        parse(parse_pairs(pairs), document)
