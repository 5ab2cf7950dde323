"""What should become of a job when the provider does this? The table of cases, as data.

Each case is one job on its own, with the faults that its provider has for it, and what must be true
of it in the end: its state, why, what a caller is advised, what it cost, its attempts, and how many
predictions the provider made. `hostile_run` runs them all at once.
"""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

MODEL = "black-forest-labs/flux-schnell"
#: Takes a picture, too.
DEV = "black-forest-labs/flux-dev"

#: Stands for the address of a host that is not the provider's, and notes who calls.
TRAP = "TRAP"


@dataclass(frozen=True)
class Fault:
    """A fault of the simulator, for this case's prediction only."""

    name: str
    arg: str = ""
    count: int | None = None
    on: str = "create"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One job. `creates`: predictions that the provider made. `waits`: least seconds between its
    first two attempts. `attempts`: their states, "A|B" where the faster of two decides. `says`: a
    part of the failure's message. `door`: no connection at first."""

    name: str
    rows: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    model: str = MODEL
    input: Mapping[str, object] = field(default_factory=dict)
    timeout: int = 900
    cancel: bool = False
    door: bool = False
    state: str = "COMPLETED"
    reason: str = ""
    advice: str = ""
    says: str = ""
    violation: str = ""
    charge: str = "YES"
    attempts: str = "SUCCEEDED"
    creates: int = 1
    artifacts: int = 1
    waits: float = 0.0


def _completed(name: str, rows: str, *faults: Fault, **more: Any) -> Case:
    return Case(name=name, rows=tuple(rows.split()), faults=faults, **more)


def _failed(name: str, rows: str, *faults: Fault, reason: str, advice: str, **more: Any) -> Case:
    more = {"attempts": "FAILED", "charge": "UNKNOWN", "artifacts": 0, **more}
    return Case(
        name=name, rows=tuple(rows.split()), faults=faults, state="FAILED", reason=reason,
        advice=advice, **more,
    )  # fmt: skip


def _refused(name: str, rows: str, *faults: Fault, reason: str, advice: str, **more: Any) -> Case:
    more = {"attempts": "NOT_CREATED", "charge": "NO", "creates": 0} | more
    return _failed(name, rows, *faults, reason=reason, advice=advice, **more)


def _lost(name: str, rows: str, *faults: Fault, reason: str, **more: Any) -> Case:
    """Succeeded and paid for, and nothing of it could be stored."""
    more = {"attempts": "SUCCEEDED", "charge": "YES"} | more
    return _failed(name, rows, *faults, reason=reason, advice="MAY_PAY_TWICE", **more)


MANY = {"num_outputs": 3}


def _noise() -> str:
    """A picture that can not be packed, of 150 kB as a data: URL."""
    pixels = random.Random(1).randbytes(192 * 192 * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (192, 192), pixels).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


LARGE = {"image": _noise()}

CREATED = (
    _completed("an answer as it should be",
               "4.1-object 12.3-created 12.3-outputs 12.1-unknown-key", input=MANY, artifacts=3),
    _completed("a create's answer with every field of the spec, null or not, as another type",
               "12.3-created 4.1-two-stores", Fault("full_create_answer"),
               Fault("wrong_answer_type", "text/html")),
    _completed("reads that differ from the create and from each other", "4.1-two-stores",
               Fault("created_at_drift", "34"), Fault("other_version", "dp-4a1c7d"),
               Fault("fraction_digits", "9")),
    _completed("webhooks of which none comes, or too many", "12.3-created",
               Fault("webhook_duplicates"), Fault("webhook_out_of_order"),
               Fault("webhook_terminal_4xx"), Fault("webhook_lost"), Fault("webhook_terminal_lost"),
               Fault("webhook_late")),
)  # fmt: skip

# The prediction exists; its id was lost on the way, and is found again in the list.
ADOPTED = tuple(
    _completed(f"a create whose answer is lost: {fault.name}", f"12.3-ambiguous {row}", fault)
    for fault, row in [
        (Fault("drop_after_create", count=1), ""),
        (Fault("html_502_after_create", count=1), "6.3-5xx 6.3-shape"),
        (Fault("slow_create", "30", count=1), "12.1-read-timeouts"),
        (Fault("drip_answer", "30", count=1), "12.1-read-timeouts"),
        (Fault("cut_answer", count=1), ""),
        (Fault("broken_answer", count=1), ""),
        (Fault("html_answer", count=1), ""),
        (Fault("no_id_answer", count=1), ""),
        (Fault("packed_answer", "40000000", count=1), ""),
    ]
) + (
    _completed("a large create that is not answered in time", "12.1-write-timeout",
               Fault("slow_create", "30", count=1), model=DEV, input=LARGE),
    _completed("a lost create that the list shows late", "12.3-ambiguous",
               Fault("drop_after_create", count=1), Fault("list_lag", "8")),
)  # fmt: skip

