"""How are a job's facts said to people? Pure: messages in, words out.

Everything that comes from a server passes `plain` before it reaches a terminal.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.v1 import failure_pb2 as failure
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES, Attempt
from mediagen.v1.failure_pb2 import FailureReason
from mediagen.v1.job_pb2 import Artifact, Forecast, Job

_ADVICE: dict[int, str] = {
    failure.RETRY_ADVICE_RETRY: "Submit it again.",
    failure.RETRY_ADVICE_RETRY_LATER: "Submit it again later.",
    failure.RETRY_ADVICE_CHANGE_REQUEST: "Change the request; as it is, it would fail again.",
    failure.RETRY_ADVICE_MAY_PAY_TWICE: (
        "It may be submitted again, but this run may have been paid for already."
    ),
    failure.RETRY_ADVICE_ASK_OPERATOR: "Ask whoever runs the server.",
}
_CHARGES: dict[int, str] = {
    CHARGE_NO: "no",
    CHARGE_YES: "yes",
    CHARGE_UNKNOWN: "unknown: it may be billed",
}
_STAGES: dict[int, str] = {
    Job.STAGE_SUBMITTING: "submitting",
    Job.STAGE_STARTING: "starting the model",
    Job.STAGE_PROCESSING: "processing",
    Job.STAGE_SAVING: "saving the result",
    Job.STAGE_RECONCILING: "looking up a lost answer",
    Job.STAGE_CANCELING: "canceling",
}


def plain(text: str, *, lines: bool = False) -> str:
    """*text* without what could steer a terminal: control, format and unassigned characters.

    Each becomes U+FFFD; white space becomes one space, but line ends stay where *lines* is true.
    """
    return "".join(_shown(each, lines) for each in text)


def _shown(character: str, lines: bool) -> str:
    if character == "\n" and lines:
        return character
    if character.isspace():
        return " "
    # Cc: escape sequences. Cf: text direction, invisible characters. The rest has no picture.
    hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co"}
    joins = character in "\u200c\u200d"  # needed to write Persian, Hindi and emoji
    return "\ufffd" if hidden and not joins else character


def enum_word(kind: object, prefix: str, value: int) -> str:
    """The name of an enum's value, lower-case and without its prefix; its number if unknown."""
    names = kind.DESCRIPTOR.values_by_number  # type: ignore[attr-defined]
    return str(names[value].name.removeprefix(prefix).lower() if value in names else value)


def state(job: Job) -> str:
    """ "pending", "running", …"""
    return enum_word(Job.State, "STATE_", job.state)


def title(job: Job) -> str:
    """The words that people know the job by: its prompt, or what stands for one."""
    return plain(job.request.prompt or job.request.title or job.request.model)


def activity(job: Job) -> str:
    """What goes on: the stage of a running job, what a pending one waits for, else the state."""
    if job.state == Job.STATE_RUNNING:
        known = _STAGES.get(job.stage)
        return known or enum_word(Job.Stage, "STAGE_", job.stage) if job.stage else "running"
    if job.state == Job.STATE_PENDING:
        return "waiting to try again" if job.HasField("next_attempt_time") else "waiting"
    return state(job)


def percent(job: Job) -> str:
    """ "45 %", or nothing where it is not known."""
    running = job.state == Job.STATE_RUNNING and job.HasField("progress_percent")
    return f"{job.progress_percent} %" if running else ""


def ahead(forecast: Forecast) -> str:
    """ "next in line", "3 ahead"; nothing where it is not known."""
    if not forecast.HasField("jobs_ahead"):
        return ""
    return f"{forecast.jobs_ahead} ahead" if forecast.jobs_ahead else "next in line"


def remaining(likely: Timestamp, late: Timestamp) -> str:
    """How long until *likely*, and at most until *late*: "in about 12 s, at most 1 min 5 s"."""
    half, most = -seconds_since(likely), -seconds_since(late)
    # Both have passed: it is one of the slow ones, and more can not be said.
    if most <= 0:
        return "any moment" if most > -5 else "later than usual"
    told = f"in about {span(half)}" if half >= 0.5 else "any moment"
    return f"{told}, at most {span(most)}" if span(most) != span(half) else told


def estimate(job: Job, forecast: Forecast) -> str:
    """When it is taken and done: "starts in about 8 s, at most 20 s; done in about 14 s, …"."""
    told = []
    if job.state == Job.STATE_PENDING and forecast.HasField("start_time_p50"):
        told.append("starts " + remaining(forecast.start_time_p50, forecast.start_time_p90))
    if forecast.HasField("end_time_p50"):
        told.append("done " + remaining(forecast.end_time_p50, forecast.end_time_p90))
    return "; ".join(told)


def log_lines(job: Job, most: int) -> list[str]:
    """The last lines that the model printed."""
    lines = [plain(each) for each in job.log_tail.splitlines()]
    return [each for each in lines if each.strip()][-most:]


def attempt(job: Job) -> str:
    """ "attempt 2", or nothing before the first."""
    return f"attempt {job.attempts[-1].number}" if job.attempts else ""


def charge(value: int) -> str:
    """Whether it is billed."""
    return _CHARGES.get(value, "no" if value == 0 else str(value))


def metrics(attempt: Attempt) -> str:
    """What the provider measured beside the run's time: "image count 1, total time 4.2 s"."""
    told = []
    for name, value in sorted(attempt.provider_metrics.items()):
        if name == "predict_time":
            continue
        shown = duration(value) if name.endswith("_time") and value >= 0 else f"{value:g}"
        told.append(f"{plain(name).replace('_', ' ')} {shown}")
    return ", ".join(told)


def advice(value: int) -> str:
    """What can be done about a failure; empty if nothing is known."""
    return _ADVICE.get(value, "")


def reason(value: int) -> str:
    """ "model failed"."""
    return enum_word(FailureReason, "FAILURE_REASON_", value).replace("_", " ")


def duration(seconds: float) -> str:
    """ "8.2 s", "3 min 20 s", "2 h 5 min"."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def span(seconds: float) -> str:
    """A rough duration: "8 s", "3 min 20 s", "2 h 5 min"."""
    seconds = round(max(0.0, seconds))
    return f"{seconds} s" if seconds < 60 else duration(seconds)


def age(seconds: float) -> str:
    """One short word: "40s", "12m", "3h", "9d"."""
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return f"{max(0, int(seconds))}s"


def size(count: int) -> str:
    """ "182.4 KiB"."""
    if count < 1024:
        return f"{count} bytes"
    amount, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if amount >= 1024:
            amount, unit = amount / 1024, larger
    return f"{amount:.1f} {unit}"


def artifact(artifact: Artifact) -> str:
    """ "image/webp, 1024 x 768, 182.4 KiB", "video/mp4, 864 x 480, 5.0 s, 1.1 MiB"."""
    told = [plain(artifact.media_type)]
    if artifact.width and artifact.height:
        told.append(f"{artifact.width} x {artifact.height}")
    if artifact.HasField("duration"):
        told.append(duration(artifact.duration.ToNanoseconds() / 1e9))
    return ", ".join([*told, size(artifact.size_bytes)])


def bar(percent: int, width: int) -> str:
    """A bar that reads without colour: "━━━━······"."""
    done = max(0, min(width, percent * width // 100))
    return "━" * done + "·" * (width - done)


def when(time: Timestamp) -> str:
    """A time of day here, to the second."""
    return time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def seconds_since(time: Timestamp, until: Timestamp | None = None) -> float:
    """Seconds from *time* to *until*, or to now."""
    end = until.ToDatetime(UTC) if until else datetime.now(UTC)
    return (end - time.ToDatetime(UTC)).total_seconds()
