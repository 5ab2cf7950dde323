"""Where files go in an input, how they are named to people, and what may be lost of a call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from generator.domain.answers import Prediction
from generator.domain.input_files import (
    MOST_INLINE,
    data_url,
    field_name,
    inline,
    placed,
    safe_name,
)
from generator.domain.matching import LostCall, could_be

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sizes", "already", "chosen"),
    [
        ([], 0, []),
        ([MOST_INLINE], 0, [True]),
        ([MOST_INLINE + 1], 0, [False]),
        ([MOST_INLINE], 1, [False]),
        ([100, MOST_INLINE, 100], 0, [True, False, True]),
        ([150_000, 150_000], 0, [True, False]),
        ([10], 10 * MOST_INLINE, [False]),
    ],
)
def test_files_go_inline_while_all_of_them_together_are_small(
    sizes: list[int], already: int, chosen: list[bool]
) -> None:
    """With those that the caller gave as data: URLs."""
    assert inline(sizes, already) == chosen


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/image", {"image": "here", "list": ["a", {"b": "c"}], "x/y~z": "d"}),
        ("/list/0", {"image": "i", "list": ["here", {"b": "c"}], "x/y~z": "d"}),
        ("/list/1/b", {"image": "i", "list": ["a", {"b": "here"}], "x/y~z": "d"}),
        ("/x~1y~0z", {"image": "i", "list": ["a", {"b": "c"}], "x/y~z": "here"}),
    ],
)
def test_an_address_goes_where_the_reference_stood(path: str, changed: Any) -> None:
    """By its JSON pointer; nothing else is touched, and nothing of the original."""
    given = {"image": "i", "list": ["a", {"b": "c"}], "x/y~z": "d"}
    before = str(given)
    assert placed(given, path, "here") == changed
    assert str(given) == before


@pytest.mark.parametrize("path", ["/other", "/list/7", "/image/0", "/list/one", ""])
def test_an_address_never_goes_where_nothing_stood(path: str) -> None:
    """The path is the gateway's: one that does not fit is a fault, not a new input."""
    with pytest.raises((KeyError, IndexError, ValueError)):
        placed({"image": "i", "list": ["a"]}, path, "here")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/image", "image"), ("/input_images/0", "input_images[0]"), ("/a/b/1/c", "a.b[1].c"),
        ("/x~1y", "x/y"), ("/0", "0"),
    ],
)  # fmt: skip
def test_a_pointer_is_named_as_people_name_it(path: str, name: str) -> None:
    """As the checks before a submit name it."""
    assert field_name(path) == name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("a cat.png", "a cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\cats\\one.png", "one.png"),
        ('a"\r\nX-Evil: 1\r\n\r\n.png', 'a"X-Evil: 1.png'),
        ("\x00\x1f", "input.png"),
        ("", "input.png"),
        ("..", "input.png"),
        ("ü" * 300 + ".png", "ü" * 125 + ".png"),
    ],
)
def test_a_file_name_is_no_more_than_a_name(given: str, safe: str) -> None:
    """It stands in a header of ours."""
    assert safe_name(given, "input.png") == safe
    assert len(safe_name(given, "input.png").encode()) <= 255


def test_a_data_url_holds_the_bytes() -> None:
    """In base64, under their type."""
    assert data_url("image/png", b"\x00\xff") == "data:image/png;base64,AP8="


@pytest.mark.parametrize(
    ("sent", "shown", "may_be"),
    [
        ("data:image/png;base64,AA==", "https://replicate.delivery/x", True),
        (["data:image/png;base64,AA=="], ["https://replicate.delivery/x"], True),
        ({"image": "data:image/png;base64,AA=="}, {"image": "https://x"}, True),
        ("https://api.replicate.com/v1/files/abc", "https://replicate.delivery/x", True),
        (["https://api.replicate.com/v1/files/abc"], ["https://replicate.delivery/x"], True),
        ("http://proxy:8080/replicate/v1/files/abc", "https://replicate.delivery/x", True),
        ("https://example.com/a.png", "https://example.com/b.png", False),
        (["https://example.com/a.png"], ["https://example.com/b.png"], False),
        (["a cat"], ["a dog"], False),
    ],
)
def test_a_file_shown_otherwise_does_not_tell_two_calls_apart(
    sent: Any, shown: Any, may_be: bool
) -> None:
    """Else a call whose answer was lost would count as never made, and be paid for again."""
    call = LostCall("t", "a/b", {"prompt": "p", "image": sent}, NOW, NOW + timedelta(seconds=5))
    listed = Prediction("p1", "starting", model="a/b", input={"prompt": "p", "image": shown})
    assert could_be(call, listed) is may_be
