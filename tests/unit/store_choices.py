"""From what are the arguments of every rule of the model test drawn?"""

from __future__ import annotations

import inspect
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from store.domain.states import FailureKind, Stage

SELDOM, OFTEN = [False, False, False, True], [True, True, True, False]
CHOICES: dict[str, list[Any]] = {  # the arguments of every rule, by name
    "n": [0, 1],
    "pick": list(range(8)),
    "span": [0.5, 3, 3, 3, 3, 15, 31, 31, 160, 700],
    "stale": SELDOM, "fenced": SELDOM, "wanted": SELDOM, "old": SELDOM, "blurred": SELDOM,
    "foreign": SELDOM,
    "answered": OFTEN, "newest": OFTEN, "seen": OFTEN, "stored": OFTEN, "sent": OFTEN,
    "taken": [True, False], "again": [True, True, False],
    "then": ["answered", "answered", "lost", "lost", "refused", "silence", "lied"],
    "mark": [b"same", b"own"],
    "kind": list(FailureKind),
    "how": ["SUCCEEDED", "SUCCEEDED", "FAILED", "FAILED", "CANCELED", "ABORTED"],
    "ran": [None, 0.0, 2.0],
    "stage": [None, *Stage],
    "progress": [None, 5, 50],
    "log": [None, "", "step 1", "step 2"],
    "index": [0, 1],
    "wait": [0, 5],
    "lag": [0, 0, 60, 120, 600, 600],
}  # fmt: skip
STEPS: dict[str, list[str]] = {}  # the rules, by name


def step(method: Any) -> Any:
    """A rule whose arguments are drawn from CHOICES."""
    names = [name for name in inspect.signature(method).parameters if name != "self"]
    STEPS[method.__name__] = names
    return rule(**{name: st.sampled_from(CHOICES[name]) for name in names})(method)
