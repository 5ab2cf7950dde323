"""The gateway is killed before and after every step of an upload, and is given the file again.

The matrix is gateway.failpoints.GIVEN_NAMES. Whoever uploads never hears of what died half-way: it
must not be there, whatever of it was stored, and the next try must not stumble over it.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.testing import Stack
from gateway.failpoints import GIVEN_NAMES

from .api_calls import FLUX, Json
from .dying import die
from .nursery import Nursery

PNG = b"\x89PNG\r\n\x1a\n"
# In one request, and in parts that get their name at the end.
SMALL, LARGE = PNG + bytes(range(256)) * 40, PNG + bytes(9 * 1024 * 1024)
UPLOADS = "/api/v1/uploads"
SYNC = "/api/v1/models:sync"


@pytest.fixture(scope="module")
def nursery() -> Any:
    with Nursery("gateway") as started:
        yield started


@pytest.mark.parametrize("name", [each for each in GIVEN_NAMES if "sync_models" not in each])
async def test_an_upload_over_which_a_gateway_dies_is_whole_or_not_there(
    stack: Stack, http: httpx.AsyncClient, nursery: Nursery, tmp_path: Path, name: str
) -> None:
    """Only once the store has noted that it is whole; and the next one is another."""
    data = LARGE if name.endswith(("put_parts", "name_object")) else SMALL
    path = f"{UPLOADS}?file_name={name}"
    await die(stack, nursery, tmp_path, name, "POST", path, content=data)
    begun = await _uploads(stack, name)
    assert len(begun) == (0 if name == "before_begin_upload" else 1)
    for upload_id, whole in begun:
        assert whole is (name == "after_complete_upload")
        answer = await http.get(f"{UPLOADS}/{upload_id}/content")
        assert answer.status_code == (200 if whole else 404)
        assert not whole or answer.content == data
    again = await http.post(path, content=data)
    assert (again.status_code, again.json()["sha256"]) == (200, hashlib.sha256(data).hexdigest())
    content = await http.get(f"{UPLOADS}/{again.json()['upload_id']}/content")
    assert content.content == data


async def _uploads(stack: Stack, file_name: str) -> list[tuple[str, bool]]:
    """The ids of those that have begun under a name, and whether each is whole."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        query = "SELECT upload_id, complete_time FROM uploads WHERE file_name = $1"
        rows = await connection.fetch(query, file_name)
    finally:
        await connection.close()
    return [(str(row["upload_id"]), row["complete_time"] is not None) for row in rows]


@pytest.mark.parametrize("name", [each for each in GIVEN_NAMES if "sync_models" in each])
async def test_a_sync_over_which_a_gateway_dies_is_done_or_can_be_asked_for_again(
    stack: Stack, http: httpx.AsyncClient, nursery: Nursery, tmp_path: Path, name: str
) -> None:
    """Twice is the same as once."""
    body = {"names": [FLUX]}
    before = await _sync_time(http)
    await die(stack, nursery, tmp_path, name, "POST", SYNC, json=body)
    if name.startswith("before"):
        await asyncio.sleep(1)
        assert await _sync_time(http) == before
        answer: Json = (await http.post(SYNC, json=body)).json()
        assert (answer["models"], answer["unknown_names"]) == (1, [])
    async with asyncio.timeout(30):
        while await _sync_time(http) == before:
            await asyncio.sleep(0.2)


async def _sync_time(http: httpx.AsyncClient) -> str | None:
    found: str | None = (await http.get(f"/api/v1/models/{FLUX}")).json().get("sync_time")
    return found
