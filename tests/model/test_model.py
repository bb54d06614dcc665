"""Sentences that the grammar does not know, given to a language model: one that answers every function with nonsense (a
real daprd with the component conversation.echo), and a stand-in that chooses as the test says."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from service_binary import REPOSITORY, binary
from stand_in import StandIn
from todo_client import Client, protos

from tools.stack import Stack

COMPONENT = """apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: careless
spec:
  type: conversation.echo
  version: v1
"""
ODD = "would you be so kind as to see to the matter of the milk"  # no sentence of the grammar


def where(name: str) -> Path:
    ran = subprocess.run([REPOSITORY / "tools" / "setup", "--where", name], check=True, capture_output=True, text=True)
    return Path(ran.stdout.strip())


class Talk:
    """The conversation of one user."""

    def __init__(self, stack: Stack, user: str) -> None:
        protos()
        self.tasks = Client(stack.api_target(), user)
        self._messages = importlib.import_module("todo.v1.chat_service_pb2")
        stubs = importlib.import_module("todo.v1.chat_service_pb2_grpc")
        self._stub = stubs.ChatServiceStub(grpc.insecure_channel(stack.api_target()))
        self._metadata = (("x-user-id", user),)

    def say(self, text: str) -> Any:
        request = self._messages.SendRequest(text=text, request_id=str(uuid.uuid4()), time_zone="Europe/Berlin")
        return self._stub.Send(request, metadata=self._metadata, timeout=30)

    @property
    def changes(self) -> list[str]:
        return [change.event_type for change in self.tasks.changes()]


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service beside a daprd whose model calls every function with its parameters' names as arguments."""
    folder = tmp_path_factory.mktemp("careless")
    (folder / "bin").mkdir()
    (folder / "bin" / "daprd").symlink_to(where("echo"))
    (folder / "bin" / "scheduler").symlink_to(where("scheduler"))
    (folder / "components").mkdir()
    (folder / "components" / "careless.yaml").write_text(COMPONENT)
    with pytest.MonkeyPatch.context() as patch:
        # The first daprd on the path is the one that the runner takes.
        patch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        installed = importlib.import_module("tools.stack.installed")
        installed.where.cache_clear()
        with Stack(folder / "run", broker="memory", service_binary=binary(), components=folder / "components",
                   service_flags=["--conversation-component=careless"], keep_data=False) as running:
            yield running
    installed.where.cache_clear()


@pytest.fixture(scope="module")
def clever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, StandIn]]:
    """The service beside a model that chooses as the test says."""
    stacks: list[Stack] = []
    model = StandIn(lambda: stacks[0].daprds[0].grpc_endpoint)
    stacks.append(Stack(tmp_path_factory.mktemp("clever") / "run", broker="memory", service_binary=binary(),
                        service_flags=["--conversation-component=clever", f"--dapr-grpc-endpoint=127.0.0.1:{model.port}"],
                        keep_data=False))
    try:
        with stacks[0] as running:
            yield running, model
    finally:
        model.close()


def test_nonsense_of_a_model_is_refused_as_a_whole(careless: Stack) -> None:
    ada = Talk(careless, "echo-ada")
    ada.tasks.create(title="Buy milk")
    for sentence in (ODD, "the milk has been seen to by yours truly", "task,title,when", "words", "when"):
        answer = ada.say(sentence)
        assert answer.understood_by == "grammar", answer
        assert not answer.undoable and not answer.HasField("question"), answer
    assert ada.changes == ["created"]
    assert careless.node("service-0").output().count('"event":"model_not_followed"') == 5
    # What the grammar knows never reaches the model.
    assert ada.say("I finished buying milk").understood_by == "grammar"
    assert ada.changes == ["created", "completed"]


def test_a_choice_that_fits_the_words_is_followed(clever: tuple[Stack, StandIn]) -> None:
    stack, model = clever
    ben = Talk(stack, "model-ben")
    ben.tasks.create(title="Buy milk")
    model.choose = lambda _: [("complete_task", json.dumps({"task": "milk"}))]
    answer = ben.say(ODD)
    assert answer.understood_by == "clever", answer
    assert [(action.tasks[0].title, action.tasks[0].completed) for action in answer.actions] == [("Buy milk", True)]
    assert ben.changes == ["created", "completed"]
    seen = model.requests[-1]
    assert seen.name == "clever"
    assert seen.inputs[0].messages[-1].of_user.content[0].text == ODD
    assert "complete_task" in {tool.function.name for tool in seen.tools}


def test_a_model_deletes_nothing_without_a_yes(clever: tuple[Stack, StandIn]) -> None:
    stack, model = clever
    cleo = Talk(stack, "model-cleo")
    cleo.tasks.create(title="Buy milk")
    model.choose = lambda _: [("delete_task", json.dumps({"task": "milk"}))]
    answer = cleo.say(ODD)
    assert answer.HasField("question"), answer
    assert cleo.changes == ["created"]
    cleo.say("yes")
    assert cleo.changes == ["created", "deleted"]


@pytest.mark.parametrize("calls", [
    [("drop_tables", "{}")],
    [("complete_task", "task")],
    [("complete_task", '{"task": 7}')],
    [("complete_task", '{"task": "the rent"}')],  # not in the text
    [("complete_task", '{"task": "milk"}'), ("delete_everything", "{}")],
    [("postpone_task", '{"task": "milk", "when": "when pigs fly"}')],
    [("complete_task", '{"task": "milk"}')] * 50,
    [("complete_task", '{"task": "' + "milk" * 5_000 + '"}')],
    [],
])
def test_a_choice_with_any_fault_is_not_followed(clever: tuple[Stack, StandIn], calls: list[tuple[str, str]]) -> None:
    stack, model = clever
    dan = Talk(stack, f"model-dan-{uuid.uuid4()}")
    dan.tasks.create(title="Buy milk")
    model.choose = lambda _: calls
    answer = dan.say(ODD)
    assert answer.understood_by == "grammar", answer
    assert dan.changes == ["created"]
