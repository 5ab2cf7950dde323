"""Which browser do the tests drive?"""

from pathlib import Path

import pytest

from devstack import browser_install
from devstack.part import DevstackError


def test_the_browser_is_fetched_with_the_libraries_and_fonts_that_are_missing() -> None:
    """The system's libc is never doubled, and what is no part of a browser stays away."""
    closure = ["libc6", "libnss3", "libglib2.0-0", "fonts-dejavu-core", "perl", "xdg-utils"]
    closure += ["chromium-common", "chromium-headless-shell"]
    wanted = browser_install._wanted(closure, present={"libglib2.0-0"})
    assert wanted == ["libnss3", "fonts-dejavu-core", "chromium-common", "chromium-headless-shell"]


def test_a_browser_that_is_named_and_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong CHROMIUM is said, not silently replaced by another browser."""
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "chromium"))
    with pytest.raises(DevstackError, match="CHROMIUM"):
        browser_install.find(tmp_path / "folder", print)


def test_an_installed_browser_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fetched then."""
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert browser_install.find(tmp_path / "folder", print).program == program


def test_a_machine_without_apt_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install one, or say where it is."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevstackError, match="set CHROMIUM"):
        browser_install.find(tmp_path / "folder", print)
