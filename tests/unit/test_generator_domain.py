"""Outputs of every shape, fingerprints, progress, the rhythm of polling."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.domain.fingerprint import paid_call, seed_for, version_field
from generator.domain.outputs import BadDataUri, inline_bytes, is_empty, walk, without_files
from generator.domain.polling import Pace, Rhythm
from generator.domain.progress import percent
from generator.domain.values import canonical, from_struct, from_value, to_struct, to_value
from servicekit.media_types import extension, sniff

URL = "https://replicate.delivery/xezq/a/out-0.webp"
DATA = "data:application/octet-stream;base64,AAAA"

plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | st.floats(
    allow_nan=False, allow_infinity=False
)  # fmt: skip
files = st.sampled_from([URL, DATA, "http://127.0.0.1:9900/delivery/x.png"])


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
        ),
        max_leaves=12,
    )


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer points at."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@given(nested(plain | files))
def test_every_file_is_found_where_its_pointer_says(output: Any) -> None:
    """Whatever the shape; and each stands in the rest as its index."""
    walked = walk(output)
    for index, leaf in enumerate(walked.files):
        assert at(output, leaf.path) == leaf.source
        if walked.rest is not None:
            assert at(walked.rest, leaf.path) == {"artifact": index}
    assert count(output) == len(walked.files)


def count(output: Any) -> int:
    match output:
        case str():
            return output.startswith(("https://r", "data:app", "http://127"))
        case list():
            return sum(map(count, output))
        case dict():
            return sum(map(count, output.values()))
    return 0


@given(nested(files))
def test_an_output_of_lists_of_files_leaves_no_rest(output: Any) -> None:
    """Names of fields are worth keeping; places in lists are the pointers' own."""
    walked = walk([output])
    if walked.files and not has_names(output):
        assert walked.rest is None


def has_names(output: Any) -> bool:
    return isinstance(output, dict) or (
        isinstance(output, list) and any(has_names(each) for each in output)
    )


@pytest.mark.parametrize(
    "text",
    ["data: the following", "https://a b", "http://example.com/x", "ftp://x/y", "data:,"[:5], "x"],
)
def test_text_that_begins_like_an_address_is_text(text: str) -> None:
    """And so is plain http beyond this machine."""
    assert walk(text).files == ()


@pytest.mark.parametrize("output", [None, "", [], {}, [None, ""], {"a": []}])
def test_nothing_is_empty(output: Any) -> None:
    """However it is wrapped."""
    assert is_empty(output)


@pytest.mark.parametrize("output", [0, False, "x", [0], {"a": 1}])
def test_a_zero_is_something(output: Any) -> None:
    """A score of 0 is a result."""
    assert not is_empty(output)


def test_chunks_of_text_are_joined_and_values_are_json() -> None:
    """Language models give their text in pieces."""
    assert without_files(["a ", "cat"]) == (b"a cat", "text/plain")
    assert without_files({"score": 1}) == (b'{"score": 1}', "application/json")


@given(st.binary(max_size=200))
def test_inline_files_are_decoded(body: bytes) -> None:
    """With and without padding."""
    encoded = base64.b64encode(body).decode()
    assert inline_bytes(f"data:image/png;base64,{encoded}") == (body, "image/png")
    assert inline_bytes(f"data:;base64,{encoded.rstrip('=')}")[0] == body


def test_a_broken_inline_file_says_so() -> None:
    """No partial picture."""
    with pytest.raises(BadDataUri):
        inline_bytes("data:image/png;base64,@@@")


objects = st.dictionaries(st.text(max_size=8), nested(plain), max_size=5)


@given(objects)
def test_a_struct_gives_back_what_was_put_in(values: dict[str, Any]) -> None:
    """Integers come back whole."""
    assert canonical(from_struct(to_struct(values))) == canonical(values)


@given(nested(plain))
def test_a_value_gives_back_what_was_put_in(value: Any) -> None:
    assert canonical(from_value(to_value(value))) == canonical(value)


def test_whole_doubles_are_sent_as_integers() -> None:
    """A model that asks for an integer refuses 4.0."""
    value = from_struct(to_struct({"n": 4, "x": 0.5, "big": 1e300, "b": True}))
    assert value == {"n": 4, "x": 0.5, "big": 1e300, "b": True}
    assert type(value["n"]) is int
    assert value["b"] is True


def call(**changed: Any) -> Any:
    wanted: dict[str, Any] = {
        "version": "a/b", "prompt": "p", "given": {"n": 4, "z": 1}, "takes_seed": True,
        "job_id": "j", "attempt": 1,
    } | changed  # fmt: skip
    return paid_call(**wanted)


def test_a_fingerprint_is_the_same_for_the_same_request() -> None:
    """Whatever the order of keys; 32 bytes."""
    other = call(given=from_struct(to_struct({"z": 1.0, "n": 4.0})))
    assert call().fingerprint == other.fingerprint
    assert len(call().fingerprint) == 32


