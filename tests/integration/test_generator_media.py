"""What real files show, good ones and hostile ones, by real child processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from generator.media.decoders import Decoders
from generator.media.seen import LARGEST_PREVIEW, Head, Seen
from tests.fakes import media_files as made

GIB = 1024**3
ALIVE = ("image/png", made.picture("PNG"))


class Bench:
    """Decoders, and files to show them."""

    def __init__(self, decoders: Decoders, folder: Path) -> None:
        self.decoders, self._folder = decoders, folder

    async def look(self, media_type: str, body: bytes, longest: int = 512) -> Seen:
        path = self._folder / "file"
        path.write_bytes(body)
        return await self.decoders.look(path, media_type, longest)

    @property
    def pid(self) -> int:
        (child,) = self.decoders._all
        assert child._process is not None
        return child._process.pid


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Decoders(1, memory=GIB) as decoders:
        yield Bench(decoders, tmp_path)


def shown(seen: Seen) -> Image.Image:
    """The preview, which is a whole WebP of the size that was told."""
    with Image.open(BytesIO(seen.preview), formats=["WEBP"]) as preview:
        preview.load()
        assert preview.size == (seen.preview_width, seen.preview_height)
        return preview.convert("RGB")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
async def test_a_picture_has_a_size_and_a_small_one_of_it(bench: Bench, form: str) -> None:
    """At most 512 pixels long, in the shape of the whole."""
    seen = await bench.look(f"image/{form.lower()}", made.picture(form))
    assert (seen.width, seen.height, seen.duration_ms, seen.problem) == (800, 600, None, "")
    assert (seen.preview_width, seen.preview_height) == (512, 384)
    centre = shown(seen).getpixel((256, 192))
    assert isinstance(centre, tuple)
    assert all(abs(a - b) < 25 for a, b in zip(centre, made.ORANGE, strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
async def test_every_kind_of_pixel_is_shown(bench: Bench, mode: str) -> None:
    """A TIFF has them all; none of them is refused."""
    body = made.saved(Image.new(mode, (1300, 900)), "TIFF")
    seen = await bench.look("image/tiff", body)
    assert (seen.width, seen.height, seen.problem) == (1300, 900, "")
    assert shown(seen).size == (512, 354)


async def test_a_small_picture_is_not_made_larger(bench: Bench) -> None:
    """Its preview is of its own size; a single pixel has one too, and so has a hair."""
    assert shown(await bench.look("image/png", made.picture("PNG", (40, 30)))).size == (40, 30)
    assert shown(await bench.look("image/png", made.picture("PNG", (1, 1)))).size == (1, 1)
    assert shown(await bench.look("image/png", made.picture("PNG", (9000, 2)))).size == (512, 1)


async def test_a_picture_is_turned_as_browsers_turn_it(bench: Bench) -> None:
    """By its orientation; the size told is the one shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    seen = await bench.look("image/jpeg", made.picture("JPEG", (800, 600), exif=exif))
    assert (seen.width, seen.height) == (600, 800)
    assert shown(seen).size == (384, 512)


async def test_nothing_that_a_picture_says_beside_itself_is_kept(bench: Bench) -> None:
    """No place, no camera, no profile, no comment."""
    exif = Image.Exif()
    exif[0x010F] = "a maker whom nobody is to know"
    body = made.picture("JPEG", exif=exif, icc_profile=b"p" * 400, comment=b"a comment")
    seen = await bench.look("image/jpeg", body)
    assert seen.preview
    for secret in (b"a maker", b"a comment", b"pppp", b"EXIF", b"ICCP"):
        assert secret not in seen.preview


async def test_of_a_long_animation_only_the_first_picture_is_unpacked(bench: Bench) -> None:
    """A hundred thousand of them are not even counted."""
    seen = await bench.look("image/gif", made.endless_gif(100_000))
    assert (seen.width, seen.height, seen.problem) == (16, 16, "")
    assert seen.preview


@pytest.mark.parametrize(
    ("media_type", "container", "codec"),
    [
        ("video/mp4", "mp4", "libx264"),
        ("video/quicktime", "mov", "libx264"),
        ("video/webm", "webm", "libvpx-vp9"),
        ("video/webm", "webm", "libvpx"),
        ("video/x-matroska", "matroska", "mpeg4"),
    ],
)
async def test_a_video_has_a_poster_that_is_not_black(
    bench: Bench, media_type: str, container: str, codec: str
) -> None:
    """The first half of it is: the poster comes from the other."""
    seen = await bench.look(media_type, made.film(container, codec, black=18))
    assert (seen.width, seen.height, seen.problem) == (320, 180, "")
    assert seen.duration_ms is not None
    assert abs(seen.duration_ms - 2000) <= 100
    red, green, blue = shown(seen).resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 200 > green > blue


