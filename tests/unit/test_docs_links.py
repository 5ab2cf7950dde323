"""Do the pages say only what is there: links, anchors, commands, modules, decision records?"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], key=lambda page: page.relative_to(ROOT)
)
RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
SECTIONS = ["Context", "Decision", "Consequences", "What it gives up"]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def _code(page: Path) -> str:
    """The blocks to copy, and what stands between backquotes."""
    blocks = [body for kind, body in FENCE.findall(page.read_text()) if kind in ("sh", "")]
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", _prose(page))])


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file of the checkout, and an anchor a heading in it."""
    broken = []
    for link in (first or second for first, second in LINK.findall(_prose(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert not broken


@each_page
def test_every_make_command_is_a_target(page: Path) -> None:
    """`make x` in a page is a line of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = set(re.findall(r"(?:^|[ `;])make ([a-z][a-z-]*)", _code(page), re.MULTILINE))
    assert said <= targets


@each_page
def test_every_module_that_is_run_exists(page: Path) -> None:
    """`python -m x` can be found."""
    said = set(re.findall(r"python -m ([a-z_.]+)", _code(page)))
    assert not [name for name in said if importlib.util.find_spec(name) is None]


@each_page
def test_pages_have_no_em_dashes(page: Path) -> None:
    """Short sentences need none."""
    assert "—" not in _prose(page)


@each_record
def test_a_decision_record_says_why_and_what_it_gives_up(record: Path) -> None:
    """One page: a numbered title, a date, four sections in order."""
    text = record.read_text()
    number = record.name[:4]
    assert re.match(rf"# {number}: .+\n\nAccepted, \d{{4}}-\d\d-\d\d\n", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= 80


def test_decision_records_are_numbered_without_holes() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_begins_with_what_it_is_and_how_to_start_it() -> None:
    """First screen: one sentence, three bullets, one diagram, one command and its output."""
    first = (ROOT / "README.md").read_text().partition("\n## ")[0]
    assert len(re.findall(r"^- \*\*", first, re.MULTILINE)) == 3
    kinds = [kind for kind, _ in FENCE.findall(first)]
    assert kinds[:3] == ["mermaid", "sh", ""]
    assert FENCE.findall(first)[1][1] == "make run\n"
    assert "mediagen is ready" in FENCE.findall(first)[2][1]


def test_follow_one_job_lists_eight_files_that_say_what_they_are_for() -> None:
    """Each is there, not long, and opens with a docstring."""
    road = (ROOT / "README.md").read_text().partition("## Follow one job")[2].partition("\n## ")[0]
    files = re.findall(r"^\d+\. \[`[^`]+`\]\(([^)]+)\)", road, re.MULTILINE)
    assert len(files) == 8
    for name in files:
        text = (ROOT / name).read_text()
        assert text.startswith('"""'), name
        assert len(text.splitlines()) <= 250, name


def test_every_state_has_its_word_in_the_readme() -> None:
    """The JSON word of each state beside the original service's."""
    from mediagen.v1.job_pb2 import Job

    rows = re.findall(r"^\| `(STATE_\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows == [value.name for value in Job.State.DESCRIPTOR.values if value.number]


def test_the_readme_s_recording_is_one_of_the_command() -> None:
    recording = (ROOT / "docs/images/generate.svg").read_text()
    assert "mediagen generate" in recording
    assert "completed in" in recording


def test_the_license_is_the_one_that_the_distributions_name() -> None:
    for name in ("pyproject.toml", "services/pyproject.toml"):
        assert tomllib.loads((ROOT / name).read_text())["project"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