# Nothing was made; that is believed only after the list has shown it, and then tried again.
NOT_MADE = tuple(
    _completed(f"a create that came to nothing: {fault.name} {fault.arg}".strip(),
               f"12.3-ambiguous {row}", fault, attempts="NOT_CREATED SUCCEEDED")
    for fault, row in [
        (Fault("drop_before_create", count=1), ""),
        (Fault("drop", count=1), ""),
        (Fault("html_502_before_create", count=1), "6.3-5xx 6.3-shape"),
        (Fault("html_502", count=1), "6.3-5xx"),
        (Fault("500", count=1), "6.3-5xx"),
        (Fault("status", "408", count=1), ""),
        (Fault("status", "524", count=1), "6.3-5xx"),
        (Fault("redirect", TRAP, count=1), ""),
    ]
)  # fmt: skip

AGAIN = "NOT_CREATED SUCCEEDED"
THROTTLED = (
    _completed("429 with retry_after in the body", "6.2-body 12.3-429 6.1-creates 6.1-burst",
               Fault("429_with_retry_after", "3", count=1), attempts=AGAIN, waits=3),
    _completed("429 with Retry-After", "6.2-header 12.3-429",
               Fault("429_header", "3", count=1), attempts=AGAIN, waits=3),
    _completed("429 with Retry-After as a date", "6.2-date",
               Fault("429_date", "3", count=1), attempts=AGAIN, waits=2.5),
    _completed("429 with ratelimit-reset", "6.2-reset",
               Fault("429_reset", "3", count=1), attempts=AGAIN, waits=3),
    _completed("429 with the seconds in its sentence", "6.2-sentence",
               Fault("429_sentence", "3", count=1), attempts=AGAIN, waits=3),
    _completed("429 that says nothing", "6.2-plain",
               Fault("429_plain", count=1), attempts=AGAIN, waits=1),
    _completed("429 more often than there are retries", "12.3-429",
               Fault("429_with_retry_after", "1", count=5),
               attempts="NOT_CREATED NOT_CREATED NOT_CREATED NOT_CREATED NOT_CREATED SUCCEEDED"),
    _completed("a 429 while a lower limit is in force", "6.1-running-low 6.1-granted 6.1-below-5",
               Fault("low_credit"), Fault("429_with_retry_after", "1", count=1), attempts=AGAIN),
    _completed("409 to a create", "6.3-409", Fault("status", "409", count=1), attempts=AGAIN),
    _completed("no connection", "12.3-unsent", door=True, attempts=AGAIN, waits=5),
)  # fmt: skip

REFUSED = (
    _refused("422 with fields", "6.3-422-input 12.3-refused 12.1-unknown-key",
             Fault("422_input", "prompt"), reason="INVALID_INPUT", advice="CHANGE_REQUEST",
             violation="prompt"),
    _refused("422 for the version", "6.3-422-version 12.3-refused 12.1-model-names",
             Fault("422_version"), reason="MODEL_NOT_FOUND", advice="CHANGE_REQUEST"),
    _refused("400", "6.3-400 12.3-refused", Fault("status", "400"),
             reason="INVALID_INPUT", advice="CHANGE_REQUEST"),
    _refused("403", "6.3-403 12.3-refused", Fault("status", "403"),
             reason="PROVIDER_REFUSED", advice="ASK_OPERATOR"),
    _refused("404 to a create", "6.3-404 12.3-refused 12.1-model-names", Fault("status", "404"),
             reason="MODEL_NOT_FOUND", advice="CHANGE_REQUEST"),
    _refused("413", "6.3-413 12.3-refused", Fault("status", "413"),
             reason="INVALID_INPUT", advice="CHANGE_REQUEST"),
    _refused("a status that nobody knows", "6.3-shape", Fault("status", "418"),
             reason="PROVIDER_REFUSED", advice="ASK_OPERATOR"),
)  # fmt: skip

