"""What does a video or a sound show? Runs in the child process only: the file may be anything.

The container is forced, so that no playlist is read, and nothing that a file names is opened.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import av
import av.logging
from PIL import Image, ImageStat

from generator.media.kinds import CODECS
from generator.media.pictures import MOST_PIXELS, webp
from generator.media.seen import Seen

#: Where a poster is looked for, as parts of the whole. The first that is not black is taken.
PLACES: Final = (0.1, 0.3, 0.5, 0.8, 0.0)
#: Pictures that are decoded on the way from a key frame to the place.
MOST_FRAMES: Final = 120
LONGEST_SEARCH: Final = 4.0  #: seconds, well below what a file may take in all
BLACK: Final = 16.0  #: of 255: the mean brightness below which a picture says nothing
# No protocol: what a file names within it is out of reach, on this machine and elsewhere.
_CLOSED = {"protocol_whitelist": "none", "probesize": "5000000", "analyzeduration": "5000000"}

av.logging.set_level(None)


def look(path: Path, container: str, longest: int) -> Seen:
    """*container*: FFmpeg's name of the only one that it is read as."""
    with (
        path.open("rb") as file,
        av.open(file, format=container, options=_CLOSED, metadata_errors="ignore") as film,
    ):
        duration = _duration(film)
        stream = next((each for each in film.streams.video if not _is_cover(each)), None)
        if stream is None:
            return Seen(duration_ms=duration)
        context = stream.codec_context
        width, height = context.width, context.height
        try:
            poster = _poster(film, stream, duration, longest)
        except MemoryError:
            raise
        except Exception as error:
            return Seen(width, height, duration, problem=type(error).__name__)
        if poster is None:
            return Seen(width, height, duration, problem="no picture came out")
        small, turned = poster
        if turned:
            width, height = height, width
        return Seen(width, height, duration, webp(small), *small.size)


def _is_cover(stream: Any) -> bool:
    """The picture on a record's sleeve is no video."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _duration(film: Any) -> int | None:
    """In ms, of the whole, else of the longest of its streams."""
    if film.duration:
        return max(0, int(film.duration / 1000))
    told = [
        int(each.duration * each.time_base * 1000)
        for each in film.streams
        if each.duration and each.time_base
    ]
    return max(0, *told) if told else None


def _poster(
    film: Any, stream: Any, duration: int | None, longest: int
) -> tuple[Image.Image, bool] | None:
    """The picture, and whether it was turned on its side."""
    context = stream.codec_context
    if context.name not in CODECS or not 0 < context.width * context.height <= MOST_PIXELS:
        return None
    context.thread_count = 1
    best: tuple[float, Any] | None = None
    end = time.monotonic() + LONGEST_SEARCH
    for place in PLACES if duration else (0.0,):
        frame = _frame(film, stream, place * (duration or 0) / 1000, end)
        if frame is None:
            continue
        bright = _brightness(frame)
        if best is None or bright > best[0]:
            best = (bright, frame)
        if bright >= BLACK or time.monotonic() >= end:
            break
    return None if best is None else _picture(best[1], longest)


def _frame(film: Any, stream: Any, seconds: float, end: float) -> Any:
    """The one shown at that time, or the nearest before it that was come by until *end*."""
    try:
        film.seek(int(seconds * 1_000_000), backward=True)
    except av.FFmpegError:
        return None
    found = None
    try:
        for number, frame in enumerate(film.decode(stream)):
            found = frame
            late = frame.time is not None and frame.time >= seconds
            if late or number >= MOST_FRAMES or time.monotonic() >= end:
                break
    except av.FFmpegError:
        pass  # what was decoded before it broke is still a picture
    return found


def _brightness(frame: Any) -> float:
    tiny = frame.to_image(width=32, height=32).convert("L")
    return float(ImageStat.Stat(tiny).mean[0])


def _picture(frame: Any, longest: int) -> tuple[Image.Image, bool]:
    scale = min(1.0, longest / max(frame.width, frame.height))
    size = {
        "width": max(1, round(frame.width * scale)),
        "height": max(1, round(frame.height * scale)),
    }
    picture: Image.Image = frame.to_image(**size)
    turn = round(frame.rotation / 90) % 4
    return (picture.rotate(90 * turn, expand=True), turn % 2 == 1) if turn else (picture, False)
