"""By which words is a job known, and which of its inputs are secret? By its model's schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.model_inputs import InputSchema
from gateway.domain.titles import LONGEST, titled
from tests.fakes.store_catalogue import INPUTS

ID = "0198b2f0-0000-7000-8000-000000000000"
SPEECH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["voice", "token", "text"],
    "properties": {
        "accent": {"type": "string", "x-order": 0},
        "voice": {"type": "string", "enum": ["Wise_Woman"], "x-order": 1},
        "token": {"type": "string", "format": "password", "x-cog-secret": True, "x-order": 2},
        "text": {"type": "string", "x-order": 3},
        "sample": {"type": "string", "format": "uri", "x-order": 4},
        "loudness": {"type": "number", "x-order": 5},
        "note": {"type": ["string", "null"], "x-order": 6},
    },
}


def title(prompt: str = "", schema: dict[str, Any] = SPEECH, **inputs: Any) -> str:
    return InputSchema("a/b", schema).title(prompt, inputs)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a red fox", "a red fox"),
        ("  a\tred\n\n  fox\u2028 ", "a red fox"),
        ("\x00a\x1b[31m fox\x7f\x9b", "a[31m fox"),
        ("\u202eevil\u202c \u2066x\u2069\u200b\ufeff", "evil x"),
        ("👩\u200d👩\u200d👧 שלום", "👩\u200d👩\u200d👧 שלום"),
        ("x" * 500, "x" * LONGEST),
        (f"https://a.example/{'x' * 9}", ""),
        (f"upload:{ID}", ""),
        (f"artifact:{ID}/0", ""),
        ("data:image/gif;base64,R0lGODlh", ""),
        ("\u200b \n\u202e", ""),
    ],
)
def test_a_title_is_one_line_that_shows_what_it_says(text: str, line: str) -> None:
    """No line end, no control, nothing that turns the words around it, and no file."""
    assert titled(text) == line


@settings(deadline=None)
@given(st.text(max_size=600))
def test_whatever_is_given_a_title_is_one_short_line(text: str) -> None:
    """It can stand in a list and in a terminal."""
    found = titled(text)
    assert len(found) <= LONGEST
    assert found == " ".join(found.split())
    assert found.isprintable() or not any(ord(each) < 32 for each in found)


@pytest.mark.parametrize(
    ("prompt", "inputs", "wanted"),
    [
        ("a fox", {"text": "good morning"}, "a fox"),
        ("", {"accent": "of Kent", "voice": "Wise_Woman", "text": "good morning"}, "good morning"),
        ("", {"accent": "of Kent", "text": "\n"}, "of Kent"),
        ("", {"note": "a note", "accent": None, "loudness": 2}, "a note"),
        ("", {"token": "top secret", "voice": "Wise_Woman", "sample": "https://a.example/x"}, ""),
    ],
)
def test_the_prompt_else_the_text_that_the_model_requires_else_the_first(
    prompt: str, inputs: dict[str, Any], wanted: str
) -> None:
    """By x-order; never a choice, a file or a secret."""
    assert title(prompt, **inputs) == wanted


def test_a_prompt_counts_wherever_it_was_given() -> None:
    """In the field of its name, or among the inputs."""
    schema = InputSchema("a/b", INPUTS)
    assert schema.title("a fox", {}) == schema.title("", {"prompt": "a fox"}) == "a fox"


def test_a_prompt_that_is_secret_is_no_title() -> None:
    """Whatever it is called, a secret is not shown."""
    schema = {"properties": {"prompt": {"type": "string", "x-cog-secret": True}}}
    assert title("top secret", schema) == ""


@pytest.mark.parametrize(
    "said",
    [
        {"type": "string", "x-cog-secret": True},
        {"anyOf": [{"type": "string", "x-cog-secret": True}, {"type": "null"}]},
        {"type": "array", "items": {"type": "string", "x-cog-secret": True}},
    ],
)
def test_an_input_that_may_hold_a_secret_is_secret(said: dict[str, Any]) -> None:
    """One that may be null and a list among them. Its default is not shown either."""
    schema = InputSchema("a/b", {"properties": {"key": {**said, "default": "d"}, "other": {}}})
    assert schema.secrets == {"key"}
    assert schema.left_out({}) == {}
    assert InputSchema("a/b", INPUTS).secrets == frozenset()