POLLED = tuple(
    _completed(f"a poll that meets {fault.name} {fault.arg}".strip(),
               f"12.3-poll-trouble {row}", fault)
    for fault, row in [
        (Fault("drop", count=2, on="get"), ""),
        (Fault("html_502", count=2, on="get"), "6.3-5xx 6.3-shape"),
        (Fault("500", count=2, on="get"), "6.3-5xx"),
        (Fault("429_with_retry_after", "2", count=1, on="get"), "6.1-others 6.1-reads"),
        (Fault("status", "408", count=1, on="get"), ""),
        (Fault("status", "409", count=1, on="get"), "6.3-409"),
        (Fault("status", "403", count=1, on="get"), "6.3-403"),
        (Fault("401", count=2, on="get"), "6.3-401"),
        (Fault("402", count=2, on="get"), "6.3-402"),
        (Fault("cut_answer", count=2, on="get"), ""),
        (Fault("broken_answer", count=2, on="get"), ""),
        (Fault("html_answer", count=2, on="get"), ""),
        (Fault("wrong_answer_type", "text/html", on="get"), ""),
        (Fault("no_id_answer", count=2, on="get"), ""),
        (Fault("other_id_answer", count=2, on="get"), ""),
        (Fault("giant_answer", "40000000", count=1, on="get"), ""),
        (Fault("packed_answer", "40000000", count=1, on="get"), ""),
        (Fault("drip_answer", "60", count=1, on="get"), "12.1-read-timeouts"),
        (Fault("redirect", TRAP, count=1, on="get"), ""),
    ]
) + (
    _completed("an id that is not found at first",
               "4.1-early-404 12.1-sporadic-404 12.3-poll-404 6.3-404",
               Fault("early_404", "2500")),
    _completed("a word for a status that nobody knows", "12.1-early-return",
               Fault("unknown_status", "preparing"), Fault("run", "4")),
    _completed("output that is shown before the end", "12.1-early-return",
               Fault("output_early"), Fault("sync_processing_with_output"), Fault("run", "4"),
               input=MANY, artifacts=3),
    _failed("an id that is never found", "12.3-poll-404", Fault("early_404", "1000000000"),
            reason="OUTPUT_LOST", advice="MAY_PAY_TWICE"),
    _failed("a run of which the provider only says too much", "12.3-poll-trouble",
            Fault("packed_answer", "40000000", on="get"),
            reason="OUTPUT_REJECTED", advice="MAY_PAY_TWICE"),
)  # fmt: skip

TIME_IS_UP = (
    _failed("starting for ever", "12.1-long-boot 12.1-aborted 12.3-poll-deadline",
            Fault("starting_forever"), timeout=25, attempts="ABORTED|CANCELED", charge="NO",
            reason="DEADLINE", advice="RETRY"),
    _failed("processing for ever", "12.1-for-ever 12.3-poll-deadline",
            Fault("processing_forever"), timeout=25, attempts="CANCELED", charge="YES",
            reason="DEADLINE", advice="MAY_PAY_TWICE"),
    _failed("a run that can never be read", "12.3-poll-deadline 12.1-for-ever",
            Fault("cut_answer", on="get"), timeout=25, attempts="ORPHAN",
            reason="DEADLINE", advice="MAY_PAY_TWICE"),
    _completed("canceled by the provider's own deadline", "12.3-canceled 12.1-for-ever",
               Fault("processing_forever", count=1), attempts="CANCELED SUCCEEDED", creates=2),
    _completed("aborted by the provider's own deadline", "12.3-aborted 12.1-long-boot",
               Fault("starting_forever", count=1), attempts="ABORTED SUCCEEDED", creates=2),
    _completed("a long queue and a long run", "12.1-long-boot",
               Fault("queue", "4"), Fault("run", "4")),
)  # fmt: skip

