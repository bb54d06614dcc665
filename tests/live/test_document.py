"""docs/live.md is true: its sessions happen, and its examples run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from todo_client import Client, eventually
from transcript import blocks, hold, normal, running_service

from tools.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "docs" / "examples" / "live.py"
LONGEST_EXAMPLE = 70  # lines


@pytest.fixture(scope="module")
def with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Callable[[str], str]]]:
    with running_service(tmp_path_factory.mktemp("document")) as running:
        yield running


def test_the_sessions_of_the_document_happen(with_tokens: tuple[Stack, Callable[[str], str]]) -> None:
    written = blocks()
    held = hold(*with_tokens)
    assert written.keys() == held.keys(), "run tests/live/transcript.py"
    for name, text in held.items():
        assert normal(written[name]) == normal(text), f"{name}: run tests/live/transcript.py"


class Example:
    """docs/examples/live.py in a process of its own; `shown` is what it has printed last."""

    def __init__(self, *arguments: str, **env: str) -> None:
        self._process = subprocess.Popen([sys.executable, EXAMPLE, *arguments], env={**os.environ, **env}, text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)
        self._text = ""

    def shows(self, titles: list[str]) -> bool:
        assert self._process.stdout
        self._text += self._process.stdout.read() or ""
        lines = self._text.splitlines()
        return bool(lines) and self._text.endswith("\n") and json.loads(lines[-1])["tasks"] == titles

    def end(self) -> tuple[int, str]:
        self._process.kill()
        return self._process.returncode, self._process.communicate()[1]

    def refused(self) -> str:
        assert self._process.wait(30) == 1
        return self._process.communicate()[1]


def test_the_example_follows_changes_and_a_restart(stack: Stack) -> None:
    example = Example(f"ws://127.0.0.1:{stack.ports['web-0']}/ws", "ada")
    ada = Client(stack.api_target(), "ada")
    eventually(lambda: example.shows([]), "the first snapshot")
    first, second = ada.create("one"), ada.create("two")
    eventually(lambda: example.shows(["one", "two"]), "two tasks")
    stack.restart("service-0")
    ada.delete(first.id)
    eventually(lambda: example.shows(["two"]), "the example came back")
    example.end()
    assert len(EXAMPLE.read_text().splitlines()) <= LONGEST_EXAMPLE
    assert second.title == "two"


def test_the_example_takes_a_token_and_gives_up_without(with_tokens: tuple[Stack, Callable[[str], str]]) -> None:
    stack, token = with_tokens
    url = f"ws://127.0.0.1:{stack.ports['web-0']}/ws"
    example = Example(url, TOKEN=token("1h"))
    eventually(lambda: example.shows(["Buy bread"]) or time.sleep(0.1) or example._text, "a snapshot")
    example.end()
    assert "refused: 4500" in Example(url, TOKEN="no-token").refused()
