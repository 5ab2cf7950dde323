"""From which hosts may outputs be fetched? An allow-list, checked before every request and hop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from generator.adapters.endpoint import is_loopback

DEFAULT = "replicate.delivery,*.replicate.delivery"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class _Entry:
    host: str
    port: int | None
    suffix: bool

    def allows(self, host: str, port: int, default_port: int) -> bool:
        named = host.endswith(f".{self.host}") if self.suffix else host == self.host
        if self.port is not None:
            return named and port == self.port
        # A port that nobody named could be anything; on this machine it is a test's.
        return named and (port == default_port or is_loopback(host))


class DeliveryHosts:
    """`host`, `host:port` and `*.suffix`, comma-separated; https, or plain http on loopback."""

    def __init__(self, configured: str | Iterable[str] = DEFAULT) -> None:
        """Raises ValueError, naming the entry that can not be read."""
        given = configured.split(",") if isinstance(configured, str) else configured
        self._entries = tuple(_entry(each.strip()) for each in given if each.strip())

    @property
    def only_loopback(self) -> bool:
        return all(is_loopback(each.host) for each in self._entries)

    def allows(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        default_port = _PORTS.get(parts.scheme)
        if default_port is None or not host or "@" in parts.netloc:
            return False
        if parts.scheme == "http" and not is_loopback(host):
            return False
        return any(e.allows(host, port or default_port, default_port) for e in self._entries)


def _entry(text: str) -> _Entry:
    suffix = text.startswith("*.")
    try:
        parts = urlsplit(f"//{text.removeprefix('*.').lower()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "*" in host or parts.path or parts.query or "@" in text:
        raise ValueError(f"expected host, host:port or *.suffix, got {text!r}")
    return _Entry(host, port, suffix)
