"""Calls of the real service with tokens."""

from __future__ import annotations

import uuid
from typing import Any

import grpc
from todo_client import Client, reason_of

from tools.stack import Stack


# Without --dev-identity some ports are open to the network unless told otherwise.
LOOPBACK = [f"--{port}-address=127.0.0.1" for port in ("api", "web", "ops")]


class Calls:
    """Calls of the service with a token, or without."""

    def __init__(self, stack: Stack) -> None:
        self._client = Client(stack.api_target(), "somebody-else")

    def create(self, token: str) -> Any:
        messages = self._client.messages
        request = messages.CreateTaskRequest(task=messages.Task(title="a task"), request_id=str(uuid.uuid4()))
        return self._client.call("CreateTask", request, **header(token))

    def titles(self, token: str) -> list[str]:
        answer = self._client.call("ListTasks", self._client.messages.ListTasksRequest(), **header(token))
        return [task.title for task in answer.tasks]

    def refusal(self, token: str) -> tuple[str, str, str]:
        """Code, reason and text of a refused call; all empty: it was not refused."""
        try:
            self.titles(token)
        except grpc.RpcError as error:
            return error.code().name, reason_of(error), error.details()
        return "", "", ""


def header(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
