"""What can be made to go wrong? The table of every fault; `faults` decides who gets them.

A *request* fault spoils one exchange. A *prediction* fault is fixed when a prediction is created
and belongs to it from then on, so that setting or clearing faults later changes nothing running.
"""

from dataclasses import dataclass
from typing import Literal

from simulator.hostile_models import COVERS, SCHEMAS

OPERATIONS = ("create", "get", "list", "cancel", "model", "upload")


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row: `argument` says what ARG means, `default` stands in when none is given."""

    name: str
    scope: Literal["request", "prediction"]
    does: str
    argument: str = ""
    default: str = ""


def _request(name: str, does: str, argument: str = "", default: str = "") -> FaultKind:
    return FaultKind(name, "request", does, argument, default)


def _prediction(name: str, does: str, argument: str = "", default: str = "") -> FaultKind:
    return FaultKind(name, "prediction", does, argument, default)


FAILURES: dict[str, tuple[str, bool]] = {
    # code: (text of `error`, had it started)
    "E1000": ("Unknown error (E1000)", True),
    "E1001": ("Model ran out of memory and was killed (E1001)", True),
    "E4875": ("Webhook URL is empty (E4875)", False),
    "E6716": ("Prediction timed out while starting (E6716)", False),
    "E8367": ("Prediction stopped in a non-terminal state (E8367)", True),
    "E8765": ("Model health check failed (E8765)", False),
    "E9243": ("Error while starting prediction (E9243)", False),
    "E9825": ("Failed to upload an output file (E9825)", True),
    "E9828": ("Director: unexpected error handling prediction (E9828)", True),
    "PA": ("Prediction interrupted; please retry (code: PA)", False),
    "E005": ("The input or output was flagged as sensitive. Please try again. (E005)", True),
    "NSFW": ("NSFW content detected in all outputs. Please try a different prompt.", True),
    "OOM": ("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 79.15 GiB total)", True),
    "unknown": ("Something happened that no table lists", True),
}

KINDS: tuple[FaultKind, ...] = (
    # The create that goes wrong around the prediction.
    _request("drop_before_create", "closes the connection unanswered; nothing is created"),
    _request("drop_after_create", "creates, then closes the connection unanswered (a lost id)"),
    _request("html_502_before_create", "the CDN's HTML 502; nothing is created"),
    _request("html_502_after_create", "creates, then answers the CDN's HTML 502"),
    _request("slow_create", "creates, then holds the answer back", "seconds", "5"),
    _request("full_create_answer", "201 in the spec's form, null fields and all"),
    # Any exchange with the API (NAME@get, @list, @cancel, @model, @upload, @any; plain means
    # create). With @model, `match` is a part of the model's name.
    _request("drop", "closes the connection unanswered; nothing is done"),
    _request("html_502", "the CDN's HTML 502; nothing is done"),
    _request("500", "a problem with status 500; nothing is done"),
    _request("429_with_retry_after", "throttled, retry_after in the body", "seconds", "2"),
    _request("429_plain", "throttled in the older form: detail only"),
    _request("402", "insufficient credit"),
    _request("401", "unauthenticated"),
    _request("422_input", "input validation failed, with invalid_fields", "field", "prompt"),
    _request("422_version", "invalid version or not permitted"),
    _request("429_header", "throttled, told by a Retry-After in seconds", "seconds", "2"),
    _request("429_date", "throttled, told by a Retry-After that is a date", "seconds", "2"),
    _request("429_reset", "throttled, told by ratelimit-reset", "seconds", "2"),
    _request("429_sentence", "throttled, told by the ~Ns of the detail only", "seconds", "2"),
    _request("status", "a problem with that status; nothing is done", "status", "403"),
    _request("redirect", "302 to elsewhere; nothing is done", "URL", "http://foreign.invalid/x"),
    _request("low_credit", "6 creates a minute, burst 1, as with less than $5 of credit"),
    # Any exchange that was done, and whose right answer is then spoiled.
    _request("cut_answer", "the JSON breaks off in the middle, in a whole answer"),
    _request("broken_answer", "the connection breaks in the middle of the answer"),
    _request("html_answer", "a page of HTML with the status of a success"),
    _request("wrong_answer_type", "the right JSON under another type", "type", "text/html"),
    _request("no_id_answer", "an object without id and status"),
    _request("other_id_answer", "the right JSON of another prediction", "id", "x0another0one"),
    _request("giant_answer", "the right JSON with so many bytes more", "bytes", "100000000"),
    _request("packed_answer", "so many bytes, packed by gzip to a few", "bytes", "100000000"),
    _request("drip_answer", "spreads the answer over that long", "seconds", "60"),
    _request("foreign_next", "the list goes on elsewhere", "URL", "http://foreign.invalid/x"),
    # What is told of a model (NAME@model).
    _request("hostile_schema", f"a schema made to harm: {', '.join(SCHEMAS)}", "which", "deep"),
    _request("hostile_cover", f"a cover made to harm: {', '.join(COVERS)}", "which", "svg"),
    # An upload (NAME@upload).
    _request("short_upload", "an uploaded file is kept that long only", "seconds", "30"),
    # How the prediction runs.
    _prediction("queue", "stays in starting that long", "seconds", "10"),
    _prediction("run", "stays in processing that long", "seconds", "30"),
    _prediction("starting_forever", "never leaves starting"),
    _prediction("processing_forever", "starts and never ends"),
    _prediction("fail", f"fails; known codes: {', '.join(FAILURES)}", "code or text", "E1000"),
    _prediction("error_object", "fails with an object in `error` instead of a string"),
    _prediction("canceled_by_platform", "becomes canceled half-way, though nobody asked"),
    _prediction("aborted", "becomes aborted before it started"),
    _prediction("unknown_status", "shows this word in place of processing", "word", "preparing"),
    # How it reads.
    _prediction("early_404", "GET answers 404 that long after the create", "milliseconds", "1000"),
    _prediction("list_lag", "the list misses it that long", "seconds", "10"),
    _prediction("created_at_drift", "reads back a later created_at", "milliseconds", "34"),
    _prediction("fraction_digits", "timestamps have so many digits", "3 to 9", "9"),
    _prediction("other_version", "answers show another version", "version", "dp-4a1c7d"),
    _prediction("sync_processing_with_output", "`Prefer: wait` ends in processing, with output"),
    _prediction("output_early", "shows its output while it is still processing"),
    _prediction("negative_predict_time", "metrics with a predict_time below zero"),
    _prediction("no_metrics", "ends without metrics"),
    _prediction("data_removal_after", "data goes so long after the end", "seconds", "1"),
    # The shape of the output.
    _prediction("output_string", "one URL, whatever the schema says"),
    _prediction("output_list", "a list, whatever the schema says"),
    _prediction("output_nested", "a list of lists of URLs"),
    _prediction("output_object", "an object with files and other values"),
    _prediction("output_object_list", "a list of such objects"),
    _prediction("output_data_uri", "data: URIs in place of URLs"),
    _prediction("output_fewer", "fewer files than asked for", "files left", "1"),
    _prediction("output_none", "succeeds with output null"),
    _prediction("output_empty", "succeeds with an empty list"),
    _prediction("output_text", "text in place of files", "text", "no picture today"),
    _prediction("output_deep", "its files below so many lists", "lists", "600"),
    _prediction("output_many", "so many addresses of the same file", "files", "2000"),
    _prediction("long_error", "fails, with an error of so many letters", "letters", "1000000"),
    _prediction("long_log", "a log of so many empty lines", "lines", "1000000"),
    _prediction("output_foreign", "files elsewhere", "URL", "http://foreign.invalid/x"),
    # The files.
    _prediction("truncated_download", "breaks off half-way", "times per file, 0 always", "0"),
    _prediction("slow_download", "spreads the file over that long", "seconds", "10"),
    _prediction("expired_file", "the file is gone", "status: 403, 404, 410", "404"),
    _prediction("late_file", "404 so many times per file", "times", "2"),
    _prediction("failing_file", "503 so many times per file", "times", "2"),
    _prediction("redirect_foreign_host", "redirects away", "URL", "http://foreign.invalid/x"),
    _prediction("wrong_content_type", "mislabels the file", "type", "application/octet-stream"),
    _prediction("huge_file", "sends a file of that size", "bytes", "1000000000"),
    # Webhooks.
    _prediction("webhook_duplicates", "delivers every webhook more than once", "times", "2"),
    _prediction("webhook_out_of_order", "delivers the terminal one before the others"),
    _prediction(
        "webhook_terminal_4xx",
        "takes the receiver's first answers to the terminal webhook for 4xx and sends it again",
        "answers, 0 all (until +60 s)",
        "0",
    ),
    _prediction("webhook_lost", "delivers none"),
    _prediction("webhook_terminal_lost", "delivers all but the terminal one"),
    _prediction("webhook_late", "delivers each one that much later", "seconds", "5"),
)

BY_NAME: dict[str, FaultKind] = {kind.name: kind for kind in KINDS}
