"""The user who writes sentences: ChatService over gRPC and as JSON."""

from __future__ import annotations

import http.client
import importlib
import json
import uuid
from typing import Any

import grpc
from google.protobuf import json_format
from todo_client import protos

from tools.stack import Stack

PATIENCE = 15.0  # seconds


class Refused(Exception):
    """A call that was not carried out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Chat:
    """One user at one replica."""

    def __init__(self, stack: Stack, user: str, replica: int = 0) -> None:
        protos()
        self.user = user
        self.messages = importlib.import_module("todo.v1.chat_service_pb2")
        self._stack = stack
        self._replica = replica

    def at(self, replica: int) -> Chat:
        return type(self)(self._stack, self.user, replica)

    def say(self, text: str, request_id: str | None = None, **fields: Any) -> Any:
        """The SendResponse."""
        return self._send(self.messages.SendRequest(text=text, request_id=request_id or str(uuid.uuid4()), **fields))

    def _send(self, request: Any) -> Any:
        raise NotImplementedError


class GrpcChat(Chat):
    def __init__(self, stack: Stack, user: str, replica: int = 0) -> None:
        super().__init__(stack, user, replica)
        stubs = importlib.import_module("todo.v1.chat_service_pb2_grpc")
        self._stub = stubs.ChatServiceStub(grpc.insecure_channel(stack.api_target(replica)))

    def _send(self, request: Any) -> Any:
        try:
            return self._stub.Send(request, timeout=PATIENCE, metadata=[("x-user-id", self.user)])
        except grpc.RpcError as error:
            raise Refused(error.code().name, error.details()) from None


class JsonChat(Chat):
    def _send(self, request: Any) -> Any:
        web = http.client.HTTPConnection("127.0.0.1", self._stack.ports[f"web-{self._replica}"], timeout=PATIENCE)
        try:
            web.request("POST", "/todo.v1.ChatService/Send", json_format.MessageToJson(request).encode(),
                        {"content-type": "application/json", "x-user-id": self.user})
            answer = web.getresponse()
            content = answer.read()
        finally:
            web.close()
        if answer.status != 200:
            error = json.loads(content)
            raise Refused(error["code"].upper(), error.get("message", ""))
        return json_format.Parse(content, self.messages.SendResponse())
