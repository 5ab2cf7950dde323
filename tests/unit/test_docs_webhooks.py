"""Does what docs/webhooks.md tells receivers to do check a signature, and does its table hold?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from servicekit.webhook_urls import problem
from store.domain.deliveries import SCHEDULE

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
SECRET = "whsec_bWVkaWFnZW4gaXMgdGVzdGVkIHdpdGggdGhpcw=="  # pragma: allowlist secret
BODY = '{"type":"endpoint.ping","data":{"note":"ü"}}'


def signed() -> dict[str, str]:
    """The headers of BODY, signed now."""
    now = datetime.now(UTC)
    return {
        "webhook-id": "one",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("one", now, BODY),
    }


def block(kind: str, word: str) -> str:
    """The block of code that has *word*."""
    [found] = [
        text for text in re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.M | re.S) if word in text
    ]
    return str(found)


def test_the_python_of_the_page_checks_a_signature() -> None:
    names = {"SECRET": SECRET}
    exec(block("python", "Webhook"), names)
    receive: object = names["receive"]
    assert callable(receive)
    receive(signed(), BODY.encode())
    with pytest.raises(WebhookVerificationError):
        receive(signed(), BODY.encode() + b" ")


def test_the_waits_of_the_page_are_those_of_the_store() -> None:
    """The last of them is repeated."""
    row = next(line for line in PAGE.splitlines() if line.startswith("| wait |"))
    units = {"s": 1, "min": 60, "h": 3600}
    told = [int(n) * units[unit] for n, unit in re.findall(r"(\d+) (s|min|h)\b", row)]
    assert told == [wait.total_seconds() for wait in SCHEDULE]


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://2130706433/",
     "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://[::ffff:127.0.0.1]/",
     "https://[64:ff9b::7f00:1]/", "https://good.example\\@10.0.0.1/", "https://good.example#@a/"],
)  # fmt: skip
def test_the_attacks_of_the_page_are_stopped(url: str) -> None:
    """Each stands in the table, and is refused before anybody is asked for an address."""
    host = re.sub(r"^https://\[?|[\]/].*$", "", url)
    assert host.split("@a")[0] in PAGE
    assert problem(url)
