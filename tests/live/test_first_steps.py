"""The lines about live screens that `make run` prints show the next change, as pasted."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from todo_client import Client, eventually

from tools.stack import Stack
from tools.stack.__main__ import first_steps

REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def pasted(line: str, into: Path) -> Iterator[Callable[[], str]]:
    """Runs `line` as a person's shell would. Yields a function that tells what it has printed."""
    with into.open("w") as out:
        shell = subprocess.Popen(["bash", "-c", line], cwd=REPOSITORY, stdout=out, start_new_session=True)
    try:
        yield into.read_text
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


@pytest.mark.parametrize(("door", "before", "after"), [
    ("curl -N", '"last":true', '"title":"Seen on '),
    ("/ws ada", '"tasks": [', "Seen on "),
])
def test_the_printed_line_shows_the_next_change(stack: Stack, tmp_path: Path, door: str, before: str,
                                                after: str) -> None:
    [line] = [line for line in first_steps(stack.api_target(), stack.web_url()) if door in line]
    with pasted(line, tmp_path / "printed") as printed:
        eventually(lambda: before in printed(), "the screen is connected")
        Client(stack.api_target(), "ada").create(f"Seen on {door}")
        eventually(lambda: after + door in printed(), "the change")
