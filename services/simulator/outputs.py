"""What comes out of a prediction? Its files' addresses, in the shape that its faults give them."""

import base64
from typing import Any

from simulator.archive import Prediction
from simulator.films import FilmSpec
from simulator.pictures import Gallery, PictureSpec, Spec
from simulator.references import opened
from simulator.sizing import MEDIA_TYPES, asked, file_format, film_size, picture_size
from simulator.sounds import SoundSpec


def file_count(prediction: Prediction) -> int:
    """How many files the prediction makes."""
    faults, model, given = prediction.faults, prediction.model, prediction.input
    if {"output_none", "output_empty", "output_text"} & faults.keys():
        return 0
    count = 1
    if model.many:
        grouped = asked(model, given, "sequential_image_generation") != "disabled"
        most = asked(model, given, "max_images") if grouped else 1
        count = int(asked(model, given, "num_outputs") or most or 1)
    if "output_fewer" in faults:
        count = min(count, int(float(faults["output_fewer"])))
    return count


def file_spec(prediction: Prediction, index: int, reference: bytes = b"") -> Spec:
    """What file number `index` is; `reference` is the picture that was given, if any."""
    model, given = prediction.model, prediction.input
    like = image.size if reference and (image := opened(reference)) else None
    if model.makes == "sound":
        return _sound(prediction)
    if model.makes == "film":
        width, height = film_size(model, given, like)
        return FilmSpec(
            prompt=prediction.prompt,
            seed=prediction.seed,
            width=width,
            height=height,
            seconds=int(asked(model, given, "duration")),
            fps=int(asked(model, given, "fps")),
            still=bool(asked(model, given, "camera_fixed")),
            reference=reference,
        )
    width, height = picture_size(model, given, like)
    strength = asked(model, given, "prompt_strength")
    return PictureSpec(
        prompt=prediction.prompt,
        seed=prediction.seed,
        index=index,
        width=width,
        height=height,
        format=file_format(model, given),
        quality=int(asked(model, given, "output_quality") or 80),
        reference=reference,
        strength=0.3 if strength is None else float(strength) ** 2,
    )


def _sound(prediction: Prediction) -> SoundSpec:
    def value(name: str) -> Any:
        return asked(prediction.model, prediction.input, name)

    return SoundSpec(
        text=prediction.prompt,
        voice=str(value("voice_id")),
        speed=float(value("speed")),
        volume=float(value("volume")),
        pitch=int(value("pitch")),
        sample_rate=int(value("sample_rate")),
        bitrate=int(value("bitrate")),
        stereo=value("channel") == "stereo",
    )


def file_url(prediction: Prediction, index: int) -> str:
    extension = file_format(prediction.model, prediction.input)
    if "output_foreign" in prediction.faults:
        return f"{prediction.faults['output_foreign']}/out-{index}.{extension}"
    return f"{prediction.files_url}/delivery/xezq/{prediction.id}/out-{index}.{extension}"


def output(prediction: Prediction, gallery: Gallery) -> Any:
    """The `output` of a prediction that succeeded."""
    faults = prediction.faults
    if "output_none" in faults:
        return None
    if "output_text" in faults:
        return faults["output_text"]
    files = [file_url(prediction, index) for index in range(file_count(prediction))]
    if "output_data_uri" in faults:
        files = [_data_uri(prediction, index, gallery) for index in range(len(files))]
    if not files:
        return [] if prediction.model.many or "output_empty" in faults else None
    if "output_many" in faults:
        return files[:1] * int(float(faults["output_many"]))
    if "output_deep" in faults:
        deep: Any = files
        for _ in range(int(float(faults["output_deep"]))):
            deep = [deep]
        return deep
    if "output_nested" in faults:
        return [[url] for url in files]
    if "output_object" in faults:
        return {"image": files[0], "clip_score": 0.31, "text": "a caption", "rest": files[1:]}
    if "output_object_list" in faults:
        return [{"image": url, "clip_score": 0.31} for url in files]
    if "output_string" in faults:
        return files[0]
    return files if prediction.model.many or "output_list" in faults else files[0]


def _data_uri(prediction: Prediction, index: int, gallery: Gallery) -> str:
    spec = file_spec(prediction, index)
    body = base64.b64encode(gallery.render(spec).body).decode()
    return f"data:{MEDIA_TYPES[spec.format]};base64,{body}"
