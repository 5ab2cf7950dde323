"""Does every error of the store have a gRPC code, and a reason that callers know?"""

from __future__ import annotations

import pytest

from mediagen.v1 import error_reason_pb2
from store.adapters.database import Unavailable
from store.domain.errors import JobError
from store.rpc.statuses import STATUSES


def leaves(kind: type[Exception]) -> list[type[Exception]]:
    """The errors below *kind* that are raised."""
    return [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)] or [kind]


@pytest.mark.parametrize("error", [*leaves(JobError), Unavailable])
def test_every_error_has_a_code_and_a_reason(error: type[Exception]) -> None:
    """One table says the code; `reason` is a value of the public enum, and not its zero."""
    assert error in STATUSES
    reason = getattr(error, "reason", None)
    assert reason in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
    assert error_reason_pb2.ErrorReason.Value(str(reason)) != 0


def test_the_table_holds_nothing_that_is_not_raised() -> None:
    """A code without an error would be a leftover."""
    assert set(STATUSES) == {*leaves(JobError), Unavailable}
