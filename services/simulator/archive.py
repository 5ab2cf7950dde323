"""Which predictions are kept, and in what order are they listed?"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from simulator.inputs import words_of
from simulator.model import Model
from simulator.predictions import Plan

PAGE = 100
KEEP_BYTES = 256 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Prediction:
    """One prediction: what was asked, what will happen, and what callers did about it.

    `weight`: the bytes of its request. `asked`: requests for each file, `downloads`: those that got
    some of it.
    """

    id: str
    number: int
    model: Model
    version: str
    input: Mapping[str, Any]
    base_url: str
    files_url: str
    plan: Plan
    faults: Mapping[str, str]
    webhook: str | None = None
    events: tuple[str, ...] = ()
    weight: int = 0
    answered: bool = False
    gets: int = 0
    cancels: int = 0
    asked: dict[int, int] = field(default_factory=dict)
    downloads: dict[int, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prompt(self) -> str:
        return words_of(self.input)

    @property
    def seed(self) -> int:
        """The seed asked for, or one that the prediction's id stands for."""
        given = self.input.get("seed")
        return int(given) if given is not None else int(self.id[:8], 36) % 2**31


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of the list, newest first, and the cursors beside it."""

    results: list[Prediction]
    next: str | None
    previous: str | None


class BadCursor(ValueError):
    """The cursor is not one of ours."""


class Archive:
    """The last `keep` predictions of the account, or fewer when their requests are large."""

    def __init__(self, keep: int, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep, self._keep_bytes = keep, keep_bytes
        self._bytes = 0
        self._order: list[Prediction] = []
        self._by_id: dict[str, Prediction] = {}

    def __len__(self) -> int:
        return len(self._order)

    def add(self, prediction: Prediction) -> None:
        self._order.append(prediction)
        self._by_id[prediction.id] = prediction
        self._bytes += prediction.weight
        # Cutting the list's head moves the rest, so it is done a thousand at a time.
        if len(self._order) >= self._keep + 1000:
            self._drop(1000)
        if self._bytes > self._keep_bytes:
            self._drop(len(self._order) // 4)

    def _drop(self, count: int) -> None:
        for old in self._order[:count]:
            del self._by_id[old.id]
            self._bytes -= old.weight
        del self._order[:count]

    def get(self, prediction_id: str) -> Prediction | None:
        return self._by_id.get(prediction_id)

    def all(self) -> list[Prediction]:
        """Oldest first."""
        return self._order

    def page(self, cursor: str | None, shown: Callable[[Prediction], bool]) -> Page:
        """One page of those that are `shown`."""
        number, backwards = read_cursor(cursor) if cursor else (1 << 62, False)
        if backwards:
            newer = self._walk(self._index(number) + 1, 1, shown)
            found = newer[:PAGE][::-1]
            more_newer, more_older = len(newer) > PAGE, True
        else:
            older = self._walk(self._index(number) - 1, -1, shown)
            found = older[:PAGE]
            more_newer, more_older = cursor is not None, len(older) > PAGE
        return Page(
            found,
            write_cursor(found[-1], False) if found and more_older else None,
            write_cursor(found[0], True) if found and more_newer else None,
        )

    def _index(self, number: int) -> int:
        first = self._order[0].number if self._order else 0
        return min(len(self._order), max(-1, number - first))

    def _walk(self, index: int, step: int, shown: Callable[[Prediction], bool]) -> list[Prediction]:
        found: list[Prediction] = []
        while 0 <= index < len(self._order) and len(found) <= PAGE:
            if shown(self._order[index]):
                found.append(self._order[index])
            index += step
        return found


def write_cursor(prediction: Prediction, backwards: bool) -> str:
    """Opaque to callers: base64 of a query string, as Replicate's are."""
    query = urlencode({"p": prediction.number} | ({"r": 1} if backwards else {}))
    return base64.b64encode(query.encode()).decode()


def read_cursor(cursor: str) -> tuple[int, bool]:
    """The position of a cursor and whether it leads to newer ones."""
    try:
        query = parse_qs(base64.b64decode(cursor, validate=True).decode())
        return int(query["p"][0]), "r" in query
    except (binascii.Error, KeyError, UnicodeDecodeError, ValueError) as error:
        raise BadCursor(cursor) from error
