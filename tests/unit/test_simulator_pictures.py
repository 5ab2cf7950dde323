"""Pictures are real files of the asked kind, the same for the same words."""

import io

import pytest
from PIL import Image

from simulator.painter import paint
from simulator.palettes import SCENES, WORDS
from simulator.pictures import Gallery, PictureSpec

SPEC = PictureSpec("a beautiful sunset", 42, 0, 320, 240, "png", 80)


@pytest.mark.parametrize("kind", ["webp", "jpg", "png"])
def test_files_open_in_the_format_and_size_asked_for(kind: str) -> None:
    """What the name says is what the bytes are."""
    spec = PictureSpec("the sea", 1, 0, 333, 222, kind, 80)
    with Image.open(io.BytesIO(Gallery().render(spec).body)) as image:
        assert image.size == (333, 222)
        assert image.format == {"webp": "WEBP", "jpg": "JPEG", "png": "PNG"}[kind]


def test_the_same_words_and_seed_give_the_same_bytes() -> None:
    """Across galleries, so nothing but the spec decides."""
    assert Gallery().render(SPEC).body == Gallery().render(SPEC).body


@pytest.mark.parametrize(
    "other",
    [("a beautiful sunrise", 42, 0), ("a beautiful sunset", 43, 0), ("a beautiful sunset", 42, 1)],
)
def test_another_prompt_seed_or_index_gives_another_picture(other: tuple[str, int, int]) -> None:
    """Four outputs of one prediction are four pictures."""
    ours = paint(SPEC.prompt, SPEC.seed, SPEC.index, (320, 240))
    assert paint(*other, (320, 240)).tobytes() != ours.tobytes()


@pytest.mark.parametrize("word", [*SCENES, *WORDS])
def test_every_scene_and_palette_paints_at_odd_sizes(word: str) -> None:
    """Thin, tall and tiny: no brush fails at an edge."""
    prompt = (SCENES.get(word) or WORDS[word]).split()[0]
    for size in ((64, 64), (64, 301), (301, 64), (257, 193)):
        assert paint(prompt, 3, 0, size).size == size


@pytest.mark.parametrize(
    "prompt",
    ["", "\x00\x1b[31m\n", "\ud800 lone", "日本の富士山 🌸", "x" * 1_000_000, "‮abc", "%s {}"],
)
def test_hostile_prompts_still_give_a_picture(prompt: str) -> None:
    """Control characters, lone surrogates, a megabyte, other scripts."""
    assert paint(prompt, 1, 0, (256, 256)).size == (256, 256)


def test_the_cache_is_bounded() -> None:
    """Old pictures go when the bytes are used up; the latest stays."""
    gallery = Gallery(keep_bytes=1)
    first = gallery.render(SPEC)
    gallery.render(PictureSpec("other", 1, 0, 64, 64, "png", 80))
    assert len(gallery._kept) == 1
    assert gallery.render(SPEC).md5 == first.md5


def test_a_shared_gallery_draws_once_for_everybody() -> None:
    """Benchmarks measure the system around the picture, not the painter."""
    gallery = Gallery(shared=True)
    other = PictureSpec("quite another prompt", 7, 3, 320, 240, "png", 80)
    assert gallery.render(SPEC) is gallery.render(other)