async def test_a_poster_is_found_far_from_any_key_frame(bench: Bench) -> None:
    """One key frame, and black to a third: what follows has to be decoded on the way."""
    seen = await bench.look("video/mp4", made.film("mp4", "libx264", black=14, key=500))
    assert shown(seen).resize((1, 1)).getpixel((0, 0))[0] > 200  # type: ignore[index]


async def test_a_video_that_is_all_black_has_a_black_poster(bench: Bench) -> None:
    """Black is better than none."""
    assert shown(await bench.look("video/mp4", made.film("mp4", "libx264", black=40)))


async def test_a_video_on_its_side_is_shown_upright(bench: Bench) -> None:
    """As phones make them."""
    seen = await bench.look("video/mp4", made.turned(made.film("mp4", "libx264")))
    assert (seen.width, seen.height) == (180, 320)
    assert shown(seen).size == (180, 320)


@pytest.mark.parametrize(
    ("media_type", "container", "codec"),
    [
        ("audio/mpeg", "mp3", "libmp3lame"),
        ("audio/wav", "wav", "pcm_s16le"),
        ("audio/flac", "flac", "flac"),
        ("application/ogg", "ogg", "libopus"),
        ("video/mp4", "mp4", "aac"),
    ],
)
async def test_a_sound_has_a_length_and_no_size(
    bench: Bench, media_type: str, container: str, codec: str
) -> None:
    """An MP4 without a picture in it is one as well."""
    seen = await bench.look(media_type, made.sound(container, codec))
    assert seen.duration_ms is not None
    assert abs(seen.duration_ms - 3000) <= 150
    assert (seen.width, seen.height, seen.preview, seen.problem) == (0, 0, b"", "")


@pytest.mark.parametrize("name", sorted(made.HOSTILE))
async def test_a_hostile_file_only_loses_its_preview(bench: Bench, name: str) -> None:
    """And the next one is looked into as if nothing had been."""
    media_type, body = made.HOSTILE[name]
    seen = await bench.look(media_type, body())
    assert seen.preview == b""
    assert seen.problem or media_type.startswith("audio/")
    assert (await bench.look(*ALIVE)).preview


async def test_a_large_picture_within_the_limits_is_shown(bench: Bench) -> None:
    """98 million pixels, from 13 KB."""
    seen = await bench.look("image/png", made.png_of_zeros(9_900, 9_900))
    assert (seen.width, seen.height, seen.problem) == (9_900, 9_900, "")
    assert shown(seen).size == (512, 512)


async def test_a_file_that_eats_memory_ends_its_child_alone(tmp_path: Path) -> None:
    """The next file has another, and memory enough."""
    async with Decoders(1, memory=160 * 1024**2) as decoders:
        bench = Bench(decoders, tmp_path)
        seen = await bench.look("image/png", made.picture("PNG", (9_000, 9_000)))
        assert seen.preview == b""
        assert seen.problem
        assert (await bench.look(*ALIVE)).preview


async def test_a_file_that_hangs_its_child_is_given_up(tmp_path: Path) -> None:
    """A pipe that nobody writes to is opened for ever."""
    os.mkfifo(tmp_path / "pipe")
    async with Decoders(1, memory=GIB, longest_look=2.0) as decoders:
        bench = Bench(decoders, tmp_path)
        seen = await decoders.look(tmp_path / "pipe", "image/png", 512)
        assert seen.problem == "it takes too long"
        decoders._all[0]._longest_look = 30.0
        assert (await bench.look(*ALIVE)).preview


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
async def test_a_file_that_crashes_its_child_is_given_up(
    bench: Bench, tmp_path: Path, number: signal.Signals
) -> None:
    """In the midst of it, as a fault of a library would."""
    os.mkfifo(tmp_path / "pipe")
    assert (await bench.look(*ALIVE)).preview
    before = bench.pid
    looking = asyncio.create_task(bench.decoders.look(tmp_path / "pipe", "image/png", 512))
    await asyncio.sleep(0.2)
    os.kill(before, number)
    assert (await looking).problem == "the decoder ended: _Died"
    assert (await bench.look(*ALIVE)).preview
    assert bench.pid != before


