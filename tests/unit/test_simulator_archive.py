"""The list of predictions: newest first, a hundred a page, bounded."""

import pytest

from simulator.archive import Archive, BadCursor, Page, Prediction, read_cursor
from simulator.catalogue import MODELS
from simulator.predictions import Plan
from simulator.wire import stamp


def filled(count: int, keep: int = 50_000) -> Archive:
    archive = Archive(keep)
    for number in range(count):
        archive.add(
            Prediction(
                *(f"id{number:08d}", number, MODELS[0], "hidden", {}, "", ""),
                Plan(1_795_000_000.0 + number, 0, 0),
                {},
            )
        )
    return archive


def numbers(page: Page) -> list[int]:
    return [found.number for found in page.results]


def test_following_next_visits_everything_once_newest_first() -> None:
    """The cursor is followed as given."""
    archive, seen, cursor = filled(250), list[int](), None
    while True:
        page = archive.page(cursor, lambda _: True)
        seen += numbers(page)
        if page.next is None:
            break
        cursor = page.next
    assert seen == list(range(249, -1, -1))


def test_previous_leads_back_to_the_page_before() -> None:
    """The first page has none."""
    archive = filled(250)
    first = archive.page(None, lambda _: True)
    second = archive.page(first.next, lambda _: True)
    assert first.previous is None
    assert numbers(archive.page(second.previous, lambda _: True)) == numbers(first)


def test_new_predictions_do_not_shift_later_pages() -> None:
    """A cursor stands for a place, not for a count."""
    archive = filled(150)
    first = archive.page(None, lambda _: True)
    archive.add(Prediction("new", 150, MODELS[0], "hidden", {}, "", "", Plan(1.8e9, 0, 0), {}))
    assert numbers(archive.page(first.next, lambda _: True)) == list(range(49, -1, -1))


def test_a_page_of_exactly_a_hundred_has_no_next() -> None:
    """No empty page at the end."""
    assert filled(100).page(None, lambda _: True).next is None


def test_the_oldest_go_first() -> None:
    """Memory is bounded, and cursors into what went answer an empty page."""
    archive = filled(3000, keep=1500)
    assert 1500 <= len(archive) < 2500
    assert archive.get("id00000000") is None
    assert archive.get("id00002999") is not None
    assert numbers(archive.page(None, lambda _: True))[0] == 2999


def test_large_requests_push_out_old_ones() -> None:
    """Inputs may be data URIs of megabytes: their bytes are bounded, not only their number."""
    archive = Archive(keep=50_000, keep_bytes=10_000)
    for number in range(100):
        prediction = Prediction(
            *(str(number), number, MODELS[0], "hidden", {}, "", ""), Plan(1.8e9, 0, 0), {}
        )
        prediction.weight = 1000
        archive.add(prediction)
    assert 0 < len(archive) <= 10
    assert archive.get("99") is not None


@pytest.mark.parametrize("cursor", ["nonsense", "", "cD0=", "\u00e9"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """Rather than answered with the first page."""
    with pytest.raises(BadCursor):
        read_cursor(cursor)


def test_stamps_have_three_to_nine_digits() -> None:
    """All forms that recordings show."""
    assert stamp(1_795_000_000.123456, 3) == "2026-11-18T11:06:40.123Z"
    assert stamp(1_795_000_000.123456, 6) == "2026-11-18T11:06:40.123456Z"
    assert len(stamp(1_795_000_000.123456, 9)) == len("2026-11-18T11:06:40.123456789Z")
