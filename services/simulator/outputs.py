"""What comes out of a prediction? Its files' addresses, in the shape that its faults give them."""

import base64
from typing import Any

from simulator.archive import Prediction
from simulator.pictures import Gallery, PictureSpec
from simulator.sizing import MEDIA_TYPES, asked, picture_format, picture_size


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


def picture_spec(prediction: Prediction, index: int) -> PictureSpec:
    """What file number `index` shows."""
    model, given = prediction.model, prediction.input
    width, height = picture_size(model, given)
    return PictureSpec(
        prompt=prediction.prompt,
        seed=prediction.seed,
        index=index,
        width=width,
        height=height,
        format=picture_format(model, given),
        quality=int(asked(model, given, "output_quality") or 80),
    )


def file_url(prediction: Prediction, index: int) -> str:
    extension = picture_format(prediction.model, prediction.input)
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
    spec = picture_spec(prediction, index)
    body = base64.b64encode(gallery.render(spec).body).decode()
    return f"data:{MEDIA_TYPES[spec.format]};base64,{body}"
