"""What is a file, by its bytes, and under which name may a browser save it?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.media_types import HEAD_BYTES, is_active, sniff
from servicekit.presentation import content_type, disposition, is_active_type

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("head", "declared", "found"),
    [
        (PNG, "image/jpeg", "image/png"),
        (b"GIF89a\x01\x00", "", "image/gif"),
        (b"%PDF-1.7\n", "", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "", "video/mp4"),
        (b"PK\x03\x04\x14\x00", "application/zip", "application/zip"),
        (b"plain words", "", "text/plain"),
        (b'{"a": 1}', "application/json", "application/json"),
        (b"\x00\x01", "application/json", "application/octet-stream"),
        (b"words", "image/png", "text/plain"),
        (b"\x00\x01\x02", "image/png", "application/octet-stream"),
        (b"\x7fELF\x02", "image/png", "application/octet-stream"),
        (b"words", "application/x-www-form-urlencoded", "text/plain"),
        (b"\x00\x01\x02", "video/x-own", "video/x-own"),
        (b"<svg>", "image/png", "image/svg+xml"),
        (b"PK\x03\x04\x14\x00", "image/png", "application/zip"),
        (b"PK\x03\x04\x14\x00", "text/html", "application/zip"),
        (b"PK\x03\x04\x14\x00", "application/json", "application/zip"),
        (b"PK\x03\x04\x14\x00", "application/xhtml+xml", "application/zip"),
        (b"PK\x03\x04\x14\x00", "application/epub+zip", "application/epub+zip"),
        (b"PK\x03\x04", "application/vnd.a+xml", "application/zip"),
    ],
)
def test_a_claim_counts_only_where_the_bytes_are_mute(
    head: bytes, declared: str, found: str
) -> None:
    """And not for a type whose bytes would say so."""
    assert sniff(head, declared) == found


@pytest.mark.parametrize(
    "head",
    [
        b"<svg>", b"  <!-- a --> <svg width='1'>", b"<!DOCTYPE html>", b"<HTML >", b"<script>x",
        b"\xef\xbb\xbf<?xml version='1.0'?>", b"<!-- a --><!-- b --><body>",
    ],
)  # fmt: skip
def test_what_a_browser_could_run_is_known(head: bytes) -> None:
    """Whatever stands before it."""
    assert is_active(head)


def test_a_claim_can_make_it_so() -> None:
    """Also where the bytes do not."""
    assert is_active(b"words", "text/html; charset=utf-8")
    assert is_active(b"words", "application/rss+xml")
    assert not is_active(b"words <svg>", "text/plain")
    assert is_active_type("image/svg+xml")
    assert not is_active_type("image/png")


@pytest.mark.parametrize(
    "kind",
    ["text/javascript", "application/x-javascript", "text/jscript", "TEXT/CSS; charset=x",
     "text/javascript1.5", "application/ecmascript"],
)  # fmt: skip
def test_no_file_is_a_script_of_our_pages(kind: str) -> None:
    """Their policy lets them load scripts of their own origin, where files are too."""
    assert content_type(kind) == "text/plain; charset=utf-8"


@given(st.binary(max_size=300), st.text(max_size=30))
def test_no_bytes_break_it(head: bytes, declared: str) -> None:
    """A type comes out, and a header can be made of it."""
    assert "\n" not in disposition("a", sniff(head, declared))
    is_active(head, declared)


@pytest.mark.parametrize(
    "piece", [b"<!---->", b"<!-- -->  ", b"<!--", b" ", b"<?xml ", b"<!DOCTYPE svg "]
)
def test_a_hostile_head_is_told_soon(piece: bytes) -> None:
    """500 comments were once tried in every way that they can be parted: for ever."""
    head = (piece * HEAD_BYTES)[:HEAD_BYTES]
    begin = time.process_time()
    sniff(head)
    is_active(head)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", 'inline; filename="a-0.png"'),
        ("fox (1).png", 'inline; filename="fox (1).png"'),
        ('f"ö\r\n.png', "inline; filename=\"a-0.png\"; filename*=UTF-8''f%22%C3%B6%0D%0A.png"),
        ("\ud800", "inline; filename=\"a-0.png\"; filename*=UTF-8''%3F"),
    ],
)
def test_a_name_can_not_break_out_of_its_header(name: str, told: str) -> None:
    """RFC 6266: what is not plain is encoded."""
    assert disposition("a-0", "image/png", name) == told
