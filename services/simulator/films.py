"""How is a film made? A slow flight over a painted picture, in drifting light, as a real MP4."""

import io
from dataclasses import dataclass
from hashlib import sha256
from math import cos, pi, sin, tau
from random import Random

import av
from PIL import Image, ImageChops

from simulator.brushes import glow
from simulator.painter import paint
from simulator.references import blended, opened

PICTURES_A_SECOND = 12  # each is shown more than once: the eye is content, and encoding is cheap
MARGIN = 1.16


@dataclass(frozen=True, slots=True)
class FilmSpec:
    """All that a film depends on: the same spec gives the same film."""

    prompt: str
    seed: int
    width: int
    height: int
    seconds: int
    fps: int
    still: bool = False
    reference: bytes = b""
    format: str = "mp4"


def film(spec: FilmSpec) -> bytes:
    """An MP4 (H.264) of exactly the size, length and frame rate asked for."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=spec.fps)
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "30", "tune": "zerolatency"}
        stream.codec_context.thread_count = 1
        shown: tuple[int, Image.Image] | None = None
        scenery = _Scenery(spec)
        for number in range(spec.seconds * spec.fps):
            picture = number * PICTURES_A_SECOND // spec.fps
            if shown is None or shown[0] != picture:
                shown = picture, scenery.at(picture / (spec.seconds * PICTURES_A_SECOND))
            container.mux(stream.encode(_frame(shown[1])))
        container.mux(stream.encode(None))
    return out.getvalue()


def _frame(image: Image.Image) -> av.VideoFrame:
    frame = av.VideoFrame(image.width, image.height, "rgb24")
    frame.planes[0].update(_rows(image, frame.planes[0].line_size))
    return frame


def _rows(image: Image.Image, line_size: int) -> bytes:
    """The pixels, each row filled up to what FFmpeg has for a row."""
    return image.tobytes("raw", "RGB", line_size)


class _Scenery:
    """What the camera flies over, and how."""

    def __init__(self, spec: FilmSpec) -> None:
        self._size = (spec.width, spec.height)
        scale = 1.0 if spec.still else MARGIN
        wide, tall = round(spec.width * scale), round(spec.height * scale)
        painted = paint(spec.prompt, spec.seed, 0, (wide, tall), lettered=False)
        reference = opened(spec.reference) if spec.reference else None
        self._whole = blended(painted, reference, 0.2) if reference else painted
        rng = Random(sha256(f"{spec.seed} {spec.prompt}".encode("utf-8", "replace")).digest())
        self._turn, self._sense = rng.uniform(0, tau), rng.choice((-1, 1))
        self._light = Image.new("RGB", (spec.width * 2, spec.height))
        tint = rng.choice(((80, 60, 40), (40, 60, 90), (70, 45, 75)))
        for place in (0.25, 0.75):
            centre = int(spec.width * 2 * place), int(spec.height * rng.uniform(0.25, 0.5))
            glow(self._light, centre, int(spec.height * 0.8), tint, 0.9)

    def at(self, share: float) -> Image.Image:
        """The frame at that share of the film, 0 to 1."""
        width, height = self._size
        eased = (1 - cos(pi * share)) / 2
        free = self._whole.width - width, self._whole.height - height
        angle = self._turn + self._sense * pi * eased
        left = free[0] * (0.5 + 0.5 * cos(angle))
        top = free[1] * (0.5 + 0.5 * sin(angle))
        frame = self._whole.crop(
            (round(left), round(top), round(left) + width, round(top) + height)
        )
        drift = round(width * share)
        return ImageChops.screen(frame, self._light.crop((drift, 0, drift + width, height)))
