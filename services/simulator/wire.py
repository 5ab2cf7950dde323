"""How does a prediction read as JSON? The object of create, get, list, cancel and webhooks."""

from datetime import UTC, datetime
from typing import Any

from simulator.archive import Prediction
from simulator.outputs import file_count, output
from simulator.pictures import Gallery
from simulator.planning import fraction_digits
from simulator.predictions import Moment, observe
from simulator.sizing import asked


def stamp(moment: float, digits: int) -> str:
    """ISO 8601 in UTC with so many digits of a second (beyond 6 they say nothing)."""
    micros = round(moment * 1e6)
    whole = datetime.fromtimestamp(micros // 10**6, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{micros % 10**6:06d}" + f"{micros * 7919 % 1000:03d}"
    return f"{whole}.{fraction[:digits]}Z"


def created_json(prediction: Prediction, moment: Moment) -> dict[str, Any]:
    """The plain answer to a create, as recorded: many fields of the spec are missing."""
    digits = fraction_digits(prediction.id, prediction.faults)
    body: dict[str, Any] = {
        "id": prediction.id,
        "model": prediction.model.slug,
        "version": prediction.version,
        "input": _shown_input(prediction),
        "logs": "",
        "error": None,
        "status": "starting" if not moment.terminal else moment.status,
        "created_at": stamp(prediction.plan.created_at, digits),
        "urls": _urls(prediction),
    }
    return body | _echoes(prediction, digits)


def read_json(prediction: Prediction, now: float, gallery: Gallery) -> dict[str, Any]:
    """The object as it reads later: GET, list, cancel, webhooks and a waited create."""
    moment = observe(prediction.plan, now)
    faults, gone = prediction.faults, moment.data_removed
    digits = fraction_digits(prediction.id, faults)
    drift = float(faults.get("created_at_drift", 0)) / 1000
    status: str = moment.status
    if status == "processing":
        status = faults.get("unknown_status", status)
    error: Any = moment.error
    if error and "error_object" in faults:
        error = {"type": "ModelError", "detail": error}
    body: dict[str, Any] = {
        "id": prediction.id,
        "model": prediction.model.slug,
        "version": prediction.version,
        "input": {} if gone else _shown_input(prediction),
        "logs": "" if gone else logs(prediction, moment),
        "output": None,
        "data_removed": gone,
        "error": error,
        "source": "api",
        "status": status,
        "created_at": stamp(prediction.plan.created_at + drift, digits),
        "urls": _urls(prediction),
    }
    early = moment.status == "processing" and "output_early" in faults
    if (moment.status == "succeeded" or early) and not gone:
        body["output"] = output(prediction, gallery)
    if moment.started_at is not None:
        body["started_at"] = stamp(moment.started_at, digits)
    if moment.completed_at is not None:
        body["completed_at"] = stamp(moment.completed_at, digits)
        if "no_metrics" not in faults:
            body["metrics"] = _metrics(prediction, moment)
    return body | _echoes(prediction, digits)


def sync_processing_json(prediction: Prediction, now: float, gallery: Gallery) -> dict[str, Any]:
    """A waited create that answers once the files exist: complete output, not yet the end."""
    body = read_json(prediction, now, gallery)
    for field in ("completed_at", "metrics"):
        body.pop(field, None)
    return body | {"status": "processing"}


def logs(prediction: Prediction, moment: Moment) -> str | None:
    """The log so far: the seed, then one tqdm line per step done."""
    if moment.started_at is None:
        return None if moment.status == "canceled" else ""
    model, given = prediction.model, prediction.input
    steps = int(asked(model, given, "num_inference_steps") or model.steps)
    done = int(moment.done * steps + 1e-9)
    lines = [f"Using seed: {prediction.seed}"]
    lines += [""] * int(float(prediction.faults.get("long_log", 0)))
    pace = steps / prediction.plan.run if 0 < prediction.plan.run < 1e6 else 0.0
    for step in range(done + 1):
        share = step / steps
        bar = ("█" * int(share * 10)).ljust(10)
        speed = f"{pace:5.2f}it/s" if step and pace else "?it/s"
        lines.append(f"{round(share * 100):3d}%|{bar}| {step}/{steps} [{speed}]")
    if moment.status == "succeeded":
        count = file_count(prediction)
        if prediction.model.makes == "picture":
            lines.append(f"Total safe images: {count} out of {count}")
    return "\n".join(lines)


def _metrics(prediction: Prediction, moment: Moment) -> dict[str, Any]:
    ended = moment.completed_at or 0.0
    metrics: dict[str, Any] = {"total_time": round(ended - prediction.plan.created_at, 6)}
    if moment.started_at is not None:
        sign = -1 if "negative_predict_time" in prediction.faults else 1
        metrics["predict_time"] = sign * round(ended - moment.started_at, 6)
    if moment.status == "succeeded":
        metrics |= _counts(prediction)
    return metrics


def _counts(prediction: Prediction) -> dict[str, float]:
    """What the model is billed by."""
    if prediction.model.makes == "film":
        seconds = float(asked(prediction.model, prediction.input, "duration"))
        return {"video_output_duration_seconds": seconds}
    if prediction.model.makes == "sound":
        return {"character_count": len(prediction.prompt)}
    return {"image_count": file_count(prediction)}


def _shown_input(prediction: Prediction) -> dict[str, Any]:
    """A secret is shown to nobody, not even to who gave it."""
    secret = {item.name for item in prediction.model.fields if item.schema.get("x-cog-secret")}
    return {
        name: "[REDACTED]" if name in secret else value for name, value in prediction.input.items()
    }


def _urls(prediction: Prediction) -> dict[str, str]:
    get = f"{prediction.base_url}/v1/predictions/{prediction.id}"
    web = f"https://replicate.com/p/{prediction.id}"
    return {"get": get, "cancel": f"{get}/cancel", "web": web}


def _echoes(prediction: Prediction, digits: int) -> dict[str, Any]:
    echoes: dict[str, Any] = {}
    if prediction.plan.deadline is not None:
        echoes["deadline"] = stamp(prediction.plan.deadline, digits)
    if prediction.webhook:
        echoes["webhook"] = prediction.webhook
        echoes["webhook_events_filter"] = list(prediction.events)
    return echoes
