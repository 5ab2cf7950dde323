"""Where do the files come from? Made when first wanted, kept in a bounded cache."""

import asyncio
import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from PIL import Image

from simulator.films import FilmSpec, film
from simulator.painter import paint
from simulator.references import blended, opened
from simulator.sounds import SoundSpec, sound

WRITERS: dict[str, str] = {"webp": "WEBP", "jpg": "JPEG", "png": "PNG"}


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """All that a picture depends on: the same spec gives the same bytes."""

    prompt: str
    seed: int
    index: int
    width: int
    height: int
    format: str
    quality: int
    reference: bytes = b""
    strength: float = 0.3
    lettered: bool = True


Spec = PictureSpec | FilmSpec | SoundSpec


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture, film or sound, and its MD5, which the delivery host gives as the ETag."""

    body: bytes
    md5: str


class Gallery:
    """Makes files and keeps the last ones.

    `shared`: every prompt gets the same file of its size, made once (for benchmarks).
    """

    def __init__(self, shared: bool = False, keep_bytes: int = 64_000_000) -> None:
        self._shared = shared
        self._keep_bytes = keep_bytes
        self._kept: OrderedDict[Spec, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._drawing = asyncio.Semaphore(2)
        self._under_way: dict[Spec, asyncio.Task[Picture]] = {}

    async def draw(self, spec: Spec) -> Picture:
        """The file, made in a thread when it is not at hand, once for all who ask meanwhile."""
        if found := self._look(spec):
            return found
        key = self._key(spec)
        if key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._draw(key))
            self._under_way[key].add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(self._under_way[key])

    async def _draw(self, spec: Spec) -> Picture:
        async with self._drawing:
            return await asyncio.to_thread(self.render, spec)

    def render(self, spec: Spec) -> Picture:
        """The file, made here and now when it is not at hand."""
        if found := self._look(spec):
            return found
        spec = self._key(spec)
        body = make(spec)
        picture = Picture(body, hashlib.md5(body, usedforsecurity=False).hexdigest())
        with self._lock:
            if spec not in self._kept:
                self._kept[spec] = picture
                self._bytes += len(body)
            while self._bytes > self._keep_bytes and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body)
        return picture

    def _key(self, spec: Spec) -> Spec:
        if not self._shared:
            return spec
        if isinstance(spec, SoundSpec):
            return replace(spec, text="instant")
        if isinstance(spec, FilmSpec):
            return replace(spec, prompt="instant", seed=1)
        return replace(spec, prompt="instant", seed=1, index=0)

    def _look(self, spec: Spec) -> Picture | None:
        spec = self._key(spec)
        with self._lock:
            found = self._kept.get(spec)
            if found:
                self._kept.move_to_end(spec)
            return found


def make(spec: Spec) -> bytes:
    """The file that a spec describes."""
    if isinstance(spec, FilmSpec):
        return film(spec)
    if isinstance(spec, SoundSpec):
        return sound(spec)
    size = (spec.width, spec.height)
    image = paint(spec.prompt, spec.seed, spec.index, size, spec.lettered)
    if spec.reference and (given := opened(spec.reference)):
        image = blended(image, given, spec.strength)
    return encode(image, spec)


def encode(image: Image.Image, spec: PictureSpec) -> bytes:
    """The image as a file."""
    out = io.BytesIO()
    if spec.format == "webp":
        image.save(out, "WEBP", quality=spec.quality, method=1)
    elif spec.format == "jpg":
        image.save(out, "JPEG", quality=max(1, min(95, spec.quality)))
    else:
        image.save(out, WRITERS[spec.format], compress_level=1)
    return out.getvalue()
