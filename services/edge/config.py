"""How does envoy.src.yaml become the file that Envoy reads?

`!insert name` stands where a value is computed from the settings, the protos or the pages. A list
inserted as an item of a list is spliced into it. Anchors and merge keys are resolved, because
Envoy's own parser knows no merge keys.
"""

from pathlib import Path
from typing import Any

import yaml

from edge import errors, pages, rest, routes
from edge.settings import Address, EdgeSettings

Json = dict[str, Any]
PACKAGE = Path(__file__).parent
SOURCE = PACKAGE / "envoy.src.yaml"
DESCRIPTOR = PACKAGE / "api.binpb"
SITE = PACKAGE / "site"
APP = PACKAGE / "app"


class Insert(str):
    """The name behind an `!insert` tag."""


class _SourceLoader(yaml.SafeLoader):
    """YAML with the `!insert` tag."""


def _insert(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Insert:
    return Insert(loader.construct_scalar(node))


_SourceLoader.add_constructor("!insert", _insert)


class _PlainDumper(yaml.SafeDumper):
    """YAML without anchors, for Envoy and for a reader of the rendered file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_config(settings: EdgeSettings, admin_socket: Path, descriptor: Path = DESCRIPTOR) -> Path:
    """Write what Envoy reads into the edge's folder; the path of its main file."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    api = rest.read_api(descriptor)
    plain = {path.rpc for path in api.paths if routes.is_plain_http(path)}
    transcoded = settings.folder / "transcoded.binpb"
    transcoded.write_bytes(rest.without_rest(descriptor, plain))
    config = settings.folder / "envoy.yaml"
    config.write_text(render(settings, api, transcoded, admin_socket))
    return config


def render(
    settings: EdgeSettings, api: rest.PublicApi, transcoded: Path, admin_socket: Path
) -> str:
    """The whole of Envoy's configuration. `transcoded` holds the protos that Envoy transcodes."""
    source = yaml.load(SOURCE.read_text(), _SourceLoader)
    values: Json = {
        "edge_host": settings.edge_host,
        "edge_port": settings.edge_port,
        "web_address": _web_address(settings),
        "gateways": _endpoints(settings.gateway_addresses),
        "gateways_http": _endpoints(settings.gateway_http_addresses),
        "admin_socket": str(admin_socket),
        "descriptor": str(transcoded),
        "services": list(api.services),
        "error_mappers": errors.mappers(),
        "allowed_origins": [{"exact": origin} for origin in settings.allowed_origins],
        # The csrf filter compares host and port alone.
        "allowed_hosts": [{"exact": o.partition("://")[2]} for o in settings.allowed_origins],
        "page_routes": pages.page_routes(SITE, APP),
        "not_found": routes.not_found(),
        "own_names": list(settings.names),
        "other_names": routes.other_names(settings.names),
    }
    transcoder = _fill(source.pop("x-transcoder"), values)
    values["transcoder"] = transcoder
    values["preflights"] = routes.preflights(settings.allowed_origins)
    values["api_routes"] = routes.api_routes(api, transcoder)
    return yaml.dump(_fill(source, values), Dumper=_PlainDumper, sort_keys=False, width=120)


def _fill(node: Any, values: Json) -> Any:
    """The same tree with every `!insert` replaced by its value."""
    match node:
        case Insert():
            return values[node]
        case dict():
            return {key: _fill(value, values) for key, value in node.items()}
        case list():
            filled: list[Any] = []
            for item in node:
                value = _fill(item, values)
                filled += value if isinstance(item, Insert) and isinstance(value, list) else [value]
            return filled
        case _:
            return node


def _web_address(settings: EdgeSettings) -> list[Json]:
    """The second port, unless it is the first one again."""
    if settings.web_port == settings.edge_port:
        return []
    return [{"address": _socket(Address(settings.edge_host, settings.web_port))}]


def _endpoints(addresses: tuple[Address, ...]) -> list[Json]:
    return [{"endpoint": {"address": _socket(address)}} for address in addresses]


def _socket(address: Address) -> Json:
    return {"socket_address": {"address": address.host, "port_value": address.port}}
