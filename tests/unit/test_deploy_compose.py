"""Is docker-compose.yml well formed, closed to other machines, and complete?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docker-compose.yml"
INSIDE = ("store", "simulator", "generator", "notifier")
COMPOSE: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("store", "gateway", "generator", "notifier", "simulator", "edge")

each_service = pytest.mark.parametrize("name", sorted(SERVICES))
each_of_ours = pytest.mark.parametrize("name", OURS)


def test_it_is_what_the_compose_specification_says() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(SOURCE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_has_the_services_of_make_run() -> None:
    """The same parts, with the database and the broker as containers."""
    assert set(SERVICES) == {*OURS, "postgres", "rabbitmq"}


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Nothing asks a caller for a key yet."""
    for port in SERVICES[name].get("ports", []):
        assert str(port).startswith("127.0.0.1:"), port


def test_the_documented_ports_are_published() -> None:
    published = {
        f"{name}:{str(port).rpartition(':')[2]}"
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
    }
    assert {"edge:8000", "edge:3000", "gateway:50051"} <= published
    assert not [port for port in published if port.startswith(INSIDE)]


@each_service
def test_every_service_has_a_health_check_and_time_to_stop(name: str) -> None:
    """45 seconds: a paid call that is being sent is waited for."""
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["stop_grace_period"] == "45s"
    assert service["restart"] == "unless-stopped"


@each_of_ours
def test_our_containers_have_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_the_image_is_built_once() -> None:
    """A build for each of one tag at the same time can get in each other's way."""
    built = {name: service["build"] for name, service in SERVICES.items() if "build" in service}
    assert built == {"store": {"context": ".", "dockerfile": "deploy/Dockerfile"}}


@each_of_ours
def test_one_image_runs_every_service_by_its_module(name: str) -> None:
    service = SERVICES[name]
    assert service["image"] == SERVICES["store"]["image"]
    assert f"python -m {name}" in " ".join(service["command"])


def test_gateway_and_generator_see_the_same_results() -> None:
    folders = {}
    for name in ("gateway", "generator"):
        assert SERVICES[name]["environment"]["ARTIFACTS_URL"] == (
            "${ARTIFACTS_URL:-file:///var/lib/mediagen/artifacts}"
        )
        folders[name] = SERVICES[name]["volumes"][0]
    assert folders["gateway"] == folders["generator"] + ":ro"


@each_service
def test_images_of_others_are_pinned_by_tag(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[a-z]+:(\d+\.\d+.*|local)", image)


def test_secrets_come_from_outside() -> None:
    """A default is there for development; a token has none."""
    environment = SERVICES["generator"]["environment"]
    assert environment["REPLICATE_API_TOKEN"] == "${REPLICATE_API_TOKEN:-}"
    assert "${POSTGRES_PASSWORD:-" in SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert "${RABBITMQ_PASSWORD:-" in SERVICES["rabbitmq"]["environment"]["RABBITMQ_DEFAULT_PASS"]


def _generator_as_started(tmp_path: Path, **environment: str) -> dict[str, str]:
    """What `python -m generator` is given by the service's shell line; compose halves each $$."""
    programs = tmp_path / "bin"
    programs.mkdir()
    python = programs / "python"
    python.write_text('#!/bin/sh\necho "$@"\nenv\n')
    python.chmod(0o755)
    command = [part.replace("$$", "$") for part in SERVICES["generator"]["command"]]
    path = f"{programs}:/usr/bin:/bin"
    done = subprocess.run(
        command, env={"PATH": path, **environment}, capture_output=True, text=True, timeout=20
    )
    assert "-m generator" in done.stdout
    mine = done.stdout.rpartition("-m generator\n")[2]
    found = dict(line.split("=", 1) for line in mine.splitlines() if "=" in line)
    return {**found, "doorway": str("simulator.doorway" in done.stdout)}


def test_without_a_token_the_simulator_is_used(tmp_path: Path) -> None:
    """`make up` costs nothing until somebody says otherwise."""
    given = _generator_as_started(tmp_path, REPLICATE_API_TOKEN="", REPLICATE_BASE_URL="")
    assert given["REPLICATE_BASE_URL"] == "http://127.0.0.1:9900/v1"
    assert given["REPLICATE_DELIVERY_HOSTS"] == "127.0.0.1:9900"


def test_with_a_token_replicate_itself_is_used(tmp_path: Path) -> None:
    """The address is left to the generator's default, and no doorway is opened."""
    given = _generator_as_started(tmp_path, REPLICATE_API_TOKEN="r8_made_up", REPLICATE_BASE_URL="")
    assert given["REPLICATE_API_TOKEN"] == "r8_made_up"
    assert given["REPLICATE_BASE_URL"] == ""
    assert given["doorway"] == "False"


def test_the_services_settings_accept_what_compose_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every environment, with compose's defaults, makes valid settings."""
    from edge.settings import EdgeSettings
    from gateway.settings import Settings as GatewaySettings
    from generator.settings import Settings as GeneratorSettings
    from notifier.settings import Settings as NotifierSettings
    from store.settings import Settings as StoreSettings

    classes = {
        "store": StoreSettings,
        "gateway": GatewaySettings,
        "generator": GeneratorSettings,
        "notifier": NotifierSettings,
        "edge": EdgeSettings,
    }
    for name, settings in classes.items():
        known = {field.upper() for field in settings.model_fields}
        with monkeypatch.context() as patch:
            for variable, text in SERVICES[name]["environment"].items():
                assert variable in known or variable.startswith("AWS_"), (name, variable)
                patch.setenv(variable, _interpolated(str(text or "")))
            if name == "generator":
                patch.setenv("REPLICATE_API_TOKEN", "any")
                patch.setenv("ARTIFACTS_URL", "memory://")
            settings()  # type: ignore[call-arg]


def _interpolated(text: str) -> str:
    """As compose does it with nothing set: `${NAME:-default}`, inner ones first."""
    while "${" in text:
        text = re.sub(r"\$\{[A-Z_]+:-([^${}]*)\}", r"\1", text)
    return text