CANCELED = tuple(
    Case(name=f"a cancel that meets {fault.name}", rows=("12.3-canceled",),
         faults=(Fault("run", "600"), fault), cancel=True, state="CANCELED", attempts="CANCELED",
         charge="YES", artifacts=0)
    for fault in [
        Fault("drop", count=1, on="cancel"), Fault("500", count=1, on="cancel"),
        Fault("cut_answer", count=1, on="cancel"), Fault("status", "404", count=1, on="cancel"),
    ]
) + (
    Case(name="a cancel before the run began", rows=("12.3-canceled",),
         faults=(Fault("starting_forever"),), cancel=True, state="CANCELED", attempts="CANCELED",
         charge="NO", artifacts=0),
    Case(name="a cancel of a run that is not measured", rows=("12.3-canceled",),
         faults=(Fault("run", "600"), Fault("no_metrics")), cancel=True, state="CANCELED",
         attempts="CANCELED", charge="UNKNOWN", artifacts=0),
    Case(name="a cancel of a run that took less than no time", rows=("12.3-canceled",),
         faults=(Fault("run", "600"), Fault("negative_predict_time")), cancel=True,
         state="CANCELED", attempts="CANCELED", charge="UNKNOWN", artifacts=0),
)  # fmt: skip

FOUR = {"attempts": "FAILED FAILED FAILED FAILED", "creates": 4}
TWO = {"attempts": "FAILED FAILED", "creates": 2}


def _code(code: str, *, reason: str, advice: str, charge: str, **more: Any) -> Case:
    return _failed(f"fails always with {code}", f"12.2-{code} 12.3-failed", Fault("fail", code),
                   reason=reason, advice=advice, charge=charge, **more)  # fmt: skip


RUNS = (
    _code("E1000", reason="PROVIDER_FAILED", advice="RETRY", charge="UNKNOWN", **FOUR),
    _code("E1001", reason="MODEL_FAILED", advice="CHANGE_REQUEST", charge="UNKNOWN"),
    _code("E4875", reason="PROVIDER_REFUSED", advice="ASK_OPERATOR", charge="NO"),
    _code("E6716", reason="PROVIDER_FAILED", advice="RETRY_LATER", charge="NO", waits=10, **FOUR),
    # Its next attempt would come after two minutes.
    _failed("fails with E8765", "12.2-E8765", Fault("fail", "E8765"), timeout=30,
            reason="DEADLINE", advice="RETRY", charge="NO"),
    _code("E9243", reason="MODEL_FAILED", advice="CHANGE_REQUEST", charge="NO", **TWO),
    _code("E005", reason="CONTENT_REJECTED", advice="CHANGE_REQUEST", charge="UNKNOWN"),
    _code("NSFW", reason="CONTENT_REJECTED", advice="CHANGE_REQUEST", charge="UNKNOWN"),
    _code("OOM", reason="MODEL_FAILED", advice="CHANGE_REQUEST", charge="UNKNOWN", **TWO),
    _code("unknown", reason="MODEL_FAILED", advice="CHANGE_REQUEST", charge="UNKNOWN",
          says="no table lists"),
    _failed("fails with an object", "12.2-unknown", Fault("error_object"),
            reason="MODEL_FAILED", advice="CHANGE_REQUEST", says="not a string"),
    _failed("fails with a long text", "12.2-unknown", Fault("long_error", "1000000"),
            reason="MODEL_FAILED", advice="CHANGE_REQUEST", says="long long"),
    _failed("fails with words that lead to the bill", "12.2-unknown",
            Fault("fail", "Go to https://replicate.com/account/billing#billing to pay."),
            reason="MODEL_FAILED", advice="CHANGE_REQUEST"),
    _failed("is aborted always", "12.3-aborted 12.1-aborted", Fault("aborted"),
            reason="PROVIDER_FAILED", advice="RETRY", charge="NO",
            attempts="ABORTED ABORTED ABORTED ABORTED", creates=4),
    _failed("is canceled always, though nobody asked", "12.3-canceled",
            Fault("canceled_by_platform"), reason="PROVIDER_FAILED", advice="RETRY", charge="YES",
            attempts="CANCELED CANCELED CANCELED CANCELED", creates=4),
    *(
        _completed(f"fails once with {code}", f"12.2-{code} 12.3-failed",
                   Fault("fail", code, count=1), attempts="FAILED SUCCEEDED", creates=2)
        for code in ("E1000", "E8367", "E9825", "E9828", "PA")
    ),
    _completed("a run that took less than no time", "12.3-outputs",
               Fault("negative_predict_time")),
)  # fmt: skip

