"""Who gets which fault? Rules set on the command line or at run time, taken one by one.

NAME[@OPERATION][=ARGUMENT][:COUNT | :PROBABILITY]

drop_after_create:1          the next create
500@get:3                    the next three GETs
fail=E9828:0.2               a fifth of all predictions, the same ones in every run of a seed
"""

import itertools
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.fault_kinds import BY_NAME, OPERATIONS, FaultKind

FORM = re.compile(r"(?P<name>\w+)(?:@(?P<on>\w+))?(?:=(?P<arg>.*?))?(?::(?P<often>\d*\.?\d+))?")


class FaultError(ValueError):
    """A fault that cannot be set; the text says why."""


@dataclass(slots=True)
class FaultRule:
    """A fault in force: for `count` more takers (None: all), each with `probability`.

    `match`: only predictions whose prompt contains it. `on`: which operation a request fault hits.
    """

    kind: FaultKind
    arg: str
    count: int | None = None
    probability: float = 1.0
    match: str = ""
    on: str = "create"
    number: int = 0
    tries: int = 0
    taken: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.kind.name,
            "arg": self.arg,
            "count": self.count,
            "probability": self.probability,
            "match": self.match,
            "on": self.on,
            "taken": self.taken,
        }


def rule_from_text(text: str) -> FaultRule:
    """Read the command line's form."""
    form = FORM.fullmatch(text.strip())
    if not form:
        raise FaultError(f"cannot read {text!r}: write NAME[@OPERATION][=ARG][:COUNT|:PROBABILITY]")
    spec: dict[str, Any] = {"name": form["name"]}
    spec |= {key: form[key] for key in ("on", "arg") if form[key] is not None}
    if often := form["often"]:
        spec["probability" if "." in often else "count"] = float(often)
    return rule_from_json(spec)


def rule_from_json(spec: Mapping[str, Any]) -> FaultRule:
    """Read the run-time form: {name, arg?, count?, probability?, match?, on?}."""
    if unknown := set(spec) - {"name", "arg", "count", "probability", "match", "on", "taken"}:
        raise FaultError(f"unknown keys: {', '.join(sorted(unknown))}")
    kind = BY_NAME.get(str(spec.get("name")))
    if kind is None:
        raise FaultError(f"no fault named {spec.get('name')!r}; there are: {', '.join(BY_NAME)}")
    on = str(spec.get("on") or "create")
    if on not in (*OPERATIONS, "any"):
        raise FaultError(f"no operation {on!r}; there are: {', '.join(OPERATIONS)}, any")
    arg = spec.get("arg")
    arg = kind.default if arg is None else str(arg)
    if kind.default.isdigit() and not re.fullmatch(r"\d+(\.\d+)?", arg):
        raise FaultError(f"{kind.name} takes a number ({kind.argument}), not {arg!r}")
    count = spec.get("count")
    probability = spec.get("probability")
    return FaultRule(
        kind,
        arg,
        count=None if count is None else int(count),
        probability=1.0 if probability is None else float(probability),
        match=str(spec.get("match") or ""),
        on=on,
    )


class Faults:
    """The rules in force. Deterministic: a seed and an order of requests give the same faults."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._numbers = itertools.count(1)
        self.rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> None:
        rule.number = next(self._numbers)
        self.rules.append(rule)

    def clear(self) -> None:
        self.rules.clear()

    def for_request(self, operation: str, prompt: str) -> dict[str, str]:
        """Take the request faults of one exchange: name to argument."""
        return {
            rule.kind.name: rule.arg
            for rule in self.rules
            if rule.kind.scope == "request"
            and rule.on in (operation, "any")
            and self._take(rule, prompt)
        }

    def for_prediction(self, prompt: str) -> dict[str, str]:
        """Take the faults that a new prediction will carry: name to argument."""
        return {
            rule.kind.name: rule.arg
            for rule in self.rules
            if rule.kind.scope == "prediction" and self._take(rule, prompt)
        }

    def _take(self, rule: FaultRule, prompt: str) -> bool:
        if rule.match not in prompt or (rule.count is not None and rule.taken >= rule.count):
            return False
        rule.tries += 1
        chance = random.Random(f"{self._seed} {rule.number} {rule.tries}").random()
        if chance >= rule.probability:
            return False
        rule.taken += 1
        return True
