"""What is fetched for a broker, and how is its node configured?"""

from pathlib import Path

import pytest

from devstack import rabbitmq_install
from devstack.part import DevstackError
from devstack.rabbitmq import RabbitMQ
from devstack.rabbitmq_install import Software


def test_erlang_is_fetched_whole_and_libraries_only_where_missing() -> None:
    """Parts of one Erlang release do not mix with another's; the system's libc is never doubled."""
    closure = ["libc6", "libtinfo6", "libssl3", "python3", "erlang-base", "rabbitmq-server"]
    wanted = rabbitmq_install._wanted(closure, present={"libtinfo6", "erlang-base"})
    assert wanted == ["libssl3", "erlang-base", "rabbitmq-server"]


def test_a_given_folder_without_a_broker_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong RABBITMQ_SBIN is said, not silently replaced by another broker."""
    monkeypatch.setenv("RABBITMQ_SBIN", str(tmp_path))
    with pytest.raises(DevstackError, match="RABBITMQ_SBIN"):
        rabbitmq_install.find(tmp_path / "software", print)


def test_a_machine_without_apt_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fedora, macOS: install it, or AMQP_URL."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevstackError, match=r"brew install rabbitmq[\s\S]*AMQP_URL"):
        rabbitmq_install._fetch(tmp_path / "software", print)


def test_the_node_listens_on_loopback_with_a_user_of_its_own(tmp_path: Path) -> None:
    """No guest, a generated password that only its owner can read, nothing on other interfaces."""
    node = RabbitMQ(tmp_path / "mq", tmp_path / "software", 21001, 21002, 21003)
    node._configure()
    text = (tmp_path / "mq" / "rabbitmq.conf").read_text()
    assert "listeners.tcp.1 = 127.0.0.1:21001" in text
    assert "default_user = mediagen" in text
    assert "guest" not in text
    assert (tmp_path / "mq" / "password").stat().st_mode & 0o077 == 0
    assert (tmp_path / "mq" / "rabbitmq.conf").stat().st_mode & 0o077 == 0


def test_the_machines_own_settings_do_not_reach_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A RABBITMQ_ or ERL_ variable of the caller must not move or join the private node."""
    monkeypatch.setenv("RABBITMQ_NODENAME", "production@elsewhere")
    monkeypatch.setenv("ERL_FLAGS", "-setcookie shared")
    node = RabbitMQ(tmp_path, tmp_path / "software", 21001, 21002, 21003)
    environment = node._environment(
        Software(Path("/x/rabbitmq_server-3.12.1/sbin/rabbitmq-server"))
    )
    assert environment["RABBITMQ_NODENAME"] == "mediagen@localhost"
    assert "ERL_FLAGS" not in environment
    assert environment["ERL_EPMD_ADDRESS"] == "127.0.0.1"