OUTPUTS = (
    _completed("one address, though a list was announced", "12.3-outputs", Fault("output_string")),
    _completed("a list", "12.3-outputs", Fault("output_list"), input=MANY, artifacts=3),
    _completed("lists of lists", "12.3-outputs", Fault("output_nested"), input=MANY, artifacts=3),
    _completed("an object", "12.3-outputs", Fault("output_object"), input=MANY, artifacts=3),
    _completed("a list of objects", "12.3-outputs", Fault("output_object_list"),
               input=MANY, artifacts=3),
    _completed("data: URIs", "12.1-data-uri 12.3-outputs", Fault("output_data_uri"),
               input=MANY, artifacts=3),
    _completed("text", "12.3-outputs", Fault("output_text", "no picture today")),
    _completed("one file of three", "12.3-fewer 12.1-partial", Fault("output_fewer", "1"),
               input=MANY),
    _lost("null", "12.3-fewer", Fault("output_none"), reason="NO_OUTPUT"),
    _lost("an empty list", "12.3-fewer", Fault("output_empty"), reason="NO_OUTPUT"),
    _completed("a file below many lists, and a log of many empty lines", "12.3-outputs",
               Fault("output_deep", "100"), Fault("long_log", "300000")),
    _lost("a file below too many lists", "12.3-outputs", Fault("output_deep", "700"),
          reason="OUTPUT_REJECTED"),
    _lost("too many files", "12.3-outputs", Fault("output_many", "2000"),
          reason="OUTPUT_REJECTED"),
    _lost("data that is removed at once", "12.3-removed", Fault("data_removal_after", "0"),
          reason="OUTPUT_LOST"),
    _completed("data that is removed a little later", "12.1-dead-urls",
               Fault("data_removal_after", "25")),
)  # fmt: skip

FILES = (
    _completed("files that break off twice", "12.3-download-trouble 12.1-siblings",
               Fault("truncated_download", "2"), input=MANY, artifacts=3),
    _lost("a file that breaks off until it is gone", "12.3-download-trouble",
          Fault("truncated_download"), Fault("data_removal_after", "6"), reason="OUTPUT_LOST"),
    _completed("files that fail twice", "12.3-download-trouble 12.1-siblings",
               Fault("failing_file", "2"), input=MANY, artifacts=3),
    _completed("files that are there a little late", "12.3-download-gone 12.1-siblings",
               Fault("late_file", "2"), input=MANY, artifacts=3),
    _completed("a file that trickles", "12.3-download-trouble", Fault("slow_download", "4")),
    *(
        _lost(f"a file that is gone: {status}", "12.3-download-gone 12.1-dead-urls",
              Fault("expired_file", status), Fault("data_removal_after", "4"),
              reason="OUTPUT_LOST")
        for status in ("403", "404", "410")
    ),
    _lost("a redirect to a foreign host", "12.3-outputs",
          Fault("redirect_foreign_host", TRAP), reason="OUTPUT_REJECTED"),
    _lost("an output at a foreign host", "12.3-outputs",
          Fault("output_foreign", TRAP), reason="OUTPUT_REJECTED"),
    _lost("a file larger than what is stored", "12.3-outputs",
          Fault("huge_file", "5000000"), reason="OUTPUT_REJECTED"),
    _completed("a picture that is called a page", "12.3-outputs",
               Fault("wrong_content_type", "text/html")),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    *CREATED, *ADOPTED, *NOT_MADE, *THROTTLED, *REFUSED, *POLLED, *TIME_IS_UP, *CANCELED, *RUNS,
    *OUTPUTS, *FILES,
)  # fmt: skip

#: What the list meets, one after another, while lost calls are looked for in it. (The others:
#: tests/integration/test_generator_answers.py.)
LIST_FAULTS: tuple[Fault, ...] = tuple(
    Fault(name, arg, count=1, on="list")
    for name, arg in [
        ("drop", ""), ("429_with_retry_after", "1"), ("cut_answer", ""), ("foreign_next", TRAP),
    ]
)  # fmt: skip

#: Rows and faults of the refusals that concern the whole account: test_account_refusals.py.
ACCOUNT_ROWS = ("6.3-401", "6.3-402", "12.3-account")
ACCOUNT_FAULTS = ("401", "402")
#: Faults of what is told of models, and of files that are uploaded: test_hostile_models.py.
MODEL_FAULTS = ("hostile_schema", "hostile_cover", "short_upload")
