"""What may have been meant where the server refuses? What it can not know: this machine's files,
and that a model's name was typed without its owner."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mediagen import errors
from mediagen.client import Client
from mediagen.errors import InvalidRequest, Violation

_MOST = 3
_ALIKE = 0.75
_MODEL_FIELDS = ("model", "name")


async def explained(
    client: Client, refused: InvalidRequest, model: str, pairs: Mapping[str, str]
) -> InvalidRequest:
    """*refused*, each violation with what may have been meant behind it. *pairs*: as typed."""
    told = []
    for each in refused.violations:
        hint = _of_file(each, pairs)
        if each.field in _MODEL_FIELDS and "/" not in model:
            hint = await _of_model(client, model)
        told.append(Violation(each.field, each.description + hint, each.rule))
    return type(refused)(
        refused.message,
        code=refused.code,
        reason=refused.reason,
        metadata=refused.metadata,
        violations=told,
        retry_delay=refused.retry_delay,
    )


def _of_file(violation: Violation, pairs: Mapping[str, str]) -> str:
    """What is said where an input is wrong and its value is a file's name."""
    key = violation.field.removeprefix("input.").partition("[")[0]
    text = pairs.get(key, "")
    if not text or text.startswith("@"):
        return ""
    with suppress(OSError, ValueError):  # too long for a name, or with a NUL in it
        if Path(text).is_file():
            return f"; did you mean {key}=@{text}?"
    wants_a_file = violation.rule == "FORMAT" and ":" not in text
    return f"; {key}=@FILE uploads a file of this machine" if wants_a_file else ""


async def _of_model(client: Client, model: str) -> str:
    """The models that have this name, or nearly, behind their owner's."""
    wanted, _, version = model.partition(":")
    with suppress(errors.MediagenError):
        names = [each.name async for each in client.models.list(page_size=200)]
        near = [name for name in names if name.rpartition("/")[2] == wanted]
        if not near:
            short = {name.rpartition("/")[2]: name for name in names}
            close = difflib.get_close_matches(wanted, short, n=_MOST, cutoff=_ALIKE)
            near = [short[each] for each in close]
        if near:
            end = f":{version}" if version else ""
            return f"; did you mean {' or '.join(name + end for name in near[:_MOST])}?"
    return "; see mediagen models"
