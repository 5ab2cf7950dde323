"""Where do the two API viewers under services/edge/site/vendor/ come from?

From their npm packages, by `npm pack`: only the minified files that the pages load, and the
licences. Run it by hand to take a newer version; what it wrote is committed, so that nothing else
needs npm or a network.
"""

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "services/edge/site/vendor"
# ReDoc shows its maker's logo from another host; the page may not ask any other host for anything.
REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
EMPTY_PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"


@dataclass(frozen=True)
class Package:
    """One npm package: the files taken from it, and texts replaced in them."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...] = ()


PACKAGES = (
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "Apache-2.0",
        (
            "swagger-ui.css",
            "swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt",
            "LICENSE",
            "NOTICE",
        ),
    ),
    Package(
        "redoc",
        "2.5.4",
        "MIT",
        ("bundles/redoc.standalone.js", "bundles/redoc.standalone.js.LICENSE.txt", "LICENSE"),
        ((REDOC_LOGO, EMPTY_PICTURE),),
    ),
)


def main() -> None:
    """Write the vendor folder anew."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    rows = [row for package in PACKAGES for row in _take(package)]
    (VENDOR / "README.md").write_text(_readme(rows))


def _take(package: Package) -> list[str]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
            cwd=folder,
            check=True,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        for name in package.files:
            source = Path(folder, "package", name)
            target = VENDOR / package.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = source.read_bytes()
            shipped = hashlib.sha256(content).hexdigest()
            for old, new in package.replaced:
                content = content.replace(old.encode(), new.encode())
            target.write_bytes(content)
            written = hashlib.sha256(content).hexdigest()
            change = "unchanged" if written == shipped else f"changed, shipped as `{shipped}`"
            rows.append(
                f"| `{package.name}/{target.name}` | {package.name} {package.version}, "
                f"{package.licence} | `{written}` | {change} |"
            )
    return rows


def _readme(rows: list[str]) -> str:
    lines = [
        "# The API viewers",
        "",
        "Written by `tools/vendor_site.py` from npm packages; never edited by hand. One change is",
        f"made on the way: ReDoc's logo at `{REDOC_LOGO}`",
        "becomes an empty picture, so that its page asks no other host for anything.",
        "",
        "| file | from | sha256 | |",
        "|---|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
