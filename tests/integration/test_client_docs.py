"""The examples of docs/client.md run."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediagen import Client, Job, WebhookDelivery
from mediagen.v1.attempt_pb2 import CHARGE_YES
from tests.fakes import operating
from tests.fakes.endpoints import FakeEndpoints
from tests.fakes.generation import FakeGeneration, served
from tests.fakes.operating import FakeOperator

PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text()


def examples(address: str) -> dict[str, Callable[..., Any]]:
    """The functions of the page's examples, for the fake server and one of its models."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    code = code.replace("localhost:50051", address)
    code = re.sub(r"black-forest-labs/flux-[a-z-]+", "fake/picture", code)
    tree = ast.parse(code)
    tree.body = [each for each in tree.body if not isinstance(each, ast.Expr)]  # not asyncio.run
    names: dict[str, Any] = {}
    exec(compile(tree, "docs/client.md", "exec"), names)
    return names


async def test_the_examples_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What newcomers paste works."""
    monkeypatch.chdir(tmp_path)
    async with served(FakeGeneration(step_seconds=0.01)) as address, Client(address) as client:
        functions = examples(address)
        await functions["main"]()
        assert (tmp_path / "sunset.webp").stat().st_size == 180_000
        job = await functions["picture_of"](client, "1", "a fox")
        again = await functions["picture_of"](client, "1", "a fox")
        assert (job.job_id, job.state) == (again.job_id, Job.STATE_COMPLETED)
        await asyncio.wait_for(functions["follow"](client, job.job_id, 6), 10)
    assert "8 True" in capsys.readouterr().out


async def test_the_examples_of_models_and_files_run(tmp_path: Path) -> None:
    """Choices out of a schema, and a photograph that becomes an input."""
    (tmp_path / "photo.png").write_bytes(b"a photo")
    async with served(FakeGeneration(step_seconds=0.01)) as address, Client(address) as client:
        functions = examples(address)
        assert await functions["choices"](client, "fake/picture", "ratio") == ["1:1", "16:9"]
        job = await functions["at_dusk"](client, tmp_path / "photo.png")
        assert job.request.input["input_image"].startswith("upload:")


async def test_the_examples_of_events_run(capsys: pytest.CaptureFixture[str]) -> None:
    """All jobs until none is open, and webhooks: what is not taken is posted again."""
    fake, hooks = FakeGeneration(), FakeEndpoints()
    async with served(fake, endpoints=hooks) as address, Client(address) as client:
        functions = examples(address)
        cursor = await asyncio.wait_for(functions["mirror"](client), 10)
        assert cursor == "c0"
        endpoint = await client.webhooks.create("https://hooks.example.com/a")
        failed = hooks.note(endpoint, "job.failed", state=WebhookDelivery.STATE_FAILED)
        assert await functions["tell"](client, endpoint.url) == hooks.key
    assert failed.state == WebhookDelivery.STATE_PENDING
    assert capsys.readouterr().out == "0 jobs are open\n0\n"


async def test_the_operator_s_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not paid is made again, what may have been is not."""
    fake = FakeOperator()
    free, paid = fake.give_up(), fake.give_up(charge=CHARGE_YES)
    with operating.served(fake) as address:
        async with Client(address) as client:
            await examples(address)["redrive_what_was_not_paid"](client)
    said = capsys.readouterr().out
    assert f"{free} OUTCOME_DONE {fake.letters[free].redriven_as}" in said
    assert f"{paid} fake/picture" in said
    assert fake.redrives == [free]
