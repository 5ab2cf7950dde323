"""What may be told of the provider's words about a call that took secrets? All but the secrets.

A model often repeats a key that was refused, in its error or in its log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from google.protobuf.struct_pb2 import Struct

from generator.domain.answers import Prediction, Problem
from generator.domain.values import from_value

SHOWN = "[REDACTED]"
SHORTEST = 4  #: what is shorter stands in too many words


@dataclass(frozen=True, slots=True)
class Redaction:
    """The secrets of one job."""

    pattern: re.Pattern[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, given: Struct, names: Iterable[str]) -> Self:
        """The texts within the inputs of these *names*."""
        found = {
            text
            for name in names
            if name in given.fields
            for text in _texts(from_value(given.fields[name]))
            if len(text) >= SHORTEST
        }
        # As they are, and as JSON writes them; of two that begin alike the longer one first.
        written = found | {json.dumps(text)[1:-1] for text in found}
        either = "|".join(re.escape(each) for each in sorted(written, key=len, reverse=True))
        return cls(re.compile(either) if either else None)

    def text(self, told: str) -> str:
        return told if self.pattern is None else self.pattern.sub(SHOWN, told)

    def problem(self, told: Problem) -> Problem:
        """An answer that refused."""
        if self.pattern is None:
            return told
        fields = tuple((self.text(name), self.text(words)) for name, words in told.invalid_fields)
        title, detail = self.text(told.title), self.text(told.detail)
        return replace(told, title=title, detail=detail, invalid_fields=fields)

    def prediction(self, told: Prediction) -> Prediction:
        """A prediction as it was seen. Its output is what was paid for, and stays."""
        if self.pattern is None:
            return told
        return replace(told, error=self.text(told.error), logs=self.text(told.logs))


NOTHING = Redaction()


def _texts(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for each in value.values():
                yield from _texts(each)
