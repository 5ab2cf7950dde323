"""What does the provider do wrong during a soak? Chances of the simulator's faults.

Most of it passes by another attempt or another look. What fails a job for good adds up to well
under one percent, so that 97 % can be COMPLETED.
"""

from __future__ import annotations

from typing import Any

import httpx

Rule = dict[str, Any]


def _chance(name: str, probability: float, arg: str = "", on: str = "") -> Rule:
    rule: Rule = {"name": name, "probability": probability}
    return rule | ({"arg": arg} if arg else {}) | ({"on": on} if on else {})


RULES: tuple[Rule, ...] = (
    # The create: refused, lost before, lost after.
    _chance("429_with_retry_after", 0.02, "1"),
    _chance("429_plain", 0.01),
    _chance("500", 0.005),
    _chance("drop_before_create", 0.01),
    _chance("drop_after_create", 0.01),
    _chance("html_502_before_create", 0.005),
    _chance("html_502_after_create", 0.005),
    _chance("slow_create", 0.01, "1"),
    _chance("slow_create", 0.005, "5"),  # longer than CREATE_TIMEOUT: its answer is lost
    # Looking.
    _chance("html_502", 0.02, on="get"),
    _chance("drop", 0.01, on="get"),
    _chance("429_plain", 0.01, on="get"),
    _chance("html_502", 0.05, on="list"),
    _chance("drop", 0.02, on="list"),
    _chance("early_404", 0.03, "1500"),
    _chance("list_lag", 0.05, "2"),
    # The run.
    _chance("queue", 0.03, "6"),
    _chance("run", 0.01, "15"),
    _chance("fail", 0.02, "E9828"),
    _chance("fail", 0.02, "E1000"),
    _chance("fail", 0.01, "PA"),
    _chance("canceled_by_platform", 0.005),
    _chance("aborted", 0.005),
    _chance("fail", 0.003, "NSFW"),  # for good
    # The files.
    _chance("truncated_download", 0.03, "1"),
    _chance("slow_download", 0.01, "3"),
    _chance("data_removal_after", 0.002, "0"),  # for good
)


def set_weather(simulator_url: str) -> None:
    """The faults are in force from now on."""
    _call("PUT", simulator_url, list(RULES))


def shut_account(simulator_url: str) -> None:
    """The next create is answered with 402."""
    _call("POST", simulator_url, {"name": "402", "count": 1})


def _call(method: str, simulator_url: str, rules: object) -> None:
    url = f"{simulator_url}/_simulator/faults"
    httpx.request(method, url, json=rules, timeout=30, trust_env=False).raise_for_status()
