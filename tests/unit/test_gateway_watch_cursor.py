"""Is a cursor what it was made of, and anything else refused?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import CursorInvalid
from gateway.watch.cursor import Cursor

NUMBERS = st.integers(0, 2**63 - 1)
CURSORS = st.builds(Cursor, NUMBERS, NUMBERS, st.integers(0, 253_402_300_799_999))
TENANTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(CURSORS, TENANTS)
def test_a_cursor_comes_back_as_it_was_given(cursor: Cursor, tenant: str) -> None:
    """As text for a URL and a header, within what the proto allows."""
    text = cursor.text(tenant)
    assert Cursor.parsed(text, tenant) == cursor
    assert len(text) <= 200 and text.isascii() and not set(text) & set("+/= &?#\r\n")


@given(CURSORS, st.data())
def test_a_cursor_with_one_letter_changed_or_lost_is_refused(
    cursor: Cursor, data: st.DataObject
) -> None:
    """So a typing error never begins at another place."""
    text = cursor.text("default")
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_").filter(lambda each: each != text[at]))
    for wrong in (text[:at] + letter + text[at + 1 :], text[:at] + text[at + 1 :]):
        with pytest.raises(CursorInvalid):
            Cursor.parsed(wrong, "default")


@given(CURSORS, TENANTS, TENANTS)
def test_a_cursor_of_another_tenant_is_refused(cursor: Cursor, one: str, other: str) -> None:
    """Its place would mean nothing there."""
    if one != other:
        with pytest.raises(CursorInvalid):
            Cursor.parsed(cursor.text(one), other)


@given(st.one_of(st.text(max_size=200), st.binary(max_size=60).map(bytes.hex)))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Whatever it is, with CursorInvalid and nothing else."""
    with pytest.raises(CursorInvalid):
        Cursor.parsed(text, "default")


@pytest.mark.parametrize(
    "cursor",
    [Cursor(2**63, 1, 1), Cursor(1, 2**64 - 1, 1), Cursor(1, 1, 253_402_300_800_000)],
)
def test_numbers_that_no_message_can_hold_are_refused(cursor: Cursor) -> None:
    """The check is no secret, so anyone can make them; they must not crash a call."""
    with pytest.raises(CursorInvalid):
        Cursor.parsed(cursor.text("default"), "default")


def test_the_refusal_names_the_field() -> None:
    """As every other refusal of a request does."""
    error = CursorInvalid()
    assert error.reason == "ERROR_REASON_CURSOR_INVALID"
    assert [each.field for each in error.details[0].field_violations] == ["cursor"]  # type: ignore[attr-defined]