async def test_who_stops_waiting_takes_the_child_along(bench: Bench, tmp_path: Path) -> None:
    """It is in the midst of a file: its answer must not be the next one's."""
    os.mkfifo(tmp_path / "pipe")
    looking = asyncio.create_task(bench.decoders.look(tmp_path / "pipe", "image/png", 512))
    await asyncio.sleep(0.5)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert (await bench.look(*ALIVE)).width == 800


async def test_a_file_waits_only_so_long_for_a_child(tmp_path: Path) -> None:
    """Then it goes without, and its job goes on."""
    os.mkfifo(tmp_path / "pipe")
    async with Decoders(1, memory=GIB, longest_wait=0.1) as decoders:
        looking = asyncio.create_task(decoders.look(tmp_path / "pipe", "image/png", 512))
        await asyncio.sleep(0.1)
        seen = await Bench(decoders, tmp_path).look(*ALIVE)
        assert seen.problem == "no decoder was free"
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_a_child_has_nothing_of_ours_and_can_write_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes it over finds no token, and no file to change."""
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_not_for_children")
    assert (await bench.look(*ALIVE)).preview
    assert b"r8_not_for_children" not in _told(bench.pid, "environ")
    limits = _told(bench.pid, "limits").decode().splitlines()
    told = {line[:26].strip(): line[26:].split()[0] for line in limits}
    assert told["Max address space"] == str(GIB)
    assert (told["Max file size"], told["Max core file size"]) == ("0", "0")
    opened = [os.readlink(f"/proc/{bench.pid}/fd/{n}") for n in os.listdir(f"/proc/{bench.pid}/fd")]
    assert all(each.startswith(("pipe:", "socket:", "/dev/null")) for each in opened), opened


CLOSED = """
import asyncio, ctypes
from generator.media.decoders import Decoders

async def main():
    async with Decoders(1, memory=1024**3):
        print(ctypes.CDLL(None).prctl(3))  # PR_GET_DUMPABLE

asyncio.run(main())
"""


async def test_a_child_can_not_look_into_its_parent() -> None:
    """Which has the token in its environment: the kernel shows that of a closed process to none but
    the superuser."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLOSED, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(parent.communicate(), 60)
    assert said == b"0\n"


PARENT = """
import asyncio, sys
from pathlib import Path
from generator.media.decoders import Decoders

async def main():
    async with Decoders(2, memory=1024**3) as decoders:
        paths = [Path(each) for each in sys.argv[1:]]
        looks = [asyncio.create_task(decoders.look(each, "image/png", 512)) for each in paths]
        while not all(child._process for child in decoders._all):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        print(*[child._process.pid for child in decoders._all], flush=True)
        await asyncio.gather(*looks)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("busy", [True, False])
async def test_children_do_not_outlive_a_parent_that_is_killed(tmp_path: Path, busy: bool) -> None:
    """In the midst of a file, or between two."""
    files = [tmp_path / "one", tmp_path / "two"]
    for each in files:
        os.mkfifo(each) if busy else each.write_bytes(ALIVE[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, *map(str, files), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    pids = [int(each) for each in (await process.stdout.readline()).split()]
    assert len(pids) == 2
    process.kill()
    await process.wait()
    give_up = time.monotonic() + 20
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < give_up, "an orphan"
        await asyncio.sleep(0.05)


def _told(pid: int, what: str) -> bytes:
    return Path(f"/proc/{pid}/{what}").read_bytes()


def _lives(pid: int) -> bool:
    try:
        state = _told(pid, "stat").rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != b"Z"


async def test_without_children_nothing_is_looked_into(tmp_path: Path) -> None:
    """MEDIA_DECODERS=0, and whatever is not opened by anybody."""
    async with Decoders(0, memory=GIB) as decoders:
        assert await Bench(decoders, tmp_path).look(*ALIVE) == Seen()
    async with Decoders(1, memory=GIB) as decoders:
        for each in ("image/svg+xml", "text/html", "application/pdf", "model/gltf-binary"):
            assert not decoders.opens(each)
            assert await Bench(decoders, tmp_path).look(each, made.SCRIPT) == Seen()


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{}", b"nonsense", b"[" * 60_000,
        Seen(width=-1).head(), Seen(width=10**9).head(),
        Seen(preview=bytes(LARGEST_PREVIEW + 1)).head(), Seen(duration_ms=10**12).head(),
    ],
)  # fmt: skip
def test_what_a_child_says_is_not_believed(line: bytes) -> None:
    """It may be the file that speaks by then."""
    with pytest.raises((ValueError, KeyError)):
        Head.read(line)
