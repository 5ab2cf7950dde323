"""Is the file of a result called by its job, its place in it, and what it is?"""

from __future__ import annotations

import pytest

import mediagen


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("image/webp", "job-1-2.webp"),
        ("image/jpeg", "job-1-2.jpg"),
        ("audio/mpeg", "job-1-2.mp3"),
        ("Audio/MPEG; rate=1", "job-1-2.mp3"),
        ("video/quicktime", "job-1-2.mov"),
        ("", "job-1-2.bin"),
    ],
)
def test_a_name_ends_in_what_the_file_is(media_type: str, name: str) -> None:
    """As people know it, whatever table of types the machine has."""
    artifact = mediagen.Artifact(index=2, media_type=media_type)
    assert mediagen.file_name(mediagen.Job(job_id="job-1"), artifact) == name


def test_a_name_leads_nowhere_else() -> None:
    """The id is the server's word."""
    artifact = mediagen.Artifact(media_type="image/png")
    job = mediagen.Job(job_id="../../etc/x")
    assert mediagen.file_name(job, artifact) == "______etc_x-0.png"
