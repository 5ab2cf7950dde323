"""Films and sounds are real files, and pictures look like what was given."""

import asyncio
import base64
import io
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageStat

from simulator.catalogue import BY_SLUG
from simulator.films import FilmSpec, film
from simulator.pictures import Gallery, PictureSpec
from simulator.references import covering, lost_file, opened, reference_of
from simulator.sizing import film_size
from simulator.sounds import SoundSpec, sound
from simulator.uploads import Upload, Uploads

SEEDANCE = BY_SLUG["bytedance/seedance-1-lite"]
KONTEXT = BY_SLUG["black-forest-labs/flux-kontext-pro"]
SPEECH = SoundSpec("Hello there. How are you?", "Wise_Woman", 1.0, 1.0, 0, 32000, 128000, False)


def png(colour: tuple[int, int, int], size: tuple[int, int] = (90, 60)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def test_a_film_has_the_size_length_and_rate_asked_for() -> None:
    """H.264 in MP4, and the camera moves."""
    spec = FilmSpec("the sea at dusk", 1, 128, 96, 5, 24)
    with av.open(io.BytesIO(film(spec)), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 128, 96)
        assert stream.average_rate == 24
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert len(frames) == 5 * 24
    assert frames[0] != frames[-1]


def test_a_sound_can_be_heard() -> None:
    """An MP3 of about the length that the words take, and not silence."""
    with av.open(io.BytesIO(sound(SPEECH)), "r") as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.sample_rate, stream.codec_context.channels) == (32000, 1)
        heard = b"".join(bytes(frame.planes[0]) for frame in container.decode(audio=0))
    assert max(abs(each) for each in memoryview(heard).cast("f")) > 0.1
    assert 1 < len(heard) / 4 / 32000 < 10


@pytest.mark.parametrize("text", ["", "!!!", "日本語", "\ud800", "\x00", "a" * 100_000])
def test_hostile_words_still_give_a_sound(text: str) -> None:
    """No words, no vowels, other scripts, far too much."""
    spec = SoundSpec(text, "Abbess", 2.0, 0.0, -12, 8000, 32000, True)
    assert len(sound(spec)) > 500


@pytest.mark.parametrize(
    ("asked", "like", "size"),
    [
        ({"resolution": "480p"}, None, (864, 480)),
        ({"resolution": "720p", "aspect_ratio": "9:16"}, None, (704, 1248)),
        ({"resolution": "480p", "aspect_ratio": "16:9"}, (300, 310), (640, 640)),
    ],
)
def test_films_have_the_ratio_asked_for_or_that_of_the_picture_given(
    asked: dict[str, Any], like: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    """The field's text says that the ratio is ignored if an image is used."""
    assert film_size(SEEDANCE, asked, like) == size


def test_a_picture_looks_like_the_one_that_was_given() -> None:
    """A red picture turns the whole redder than a blue one does."""

    def redness(reference: bytes) -> float:
        spec = PictureSpec("a lake", 1, 0, 120, 80, "png", 80, reference)
        with Image.open(io.BytesIO(Gallery().render(spec).body)) as image:
            red, _, blue = ImageStat.Stat(image).mean
        return red - blue

    assert redness(png((230, 20, 20))) > redness(png((20, 20, 230))) + 50


@given(*[st.integers(1, 300)] * 2, *[st.integers(64, 1500)] * 2)
def test_a_picture_of_any_size_covers_any_other(
    wide: int, tall: int, across: int, down: int
) -> None:
    """Whatever rounding does to the part that is taken."""
    assert covering(Image.new("L", (wide, tall)), (across, down)).size == (across, down)


def test_the_picture_that_was_given_is_read_inline_or_from_an_upload() -> None:
    """What lies elsewhere is not fetched: the simulator makes no requests of its own."""
    uploads, body = Uploads(), png((1, 2, 3))
    inline = "data:image/png;base64," + base64.b64encode(body).decode()
    uploads.add(Upload("0" * 46, "a.png", "image/png", body, {}, 100.0))
    own = f"http://127.0.0.1:1/v1/files/{'0' * 46}"
    for address in (inline, own):
        assert reference_of(KONTEXT, {"input_image": address}, uploads, 100.0) == body
    elsewhere = {"input_image": "https://example.com/a.png"}
    assert reference_of(KONTEXT, elsewhere, uploads, 100.0) == b""
    assert opened(b"no picture") is None


def test_an_upload_that_is_gone_is_noticed() -> None:
    """By the input that names it, and only for files that were uploaded here."""
    uploads = Uploads()
    uploads.add(Upload("0" * 46, "a.png", "image/png", b"x", {}, 100.0, kept_for=30.0))
    named = {"input_image": f"http://127.0.0.1:1/v1/files/{'0' * 46}"}
    assert lost_file(KONTEXT, named, uploads, 129.0) == ""
    assert lost_file(KONTEXT, named, uploads, 131.0) == "input_image"
    assert lost_file(KONTEXT, {"input_image": "https://example.com/a.png"}, uploads, 131.0) == ""


async def test_a_file_is_made_once_for_all_who_ask_meanwhile() -> None:
    """Also for a film that is fetched while it is still being made."""
    gallery = Gallery()
    spec = FilmSpec("the sea at dusk", 1, 64, 48, 1, 12)
    one, other = await asyncio.gather(gallery.draw(spec), gallery.draw(spec))
    assert one is other
    assert await gallery.draw(spec) is one
