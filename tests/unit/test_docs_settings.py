"""Does .env.example list every variable that is read, no other, and the right defaults?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import devstack.settings
import generator.settings
import notifier.settings
import simulator.settings
import store.settings
from edge.settings import EdgeSettings
from gateway.settings import Settings as GatewaySettings

ROOT = Path(__file__).parents[2]
SERVICES: list[type[BaseModel]] = [
    store.settings.Settings,
    GatewaySettings,
    generator.settings.Settings,
    notifier.settings.Settings,
    EdgeSettings,
    simulator.settings.Settings,
]
# Not ours, or for tests alone.
NOT_SETTINGS = {"PATH", "NO_COLOR", "MEDIAGEN_FAILPOINT"}


def _variables(model: type[BaseModel]) -> dict[str, FieldInfo]:
    prefix = str(model.model_config.get("env_prefix", "")).upper()
    return {prefix + name.upper(): field for name, field in model.model_fields.items()}


def _listed() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", "\n".join(lines), re.MULTILINE))


def _read_directly() -> set[str]:
    """Variables that the launcher and the command line look up by name."""
    found: set[str] = set()
    for folder in ("devstack", "client/mediagen/cli"):
        for source in (ROOT / folder).glob("*.py"):
            found |= set(re.findall(r'environ\.get\("([A-Z_]+)"', source.read_text()))
    return found - NOT_SETTINGS


def _read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_env_example_lists_exactly_what_is_read() -> None:
    """Settings classes, the launcher, the command line, and docker compose."""
    read = {name for model in SERVICES for name in _variables(model)}
    read |= set(_variables(devstack.settings.Settings))
    read |= _read_directly() | _read_by_compose()
    assert set(_listed()) == read


def test_each_variable_is_listed_once_and_commented_out() -> None:
    """Copying the file changes nothing."""
    text = (ROOT / ".env.example").read_text()
    names = re.findall(r"^#([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)
    assert len(names) == len(set(names))
    assert not re.findall(r"^[A-Z]", text, re.MULTILINE)


@pytest.mark.parametrize("model", SERVICES, ids=lambda model: model.__module__)
def test_the_defaults_are_the_services_own(model: type[BaseModel]) -> None:
    """What the file shows is what holds where nothing is set."""
    listed = _listed()
    for name, field in _variables(model).items():
        default: Any = field.default
        if not isinstance(default, bool | int | float | str | Path):
            continue  # required, or made at the start
        shown = listed[name]
        if isinstance(default, bool):
            assert shown == str(default).lower(), name
        elif isinstance(default, int | float):
            assert float(shown) == default, name
        else:
            assert shown == str(default), name


def test_the_launcher_s_defaults_are_those_shown() -> None:
    for name, default in devstack.settings._DEFAULTS.items():
        assert _listed()[name.upper()] == default
