"""Tables fit a terminal, and are whole and unpadded for what reads a pipe."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from mediagen.cli import words
from mediagen.cli.model_pages import allowed, inputs_table, kind, models_table, price
from mediagen.cli.tables import Column, show
from mediagen.cli.webhook_pages import deliveries_table
from mediagen.v1.job_pb2 import Artifact
from mediagen.v1.model_pb2 import Model, Price
from mediagen.v1.webhook_pb2 import WebhookDelivery

COLUMNS = [Column("name", 6), Column("much", right=True), Column("what it is", 0)]
ROWS: list[list[str | Text]] = [
    ["a", "1", Text("x" * 300)],
    ["a longer name", "12", "b\tc d"],
]


def printed(width: int, *, terminal: bool, draw: Any) -> str:
    file = io.StringIO()
    draw(Console(file=file, width=width, force_terminal=terminal, color_system=None))
    return file.getvalue()


def test_a_pipe_gets_whole_cells_between_tabs() -> None:
    """Titles first; nothing is cut, padded, or broken over lines by what is in a cell."""
    lines = printed(80, terminal=False, draw=lambda c: show(c, COLUMNS, ROWS)).splitlines()
    assert lines[0] == "name\tmuch\twhat it is"
    assert [line.split("\t") for line in lines[1:]] == [
        ["a", "1", "x" * 300],
        ["a longer name", "12", "b c d"],
    ]


def test_a_terminal_gets_a_table_that_fits() -> None:
    """One line for each row."""
    lines = printed(60, terminal=True, draw=lambda c: show(c, COLUMNS, ROWS)).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 60
    assert "…" in lines[1]


@pytest.mark.parametrize(
    ("percent", "told"),
    [(0, "··········"), (50, "━━━━━·····"), (99, "━━━━━━━━━·"), (100, "━━━━━━━━━━")],
)
def test_a_bar_reads_without_colour(percent: int, told: str) -> None:
    """Nothing done looks empty, and only all done looks full."""
    assert words.bar(percent, 10) == told


def test_a_delivery_says_which_job_it_is_about() -> None:
    """Whole where there is room, its end on a narrow terminal."""
    delivery = WebhookDelivery(
        delivery_id="d" * 36, type="job.completed", job_id="j" * 24 + "k" * 12
    )
    delivery.create_time.GetCurrentTime()
    for width, job in ((200, delivery.job_id), (80, "…" + "k" * 12)):
        told = printed(width, terminal=True, draw=lambda c: deliveries_table(c, [delivery]))
        assert job in told
        assert max(map(len, told.splitlines())) <= width
    told = printed(80, terminal=False, draw=lambda c: deliveries_table(c, [delivery]))
    assert delivery.job_id in told.splitlines()[1].split("\t")


def test_an_artifact_says_its_size_and_length() -> None:
    """What is not known is left out."""
    film = Artifact(media_type="video/mp4", size_bytes=2048, width=864, height=480)
    film.duration.FromSeconds(5)
    assert words.artifact(film) == "video/mp4, 864 x 480, 5.0 s, 2.0 KiB"
    assert words.artifact(Artifact(media_type="text/plain", size_bytes=5)) == "text/plain, 5 bytes"


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"enum": ["1:1", "16:9"]}, "1:1, 16:9"),
        ({"minimum": 1.0, "maximum": 4.0}, "1 to 4"),
        ({"minimum": 0.5}, "at least 0.5"),
        ({"maxItems": 10.0}, "at most 10 of them"),
        ({"x-cog-secret": True}, "secret"),
        ({}, ""),
    ],
)
def test_what_an_input_may_be_is_said_in_words(schema: Any, told: str) -> None:
    """Choices, ranges, lengths; whole numbers of a Struct without a fraction."""
    assert allowed(schema) == told


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "format": "uri"}, "file"),
        ({"type": "array", "items": {"type": "string", "format": "uri"}}, "files"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "number or text"),
        ({"type": "boolean"}, "yes/no"),
        ({"items": True}, ""),
    ],
)
def test_the_type_of_an_input_is_said_in_words(schema: Any, told: str) -> None:
    """Files are what people care for."""
    assert kind(schema) == told


def test_prices_are_said_in_words() -> None:
    """Small ones without an exponent."""
    small = Model(price=Price(usd=0.000025, unit=Price.UNIT_RUN_SECOND))
    assert price(small) == "$0.000025 a second of its run"
    assert price(Model(price=Price(usd=3, unit=Price.UNIT_OUTPUT))) == "$3 a file"
    assert price(Model()) == ""


def test_what_a_server_says_of_models_can_not_steer_the_terminal() -> None:
    """Names, descriptions, defaults and choices are a model's makers' words."""
    evil = "\x1b[2J\x07\u202e"
    schema = {
        "properties": {
            f"in{evil}": {"type": f"t{evil}", "default": evil, "enum": [evil], "description": evil}
        },
        "required": [f"in{evil}"],
    }
    told = printed(120, terminal=True, draw=lambda c: inputs_table(c, schema))
    models = [Model(name=f"a/{evil}", description=evil)]
    told += printed(120, terminal=True, draw=lambda c: models_table(c, models))
    for bad in ("\x1b[2J", "\x07", "\u202e"):
        assert bad not in told