@pytest.mark.parametrize(
    "changed",
    [{"version": "a/c"}, {"prompt": "q"}, {"attempt": 2}, {"job_id": "k"}, {"takes_seed": False}],
)
def test_a_fingerprint_differs_with_what_is_sent(changed: dict[str, Any]) -> None:
    """Through our seed also with job and attempt."""
    assert call().fingerprint != call(**changed).fingerprint


def test_the_fingerprint_does_not_change_between_releases() -> None:
    """A restarted worker of a newer version must compute the same."""
    assert call().seed == seed_for("j", 1) == 934109053
    assert call().input == {"n": 4, "z": 1, "prompt": "p", "seed": 934109053}


def test_an_empty_prompt_is_not_sent_and_a_null_seed_is_none() -> None:
    """Upscalers take no prompt."""
    assert "prompt" not in call(prompt="").input
    assert call(given={"seed": None}).seed is not None
    assert call(given={"seed": 5}).input["seed"] == 5


def test_the_version_field_is_the_hash_or_the_official_name() -> None:
    """One endpoint serves both."""
    digest = "ab" * 32
    assert version_field(f"a/b:{digest}") == digest
    assert version_field("a/b") == "a/b"
    assert version_field("a/b:latest") == "a/b:latest"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (None, None), ("", None), ("Using seed: 5", None),
        ("  0%|          | 0/4 [?it/s]\n 50%|█████     | 2/4 [2it/s]", 50),
        ("10%|#| 1/10\r20%|##| 2/10", 20),
        ("100%|██████████| 28/28 [00:01<00:00]\nDone", 100),
        ("999%|x| 9/1", 100),
        ("50%|x| 1/2\n" + "x" * 10_000, None),
    ],
)  # fmt: skip
def test_progress_is_the_last_bar_of_the_log(log: str | None, expected: int | None) -> None:
    """A terminal's bar overwrites itself; only the log's end is read."""
    assert percent(log) == expected


def test_polling_slows_from_half_a_second_to_two_and_five_for_long_runs() -> None:
    """×1.5."""
    rhythm, seen = Rhythm(), []
    for _ in range(6):
        seen.append(rhythm.interval)
        rhythm = rhythm.answered(1.0)
    assert seen == [0.5, 0.75, 1.125, 1.6875, 2.0, 2.0]
    for _ in range(5):
        rhythm = rhythm.answered(61.0)
    assert rhythm.interval == 5.0


def test_trouble_backs_off_without_end() -> None:
    """And waits at least as long as it is told."""
    rhythm, waits = Rhythm(), []
    for _ in range(50):
        rhythm = rhythm.troubled()
        waits.append(rhythm.interval)
    assert waits[:5] == [1, 2, 4, 8, 15]
    assert waits[-1] == 15
    assert Rhythm().troubled(9).interval == 9
    assert rhythm.answered(1.0).failures == 0


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_spreads_by_a_tenth(jitter: float) -> None:
    assert 0.45 <= Pace().delay(Rhythm(), 500, jitter) <= 0.55


def test_many_jobs_share_the_accounts_reads() -> None:
    """500 are looked at every 10 s each, but for their first look."""
    assert Pace().delay(Rhythm().answered(1.0), 500, 0.5) == 10
    assert Pace().delay(Rhythm().answered(1.0), 20, 0.5) == 0.75


def test_a_throttled_account_slows_every_look() -> None:
    """And recovers slowly."""
    pace = Pace()
    for _ in range(20):
        pace.throttled()
    assert pace.stretch == 16
    for _ in range(5000):
        pace.answered()
    assert pace.stretch == 1


@pytest.mark.parametrize(
    ("head", "declared", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "text/html", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "", "image/jpeg"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/png", "image/webp"),
        (b"GIF89a\1\0\1\0", "", "image/gif"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "", "video/mp4"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "", "image/avif"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "", "image/svg+xml"),
        (b"glTF\2\0\0\0", "application/octet-stream", "model/gltf-binary"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "", "audio/wav"),
        (b"PK\3\4....", "application/zip", "application/zip"),
        (b"just words", "text/plain", "text/plain"),
        (b"just words", "text/html", "text/plain"),
        (b"\0\1\2\3", "application/x-thing", "application/x-thing"),
        (b"\0\1\2\3", "text/html", "application/octet-stream"),
        (b"\0\1\2\3", "bad type\r\nx: y", "application/octet-stream"),
        (b"", "", "application/octet-stream"),
        (b"BM\x36\x00\x00\x00\x00\x00\x00\x00", "", "image/bmp"),
        (b"BMW is not a picture", "", "text/plain"),
    ],
)
def test_bytes_tell_their_type(head: bytes, declared: str, expected: str) -> None:
    """A claim counts where the bytes are mute, and never for what a browser would run."""
    assert sniff(head, declared) == expected


def test_known_types_have_an_extension() -> None:
    assert extension("image/webp") == ".webp"
    assert extension("application/x-thing") == ""
