"""Which models may jobs name, what is known of one, and when is the provider asked about it?

UNREAD ──found──▶ KNOWN ◀──found── MISSING        (a model, or a version of one)
UNREAD, KNOWN ──missing──▶ MISSING
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final


class ReadState(StrEnum):
    """What is known of a model or a version."""

    KNOWN = "KNOWN"
    UNREAD = "UNREAD"
    MISSING = "MISSING"


class OutputKind(StrEnum):
    """What a model makes: mediagen.v1.Model.OutputKind without its prefix."""

    UNSPECIFIED = "UNSPECIFIED"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    TEXT = "TEXT"
    OTHER = "OTHER"


class PriceUnit(StrEnum):
    """What a price is for: mediagen.v1.Price.Unit without its prefix."""

    OUTPUT = "OUTPUT"
    RUN_SECOND = "RUN_SECOND"
    OUTPUT_SECOND = "OUTPUT_SECOND"
    MEGAPIXEL = "MEGAPIXEL"
    RUN = "RUN"


class Outcome(StrEnum):
    """What the catalogue has: store.v1.ReadModelResponse.Outcome without its prefix."""

    FOUND = "FOUND"
    UNCHANGED = "UNCHANGED"
    UNREAD = "UNREAD"
    MISSING = "MISSING"
    NOT_ALLOWED = "NOT_ALLOWED"


CATALOGUE: Final = "catalogue"  #: the word for the models that are shipped
_PART = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_NAME: Final = re.compile(rf"{_PART}/{_PART}")
_OWNER: Final = re.compile(rf"({_PART})/\*")
_VERSION: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 200

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
JITTER = 0.1  #: by how much of itself a time between two looks varies

MOST_SIMILAR = 3
_LIKE = 0.6  #: of two names, as difflib counts

_SEEDS: Final = 2**31  #: a worker's own seeds are smaller


def is_name(text: str) -> bool:
    """It can be the name of a model: "owner/name"."""
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """It can be the id of a version."""
    return _VERSION.fullmatch(text) is not None


def split(model: str) -> tuple[str, str]:
    """The name and the version of what a job names: "owner/name" or "owner/name:version"."""
    name, _, version = model.partition(":")
    return (name, version) if is_version(version) else (model, "")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The models that jobs may name."""

    everything: bool
    names: frozenset[str]
    owners: frozenset[str]
    literal: tuple[str, ...] = ()  #: those of `names` that were given one by one

    @classmethod
    def of(cls, setting: str, shipped: Iterable[str] = ()) -> Allowed:
        """What *setting* allows: owner/name, owner/*, * or the word catalogue, separated by commas.
        ValueError for anything else."""
        words = [word for word in (each.strip() for each in setting.split(",")) if word]
        owners = {found[1] for word in words if (found := _OWNER.fullmatch(word))}
        literal = tuple(dict.fromkeys(word for word in words if is_name(word)))
        for word in words:
            if word not in ("*", CATALOGUE, *literal) and not _OWNER.fullmatch(word):
                raise ValueError(
                    f"expected owner/name, owner/*, * or {CATALOGUE}, separated by commas; "
                    f"{word[:80]!r} is none of these"
                )
        names = {*literal, *(shipped if CATALOGUE in words else ())}
        return cls("*" in words, frozenset(names), frozenset(owners), literal)

    def allows(self, name: str) -> bool:
        """Jobs may name it."""
        if not is_name(name):
            return False
        return self.everything or name in self.names or name.partition("/")[0] in self.owners


def outcome(model: ReadState | None, version: ReadState | None) -> Outcome:
    """What there is, of a *model* and the *version* that is asked for; None: no record of it."""
    if ReadState.MISSING in (model, version):
        return Outcome.MISSING
    if model is not None and version is ReadState.KNOWN:
        return Outcome.FOUND
    return Outcome.UNREAD


def next_look(refresh: timedelta, chance: float) -> timedelta:
    """Until a model is looked up again, of which the provider has just told. *chance*: 0 to 1."""
    return refresh * (1 - JITTER + 2 * JITTER * chance)


def next_try(problems: int, chance: float) -> timedelta:
    """Until the provider is asked again, after it was in vain so many times in a row."""
    doubled = FIRST_BACKOFF * float(2 ** min(max(problems, 1) - 1, 20))
    return min(doubled, LONGEST_BACKOFF) * (1 + JITTER * chance)


def similar(name: str, known: Collection[str]) -> Sequence[str]:
    """Those of the *known* names that are much like *name*, the most alike first."""
    name = name[:_LONGEST_NAME]
    short = name.partition("/")[2].lower()
    scores = []
    whole, part = difflib.SequenceMatcher(), difflib.SequenceMatcher()
    whole.set_seq2(name.lower())
    part.set_seq2(short)
    for each in known:
        whole.set_seq1(each.lower())
        part.set_seq1(each.partition("/")[2].lower())
        score = max(_ratio(whole), _ratio(part) if short else 0.0)
        if score >= _LIKE:
            scores.append((-score, each))
    return [each for _, each in sorted(scores)[:MOST_SIMILAR]]


def _ratio(matcher: difflib.SequenceMatcher[str]) -> float:
    if matcher.real_quick_ratio() < _LIKE or matcher.quick_ratio() < _LIKE:
        return 0.0
    return matcher.ratio()


def takes_seed(schema: object) -> bool:
    """A model whose input `seed` has this schema takes any seed of a worker's."""
    if not isinstance(schema, dict):
        return False
    kinds: Any = schema.get("type")
    if "integer" not in (kinds if isinstance(kinds, list) else [kinds]) or "enum" in schema:
        return False
    least, most = schema.get("minimum", 0), schema.get("maximum", _SEEDS)
    return bool(least <= 0 and most >= _SEEDS - 1 and "multipleOf" not in schema)
