"""Does a process on this machine say that it serves? For a container's health check.

    python -m servicekit.probe HOST:PORT                 grpc.health.v1 says SERVING
    python -m servicekit.probe http://HOST:PORT/readyz   HTTP answers 2xx

Exit status 0 or 1; why not, on standard error.
"""

from __future__ import annotations

import sys
import urllib.request

SECONDS = 4.0


def check(target: str) -> str:
    """What is wrong with *target*; empty if it serves."""
    return _http(target) if target.startswith(("http://", "https://")) else _grpc(target)


def _http(url: str) -> str:
    # Without a proxy: one from the environment must not be asked for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS):
            return ""
    except OSError as error:  # HTTPError and URLError are among them
        return f"{url}: {error}"


def _grpc(address: str) -> str:
    # Loaded here, so that a probe over HTTP does not wait for it.
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError as error:
            return f"{address}: {error.code().name}"
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return ""
    return f"{address}: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"


def main(arguments: list[str]) -> int:
    """The exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    problem = check(arguments[0])
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
