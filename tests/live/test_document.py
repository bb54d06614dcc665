"""docs/live.md is true: its sessions happen, and its examples run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from scripted_socket import ALIVE, EMPTY, scripted_socket, update
from todo_client import Client, eventually
from transcript import Changer, blocks, hold, normal, running_service

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
    """docs/examples/live.py in a process of its own."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self._output = folder / "output"
        with self._output.open("w") as output, (folder / "errors").open("w") as errors:
            self._process = subprocess.Popen([sys.executable, EXAMPLE, *arguments], env={**os.environ, **env},
                                             stdout=output, stderr=errors)

    def shows(self, titles: list[str]) -> bool:
        lines = self._output.read_text().split("\n")[:-1]
        return bool(lines) and bool(json.loads(lines[-1])["tasks"] == titles)

    def end(self) -> None:
        self._process.kill()
        self._process.wait(30)

    def refused(self) -> str:
        assert self._process.wait(60) == 1
        errors = (self._output.parent / "errors").read_text()
        assert "Traceback" not in errors
        return errors


def test_the_example_follows_changes_and_a_restart(stack: Stack, tmp_path: Path) -> None:
    example = Example(tmp_path, f"ws://127.0.0.1:{stack.ports['web-0']}/ws", "ada")
    ada = Client(stack.api_target(), "ada")
    eventually(lambda: example.shows([]), "the first snapshot")
    first, second = ada.create("one"), ada.create("two")
    eventually(lambda: example.shows(["one", "two"]), "two tasks")
    stack.restart("service-0")
    eventually(lambda: deleted(ada, first.id), "the service takes calls again")
    eventually(lambda: example.shows(["two"]), "the example came back")
    example.end()
    assert len(EXAMPLE.read_text().splitlines()) <= LONGEST_EXAMPLE
    assert second.title == "two"


def deleted(client: Client, task_id: int) -> bool:
    try:
        client.delete(task_id)
    except grpc.RpcError:
        return False
    return True


def test_the_example_takes_a_token_and_gives_up_without(with_tokens: tuple[Stack, Callable[[str], str]],
                                                        tmp_path: Path) -> None:
    stack, token = with_tokens
    url = f"ws://127.0.0.1:{stack.ports['web-0']}/ws"
    known = [task.title for task in Changer(stack, token("1h")).tasks()]
    example = Example(tmp_path, url, TOKEN=token("1h"))
    eventually(lambda: example.shows(known), "the snapshot")
    example.end()
    assert "refused: 4500" in Example(tmp_path, url, TOKEN="no-token").refused()


def test_the_example_takes_a_ping_without_a_cursor_for_a_sign_of_life(tmp_path: Path) -> None:
    with scripted_socket(lambda _: [ALIVE, EMPTY, update(1, "one"), ALIVE, update(2, "two")]) as server:
        example = Example(tmp_path, server.url, "ada")
        eventually(lambda: example.shows(["one", "two"]), "the update after the ping")
        example.end()
    assert server.handshakes == 1


def test_the_example_comes_back_after_a_refused_handshake(tmp_path: Path) -> None:
    with scripted_socket(lambda number: [EMPTY, update(1, "one")] if number else None) as server:
        example = Example(tmp_path, server.url, "ada")
        eventually(lambda: example.shows(["one"]), "another try")
        example.end()
    assert server.handshakes == 2


def test_the_example_ends_when_its_token_has_expired(tmp_path: Path) -> None:
    with scripted_socket(lambda _: 4401) as server:
        assert "refused: 4401" in Example(tmp_path, server.url, "ada").refused()
    assert server.handshakes == 1
