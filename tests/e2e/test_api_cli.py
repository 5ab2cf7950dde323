"""Does `mediagen` do on a real stack what docs/cli.md says, with those exit codes?"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from devstack.testing import Stack
from tests.e2e.api_calls import (
    FLUX,
    NO_JOB,
    SMALL,
    Json,
    completed,
    finished,
    generate,
    set_fault,
)

SMALL_PICTURE = ("--model", FLUX, "--input-json", json.dumps(SMALL))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Json:
        """The one line of JSON that it printed."""
        [line] = self.out.splitlines()
        found: Json = json.loads(line)
        return found


async def mediagen(stack: Stack, cwd: Path, *arguments: str, server: str = "") -> Ended:
    """Runs one command line, as a shell would."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MEDIAGEN_")}
    environ["MEDIAGEN_SERVER"] = server or stack.gateway_address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mediagen.cli", *arguments),
        cwd=cwd,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert "Traceback" not in err.decode()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_generate_saves_the_picture(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The README's command: progress on standard error, the file with the artifact's sha256."""
    command = ("generate", "a beautiful sunset", *SMALL_PICTURE, "--watch", "-o", "sunset.webp")
    ended = await mediagen(stack, tmp_path, *command)
    assert ended.code == 0, ended.err
    saved = hashlib.sha256((tmp_path / "sunset.webp").read_bytes()).hexdigest()
    newest = (await http.get("/api/v1/jobs", params={"page_size": 1})).json()["jobs"][0]
    assert saved == newest["artifacts"][0]["sha256"]
    assert ended.out == "sunset.webp\n"
    assert saved in ended.err
    assert "charged: yes" in ended.err
    assert newest["job_id"] in ended.err
    assert os.listdir(tmp_path) == ["sunset.webp"]


async def test_the_other_commands_show_a_job(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """status, list, watch, download, cancel and health, for people and as JSON."""
    made = {"model": FLUX, "input": SMALL, "labels": {"by": "cli"}}
    job = await completed(http, "seen by the command line", **made)
    job_id, sha256 = job["job_id"], job["artifacts"][0]["sha256"]
    run = [
        ("status", job_id),
        ("status", job_id, "--json"),
        ("list", "--label", "by=cli"),
        ("list", "--label", "by=cli", "--json"),
        ("watch", job_id, "--json"),
        ("download", job_id, "--json"),
        ("cancel", job_id, "--json"),
        ("health", "--json"),
    ]
    ended = await asyncio.gather(*(mediagen(stack, tmp_path, *each) for each in run))
    assert [each.code for each in ended] == [0] * len(run), [each.err for each in ended]
    status, status_json, listed, listed_json, watched, downloaded, canceled, health = ended
    assert "completed" in status.out
    assert sha256 in status_json.out
    assert job_id in listed.out
    assert listed_json.document["job_id"] == job_id
    assert watched.document["state"] == "STATE_COMPLETED"
    [file] = downloaded.document["files"]
    assert hashlib.sha256((tmp_path / file["path"]).read_bytes()).hexdigest() == sha256
    assert canceled.document["state"] == "STATE_COMPLETED"
    assert health.document["status"] == "SERVING"


async def test_models_are_shown_and_inputs_are_typed_and_checked(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The catalogue, one model's inputs, a file that becomes an input, and every violation."""
    Image.new("RGB", (60, 40), (200, 30, 30)).save(tmp_path / "photo.png")
    kontext = "black-forest-labs/flux-kontext-pro"
    wrong = ("-i", "aspect_ratio=7:1", "-i", "colour=red", "-i", "megapixels=1")
    run = [
        ("models", "--makes", "video", "-q"),
        ("models", "show", FLUX),
        ("submit", "x", "-m", FLUX, "-i", "megapixels=1", "-i", "num_outputs=2", "--check"),
        ("submit", "x", "-m", FLUX, *wrong, "--check"),
        ("submit", "make it dusk", "-m", kontext, "-i", "input_image=@photo.png", "--json"),
        ("models", "sync", FLUX),
    ]
    ended = await asyncio.gather(*(mediagen(stack, tmp_path, *each) for each in run))
    videos, shown, checked, refused, submitted, synced = ended
    assert [each.code for each in ended] == [0, 0, 0, 2, 0, 0], [each.err for each in ended]
    assert videos.out == "bytedance/seedance-1-lite\n"
    rows = {line.split("\t")[0]: line.split("\t")[1:4] for line in shown.out.splitlines()}
    assert rows["num_outputs"] == ["integer", "1", "1 to 4"]
    assert "aspect_ratio" in checked.out
    told = {line.split()[0] for line in refused.err.splitlines() if line.startswith("  input.")}
    assert told == {"input.aspect_ratio", "input.colour"}
    [file] = submitted.document["request"]["input_files"]
    sha256 = hashlib.sha256((tmp_path / "photo.png").read_bytes()).hexdigest()
    assert (file["path"], file["media_type"], file["sha256"]) == (
        "/input_image", "image/png", sha256,
    )  # fmt: skip
    assert (await finished(http, submitted.document["job_id"]))["state"] == "STATE_COMPLETED"
    assert synced.out == f"{FLUX}\n"


async def test_submit_and_cancel(stack: Stack, tmp_path: Path) -> None:
    """submit prints the id alone; a canceled job is told by the exit code of its watcher."""
    await set_fault(stack, "never ends by itself", "processing_forever")
    submitted = await mediagen(stack, tmp_path, "submit", "never ends by itself", *SMALL_PICTURE)
    job_id = submitted.out.strip()
    assert submitted.code == 0 and len(job_id) == 36
    watch = asyncio.create_task(mediagen(stack, tmp_path, "watch", job_id))
    waited = await mediagen(stack, tmp_path, "watch", job_id, "--max-wait", "1s")
    assert waited.code == 6
    assert f"mediagen cancel {job_id}" in waited.err
    canceled = await mediagen(stack, tmp_path, "cancel", job_id)
    assert (canceled.code, "cancel" in canceled.out) == (0, True)
    assert (await watch).code == 5


async def test_a_failed_job_says_why(stack: Stack, tmp_path: Path) -> None:
    """Exit code 1, the reason, the advice and the charge; nothing is saved."""
    await set_fault(stack, "refused by the filter", "fail", arg="NSFW")
    command = ("generate", "refused by the filter", *SMALL_PICTURE, "-o", "x.webp")
    for_people, for_scripts = await asyncio.gather(
        mediagen(stack, tmp_path, *command), mediagen(stack, tmp_path, *command, "--json")
    )
    assert (for_people.code, for_scripts.code) == (1, 1)
    assert "content rejected" in for_people.out + for_people.err
    failure = for_scripts.document["job"]["failure"]
    assert failure["reason"] == "FAILURE_REASON_CONTENT_REJECTED"
    assert for_scripts.document["files"] == []
    assert os.listdir(tmp_path) == []


async def test_refusals_have_their_exit_codes(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """2 for what is invalid or reused, 3 for what is not there, 4 for a server that is not."""
    first = await generate(http, "x", model=FLUX, input=SMALL, request_id="cli-1")
    run = [
        (("status", NO_JOB), 3, NO_JOB),
        (("status", NO_JOB, "--json"), 3, '"JOB_NOT_FOUND"'),
        (("download", NO_JOB), 3, NO_JOB),
        (("submit", "x", "-m", "nonsense"), 2, "model"),
        (("submit", "other", "-m", FLUX, "--request-id", "cli-1"), 2, first["job_id"]),
        (("generate", "x", "-m", FLUX, "-o", "no/such/folder/x.webp"), 2, "no/such/folder"),
    ]
    ended = await asyncio.gather(*(mediagen(stack, tmp_path, *each[0]) for each in run))
    for (command, code, word), each in zip(run, ended, strict=True):
        assert each.code == code, (command, each)
        # A narrow terminal may break a long word at any place.
        assert word in each.err.replace("\n", "").replace("│", "").replace("  ", ""), command


@pytest.mark.parametrize("command", [("status", NO_JOB), ("health",)])
async def test_a_server_that_is_not_there_is_said(
    stack: Stack, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Exit code 4, and how to name another."""
    ended = await mediagen(stack, tmp_path, *command, server="127.0.0.1:1")
    assert ended.code == 4
    assert "127.0.0.1:1" in ended.err
    assert "MEDIAGEN_SERVER" in ended.err
