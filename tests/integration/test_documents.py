"""What the documents say about the tree and the binary is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, binary

DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "proto/*.md", "tools/*/*.md")
    for path in REPOSITORY.glob(pattern)
)
# Names with one of these beginnings, in backticks, are files or folders of the project.
PLACES = ("src/", "tests/", "tools/", "db/", "docs/", "deploy/", "proto/", "cmake/")


def test_the_readme_lists_the_settings_of_the_binary() -> None:
    checked = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "readme.py", "--check", binary()], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, f"run `make docs`:\n{checked.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_a_document_points_to_exists(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    names = [name for name in re.findall(r"`([\w./-]+)`", text) if name.startswith(PLACES)]
    missing += [name for name in names if not (REPOSITORY / name).exists()]
    assert not missing
