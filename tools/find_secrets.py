"""Is there a password, token or key in the checkout?

A line that only looks like one carries `pragma: allowlist secret`.
"""

import sys
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from tools.check import ROOT, tracked

_PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SlackDetector",
    "StripeDetector",
)  # fmt: skip
# Hashes, what others published, and what is built from web/, which is looked at.
_SKIPPED = ("locks/", "third_party/", "services/edge/app/", "web/src/gen/")
_GENERATED = (
    "_pb2.py",
    "_pb2.pyi",
    "_pb2_grpc.py",
    "_pb2_grpc.pyi",
    "openapi.json",
    ".binpb",
    "package-lock.json",
)


# Where a made-up password in an address is no secret.
_NOWHERE = r"@(127\.0\.0\.1|localhost|host|db|mq)\b"


def _is_skipped(name: str) -> bool:
    return name.startswith(_SKIPPED) or "/vendor/" in name or name.endswith(_GENERATED)


def main() -> int:
    """Print every suspect line; 1 if there is any."""
    names = [name for name in tracked() if not _is_skipped(name)]
    found = 0
    filters = [
        {"path": "detect_secrets.filters.allowlist.is_line_allowlisted"},
        {"path": "detect_secrets.filters.heuristic.is_indirect_reference"},
        {"path": "detect_secrets.filters.heuristic.is_templated_secret"},
        {"path": "detect_secrets.filters.heuristic.is_likely_id_string"},
        {"path": "detect_secrets.filters.regex.should_exclude_line", "pattern": [_NOWHERE]},
    ]
    plugins = [{"name": name} for name in _PLUGINS]
    with transient_settings({"plugins_used": plugins, "filters_used": filters}):
        for name in names:
            for secret in scan_file(str(ROOT / Path(name))):
                print(f"{name}:{secret.line_number}: {secret.type}")
                found += 1
    print(f"{len(names)} files, {found} suspect lines")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
