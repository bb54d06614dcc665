"""The binary under test, TODO_SERVICE or the one of the build for the scenarios, and what it makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def binary() -> Path:
    return Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "ci" / "todo-service"))


def make_token(*arguments: str, service: Path | None = None) -> str:
    """What `todo-service make-token` prints: a token, or the public half of a key."""
    made = subprocess.run([service or binary(), "make-token", *arguments], check=True, capture_output=True, text=True)
    return made.stdout.strip()
